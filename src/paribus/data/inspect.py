"""The data half of the diagnostics: what is wrong with a data set is looked for before a network is blamed.

After Karpathy (2019), "A Recipe for Training Neural Networks", step 1: become one with the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from paribus.data.contact_sheet import contact_sheet
from paribus.data.duplicates import NEAR, NearDuplicateSearch, Pairs, exact_across, exact_within
from paribus.data.image_set import ImageSet
from paribus.errors import DataError
from paribus.spec.finding import Finding

__all__ = ["contact_sheet", "inspect"]

Level = Literal["ok", "note", "warning"]
CHUNK = 512
UNEVEN, VERY_UNEVEN = 1.5, 10.0
"""Ratios of the largest to the smallest class that are worth a note and a warning."""
SHIFTED = 0.05
"""Total variation between the class frequencies of two parts that is worth a note."""
LOOKED_AT = 8_000
"""Images of a part whose near duplicates are looked for, among all of it: some ten seconds for 67,257 of 32x32."""
COPY = 0.995
"""Correlation from which two images are taken for copies of one; noise of 2 in 255 leaves crops of digits above it."""
COPIES = 0.001
"""Share of such copies in a part that is worth a warning."""


def inspect(parts: Mapping[str, ImageSet]) -> list[Finding]:
    """Return what the parts of a data set (by name: train, validation, test) show, part by part, then across parts."""
    findings: list[Finding] = []
    for name, part in parts.items():
        if len(part) == 0:
            raise DataError(f"{part.source}: the {name} part is empty")
        findings += _labels(name, part)
        findings += _pixels(name, part)
        findings += _repetitions(name, part)
    for (first, one), (second, other) in combinations(parts.items(), 2):
        findings += _across(first, one, second, other)
    return findings


def _labels(name: str, part: ImageSet) -> Iterator[Finding]:
    classes = len(part.classes)
    outside = np.flatnonzero((part.labels < 0) | (part.labels >= classes))
    if len(outside):
        yield Finding(
            f"labels ({name})",
            "warning",
            f"{len(outside):,} of {len(part):,} outside 0..{classes - 1}; "
            f"example {outside[0]} has {part.labels[outside[0]]}",
            "A label without a class breaks the loss or trains towards nothing: mend the labels.",
        )
    else:
        yield Finding(f"labels ({name})", "ok", f"{len(part):,} in 0..{classes - 1}", "Every example has a class.")
    counts = _class_counts(part)
    if classes < 2 or counts.sum() == 0:
        return
    absent = [part.classes[label] for label in np.flatnonzero(counts == 0)]
    shares = counts[counts > 0] / counts.sum()
    entropy = max(0.0, float(-(shares * np.log(shares)).sum() / np.log(classes)))
    largest, smallest = int(counts.argmax()), int(counts.argmin())
    if absent:
        yield Finding(
            f"class balance ({name})",
            "warning",
            f"no example of {', '.join(absent[:5])}{', ...' if len(absent) > 5 else ''}; entropy {entropy:.3f} of 1",
            "A class without examples cannot be learnt or measured here.",
        )
        return
    ratio = counts[largest] / counts[smallest]
    value = (
        f"largest {part.classes[largest]!r} {counts[largest]:,}, smallest {part.classes[smallest]!r} "
        f"{counts[smallest]:,}, ratio {ratio:.2f}; entropy {entropy:.3f} of 1"
    )
    guess = f"always answering the largest class scores {counts.max() / counts.sum():.1%}"
    if ratio > VERY_UNEVEN:
        meaning = f"Very uneven: {guess}, so accuracy says little; look at each class, or weigh or resample them."
        yield Finding(f"class balance ({name})", "warning", value, meaning)
    elif ratio > UNEVEN:
        yield Finding(f"class balance ({name})", "note", value, f"Uneven: {guess}; read accuracy beside that.")
    else:
        yield Finding(f"class balance ({name})", "ok", value, f"Even: {guess}.")


def _pixels(name: str, part: ImageSet) -> Iterator[Finding]:
    constant, grey = 0, 0
    channels = part.images.shape[3]
    histogram = np.zeros((channels, 256))
    for start in range(0, len(part), CHUNK):
        block = np.ascontiguousarray(part.images[start : start + CHUNK])
        constant += int((block == block[:, :1, :1]).reshape(len(block), -1).all(axis=1).sum())
        grey += int((block == block[..., :1]).reshape(len(block), -1).all(axis=1).sum())
        histogram += [np.bincount(block[..., channel].ravel(), minlength=256) for channel in range(channels)]
    values = np.arange(256)
    pixels = histogram[0].sum()
    mean = histogram @ values / pixels
    deviation = np.sqrt(np.maximum(histogram @ values**2 / pixels - mean**2, 0))
    present = np.flatnonzero(histogram.sum(axis=0))
    low, high = int(present[0]), int(present[-1])
    yield _value_range(name, low, high)
    if constant:
        meaning = "An image of a single colour shows nothing; it is often a failed read: look at them or remove them."
        yield Finding(f"constant images ({name})", "warning", f"{constant:,} of {len(part):,}", meaning)
    else:
        yield Finding(f"constant images ({name})", "ok", f"none of {len(part):,}", "Every image shows something.")
    yield _channels(name, mean, deviation, grey / len(part))


def _value_range(name: str, low: int, high: int) -> Finding:
    value = f"{low}..{high} of 0..255"
    if high <= 1:
        meaning = "Values of 0 and 1 only: images scaled to [0, 1] were turned into bytes; read them again."
        return Finding(f"value range ({name})", "warning", value, meaning)
    if high - low < 64:
        meaning = "A narrow range: a scale was applied twice, or the images are nearly blank."
        return Finding(f"value range ({name})", "warning", value, meaning)
    if high < 128:
        meaning = "The upper half of the range is unused: the images may be signed or scaled by mistake."
        return Finding(f"value range ({name})", "note", value, meaning)
    return Finding(f"value range ({name})", "ok", value, "The bytes use their range.")


def _channels(name: str, mean: NDArray[np.float64], deviation: NDArray[np.float64], grey: float) -> Finding:
    value = "mean " + " ".join(f"{number:.1f}" for number in mean)
    value += ", standard deviation " + " ".join(f"{number:.1f}" for number in deviation)
    check = f"channels ({name})"
    if len(mean) != 3:
        return Finding(check, "note", f"{len(mean)}; {value}", "Networks of the labs expect red, green and blue.")
    if grey == 1:
        return Finding(check, "note", value, "The three channels are equal: grey images; colour changes mean nothing.")
    if deviation.min() < 1 <= deviation.max():
        return Finding(check, "warning", value, "A channel hardly varies while another does: one was lost on the way.")
    value += f"; {grey:.1%} grey"
    reddish = (
        "the first channel should be red: skies then have the largest third number, skin and wood the largest first"
    )
    return Finding(check, "ok", value, f"The order cannot be known from numbers; {reddish}.")


def _repetitions(name: str, part: ImageSet) -> Iterator[Finding]:
    exact = exact_within(part.images)
    torn = int((part.labels[exact[:, 0]] != part.labels[exact[:, 1]]).sum())
    check = f"duplicates ({name})"
    if torn:
        value = (
            f"{len(exact):,} of {len(part):,} repeat an earlier image, {torn:,} under another label; {_example(exact)}"
        )
        yield Finding(check, "warning", value, "One image with two labels: at least one label is wrong.")
    elif len(exact):
        level: Level = "warning" if len(exact) > 0.01 * len(part) else "note"
        value = f"{len(exact):,} of {len(part):,} repeat an earlier image; {_example(exact)}"
        yield Finding(check, level, value, "Repeated images count twice in the loss and in every average.")
    else:
        yield Finding(check, "ok", f"none of {len(part):,}", "No image repeats another to the bit.")
    yield _near_repetitions(name, part, exact)


def _near_repetitions(name: str, part: ImageSet, exact: Pairs) -> Finding:
    """Near duplicates within a part, each image that occurs twice to the bit taken once."""
    kept = np.setdiff1d(np.arange(len(part)), exact[:, 1])
    search = NearDuplicateSearch.over(part.images[kept] if len(exact) else part.images)
    asked = np.unique(np.linspace(0, len(kept) - 1, min(len(kept), LOOKED_AT)).astype(np.int64))
    pairs = search.within(asked)
    alike = np.isin(asked, pairs).sum()
    copies = np.isin(asked, pairs[search.correlations(pairs) >= COPY]).sum()
    pairs = kept[pairs]
    share = f"of {len(asked):,}" + ("" if len(asked) == len(kept) else f" looked at (of {len(kept):,} in all)")
    check = f"near duplicates ({name})"
    if not len(pairs):
        meaning = "No image is nearly another, brightness and contrast aside."
        return Finding(check, "ok", f"none {share} correlate {NEAR} or more with another", meaning)
    torn = int((part.labels[pairs[:, 0]] != part.labels[pairs[:, 1]]).sum())
    value = f"{alike:,} {share} correlate {NEAR} or more with another, {copies:,} of them {COPY} or more"
    value += f"; pairs with two labels: {torn:,} of {len(pairs):,}" if torn else ""
    return Finding(
        check,
        "warning" if copies > COPIES * len(asked) else "note",
        f"{value}; {_example(pairs)}",
        "Look at them: copies count twice, while plain or blurred images can be alike by chance.",
    )


def _across(first: str, one: ImageSet, second: str, other: ImageSet) -> Iterator[Finding]:
    where = f"across {first} and {second}"
    if one.classes == other.classes:
        yield _shift(where, first, one, second, other)
    if one.images.shape[1:] != other.images.shape[1:]:
        value = f"{one.images.shape[1:]} and {other.images.shape[1:]}"
        yield Finding(f"shapes {where}", "warning", value, "The parts differ in shape: one network cannot read both.")
        return
    exact = exact_across(one.images, other.images)
    share = f"of {len(other):,} in {second}"
    if len(exact):
        value = f"{len(exact):,} {share} are in {first} too; {_example(exact)}"
        meaning = "Leakage: the network has seen these images, so the score flatters; remove them from one part."
        yield Finding(f"duplicates {where}", "warning", value, meaning)
    else:
        yield Finding(f"duplicates {where}", "ok", f"none {share}", "No image is in both parts to the bit.")
    near = NearDuplicateSearch.over(one.images).across(other.images)
    near = near[~np.isin(near[:, 1], exact[:, 1])]
    check = f"near duplicates {where}"
    if len(near):
        level: Level = "warning" if len(near) > 0.01 * len(other) else "note"
        value = f"{len(near):,} {share} correlate {NEAR} or more with one in {first}; {_example(near)}"
        yield Finding(
            check, level, value, "Look at them: copies leak, while plain or blurred images can be alike by chance."
        )
    else:
        value = f"none {share} correlate {NEAR} or more"
        yield Finding(check, "ok", value, "No image is nearly in both parts, brightness and contrast aside.")


def _shift(where: str, first: str, one: ImageSet, second: str, other: ImageSet) -> Finding:
    counts, others = _class_counts(one), _class_counts(other)
    distance = float(np.abs(counts / max(1, counts.sum()) - others / max(1, others.sum())).sum() / 2)
    value = f"total variation {distance:.3f}"
    expected = 0.5 * np.sqrt(2 * len(one.classes) / np.pi * (1 / max(1, len(one)) + 1 / max(1, len(other))))
    if distance > max(SHIFTED, 2 * expected):
        meaning = f"The classes have other shares in {first} than in {second}: a score on one does not carry over."
        return Finding(f"class shares {where}", "note", value, meaning)
    return Finding(f"class shares {where}", "ok", value, "The classes have about the same shares in both parts.")


def _class_counts(part: ImageSet) -> NDArray[np.int64]:
    known = part.labels[(part.labels >= 0) & (part.labels < len(part.classes))]
    return np.bincount(known, minlength=len(part.classes)).astype(np.int64)


def _example(pairs: Pairs) -> str:
    return f"e.g. {pairs[0, 0]} and {pairs[0, 1]}"
