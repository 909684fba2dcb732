"""What this lab does beyond the paper when it makes labels of outlines and outlines of maps, each by its name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Refinements:
    """The choices that Long et al. (ECCV 2018) make otherwise or leave open; False is to the letter of the paper.

    The first four are about labels, the others about decoding.
    """

    narrow_ends: bool = False
    """The ends of an outline are the two edges between which text is long and narrow, in doubt those that the usual
    order of points says; else the two of least M, the cosine between the edges before and after."""
    recentred: bool = False
    """The axis is moved to the middle of its two sides, three times, and the radius is the distance to them; else of
    points at equal shares of the sides' lengths the axis is the mean and the radius half the distance."""
    quarter_cut: bool = False
    """Of an axis shorter than two radii a quarter is cut at each end; else half a radius of any, and where nothing is
    left the text has no centre line."""
    pixel_line: bool = False
    """A centre line is a pixel wide at least, also where that leaves the outline; else 2 r / 5, however thin."""
    cross_sections: bool = False
    """Middle, radius and tangent are means over three cross-sections of the centre line, tangents turned to agree, and
    in the end the axis runs as most of them say; else the middle is that of one, radius and tangent as read there."""
    pixel_strides: bool = False
    """A stride is a pixel long at least, and passes a hole or a ragged border of a pixel; else r / 2, straight on, and
    less than a quarter of a pixel leads nowhere."""
    straight_ends: bool = False
    """The outline is the envelope of the circles, cut straight where the text region ends; else the border of all they
    cover, with round ends."""
    four_pixels: bool = False
    """Centre lines of fewer than four pixels, which have no direction, are left out."""


TO_THE_LETTER = Refinements()
"""As the paper says."""
REFINED = Refinements(
    narrow_ends=True,
    recentred=True,
    quarter_cut=True,
    pixel_line=True,
    cross_sections=True,
    pixel_strides=True,
    straight_ends=True,
    four_pixels=True,
)
"""All of them: how the shipped detector has learnt and decodes."""
