"""Images that occur twice, to the bit or nearly, within one set or across two."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.spatial import cKDTree

Pairs = NDArray[np.int64]
"""(P, 2) rows: an index into the first set and one into the second."""
CHUNK = 512
AXES = 12
"""Dimensions of the search; every further one costs time and only spares comparisons."""
NEIGHBOURS = 4
"""Nearest candidates that are compared for each image."""
NEAR = 0.98
"""Correlation of two grey images from which they count as nearly the same."""


def digests(images: NDArray[np.uint8]) -> list[bytes]:
    """Return a 128-bit digest of each image."""
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in np.asarray(images)]


def exact_within(images: NDArray[np.uint8]) -> Pairs:
    """Return (first occurrence, repetition) for each image that repeats an earlier one."""
    first: dict[bytes, int] = {}
    pairs = [(first.setdefault(digest, row), row) for row, digest in enumerate(digests(images))]
    return _pairs([(earlier, row) for earlier, row in pairs if earlier != row])


def exact_across(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> Pairs:
    """Return (its first occurrence in *images*, its row in *others*) for each of *others* that is also in *images*."""
    first: dict[bytes, int] = {}
    for row, digest in enumerate(digests(images)):
        first.setdefault(digest, row)
    return _pairs([(first[digest], row) for row, digest in enumerate(digests(others)) if digest in first])


@dataclass(frozen=True, eq=False)
class NearDuplicateSearch:
    """A set of images in which near duplicates are looked up.

    Each image, made grey, is centred and scaled to length 1, so that the inner product of two is their correlation c
    and brightness and contrast do not count: |a - b|^2 = 2 (1 - c). A projection onto orthonormal axes never lengthens
    a difference, so the images within sqrt(2 (1 - NEAR)) after projection onto the AXES slowest waves of the cosine
    transform include all with c >= NEAR. The NEIGHBOURS nearest of these are compared in full. Constant images have
    no direction and match none.
    """

    shapes: NDArray[np.float32]
    """(N, H W) the unit vectors."""
    axes: NDArray[np.float32]
    tree: cKDTree

    @staticmethod
    def over(images: NDArray[np.uint8]) -> NearDuplicateSearch:
        """Prepare the search in *images* (N, H, W, C)."""
        shapes = _unit_vectors(images)
        axes = _lowest_waves(images.shape[1], images.shape[2])
        return NearDuplicateSearch(shapes, axes, cKDTree(shapes @ axes))

    def across(self, others: NDArray[np.uint8]) -> Pairs:
        """Return (row here, row in *others*) of the best match of each of *others* that has one."""
        return self._best(_unit_vectors(others), None)

    def within(self, rows: NDArray[np.int64] | None = None) -> Pairs:
        """Return (earlier row, later row) of near duplicates: the best match of each image, every pair once.

        *rows* are the images whose matches are looked for, among all; by default every one.
        """
        asked = np.arange(len(self.shapes)) if rows is None else rows
        pairs = np.sort(self._best(self.shapes[asked], asked), axis=1)
        return np.unique(pairs, axis=0).reshape(-1, 2)

    def correlations(self, pairs: Pairs) -> NDArray[np.float32]:
        """Return the correlation of each of *pairs* of rows here, (P,) in -1..1."""
        found: NDArray[np.float32] = np.einsum("ij,ij->i", self.shapes[pairs[:, 0]], self.shapes[pairs[:, 1]])
        return found

    def _best(self, shapes: NDArray[np.float32], own: NDArray[np.int64] | None) -> Pairs:
        """Return (row here, row in *shapes*) of best matches; *own* rows of *shapes* here do not match themselves."""
        reach = float(np.sqrt(2 * (1 - NEAR))) * (1 + 1e-4)  # rounding in the projection
        neighbours = NEIGHBOURS + (own is not None)
        found: list[tuple[int, int]] = []
        for start in range(0, len(shapes), CHUNK):
            queries = shapes[start : start + CHUNK]
            _, candidates = self.tree.query(queries @ self.axes, k=neighbours, distance_upper_bound=reach)
            candidates = np.asarray(candidates).reshape(len(queries), neighbours)
            rows, columns = np.nonzero(candidates < len(self.shapes))
            here = candidates[rows, columns]
            if own is not None:
                other = here != own[rows + start]
                rows, here = rows[other], here[other]
            correlation = np.einsum("ij,ij->i", queries[rows], self.shapes[here])
            order = np.argsort(-correlation, kind="stable")
            order = order[correlation[order] >= NEAR]
            matched, first = np.unique(rows[order], return_index=True)
            matched = matched + start if own is None else own[matched + start]
            found += zip(here[order[first]].tolist(), matched.tolist(), strict=True)
        return _pairs(found)


def _lowest_waves(height: int, width: int) -> NDArray[np.float32]:
    """Return the AXES slowest waves of the two-dimensional cosine transform but the constant one: (H W, AXES)."""
    down, across = dct(np.eye(height), norm="ortho", axis=0), dct(np.eye(width), norm="ortho", axis=0)
    slow = sorted((u * u + v * v, u, v) for u in range(min(8, height)) for v in range(min(8, width)))[1 : AXES + 1]
    return np.stack([np.outer(down[u], across[v]).ravel() for _, u, v in slow], axis=1).astype(np.float32)


def _unit_vectors(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    vectors = np.empty((len(images), images.shape[1] * images.shape[2]), dtype=np.float32)
    for start in range(0, len(images), CHUNK):
        block = np.asarray(images[start : start + CHUNK])
        grey = np.zeros((len(block), vectors.shape[1]), dtype=np.float32)
        for channel in range(block.shape[3]):  # much faster than a mean over the short last axis
            grey += block[..., channel].reshape(grey.shape)
        grey -= grey.mean(axis=1, keepdims=True)
        length = np.linalg.norm(grey, axis=1, keepdims=True)
        vectors[start : start + CHUNK] = np.divide(grey, length, out=np.zeros_like(grey), where=length > 1e-3)
    return vectors


def _pairs(found: list[tuple[int, int]]) -> Pairs:
    return np.array(found, dtype=np.int64).reshape(-1, 2)
