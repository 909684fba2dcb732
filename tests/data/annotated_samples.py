"""Images and annotation files for the tests of text sets, made as their publishers lay them out."""

import numpy as np
import scipy.io
from PIL import Image

from paribus.data.text_sets import read

SQUARE = [(10, 10), (30, 10), (30, 20), (10, 20)]
OCTAGON = [(10, 20), (20, 12), (30, 10), (40, 12), (50, 20), (40, 18), (30, 16), (20, 18)]
WIDTH, HEIGHT = 100, 60


def image(path, size=(WIDTH, HEIGHT)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)
    return path


def write(path, text, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def flat(points):
    return ",".join(f"{value:g}" for point in points for value in point)


def mat_row(points, text, orientation, *, drop_y=0):
    xs, ys = np.array(points, np.int16).T
    cells = ["x:", xs[None], "y:", ys[None, : len(ys) - drop_y], text, orientation]
    return [np.array([cell]) if isinstance(cell, str) and cell else cell for cell in cells]


def mat(path, rows, name="polygt"):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = np.empty((len(rows), 6), object)
    for place, row in enumerate(rows):
        for column, cell in enumerate(row):
            table[place, column] = cell
    scipy.io.savemat(path, {name: table})
    return path


def one(name, root, split="train", **options):
    (found,) = read(name, root, split, **options)
    return found.instances


def facts(instances):
    return [(instance.polygon.tolist(), instance.text, instance.ignore) for instance in instances]


def points(expected):
    return [[float(x), float(y)] for x, y in expected]
