"""Labels of the project's own scenes, decoded again, give the true polygons back."""

from __future__ import annotations

import numpy as np
import pytest

from paribus.data.curved_text import scene
from paribus.labs.textsnake.data import labels_of, truth
from paribus.labs.textsnake.decode import decode
from paribus.labs.textsnake.evaluation import overlaps
from paribus.labs.textsnake.geometry import axis
from paribus.labs.textsnake.refinements import REFINED


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_the_labels_of_a_scene_give_its_texts_back(split: str) -> None:
    ious = []
    for index in range(3):
        one = scene(split, 900 + index if split == "train" else index)
        texts = [text for text in one.instances if text.legible]
        found = decode(*truth(labels_of(one, REFINED)))
        best = overlaps([text.polygon for text in texts], [text.polygon for text in found]).iou.max(axis=1)
        for text, iou in zip(texts, best, strict=True):
            assert iou > 0.5 or 2 * float(np.median(axis(text.polygon).radii)) < 12, text.text
        ious += best.tolist()
    assert len(ious) >= 10
    assert np.mean(ious) >= 0.93
