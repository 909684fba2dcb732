"""curved_text: synthetic scenes with words along lines, arcs, waves and free curves, made by Paribus.

No photograph of writing is in it. Real typefaces are set along curves on photographed and drawn grounds, among things
that are no text, lit, partly hidden and photographed; every instance comes with its exact polygon. Typefaces, words and
photographs of training, validation and test are disjoint.

``words`` what is written, ``faces`` the ink of the letters, ``curve`` the lines, ``setting`` the ink on a line and its
polygon, ``layout`` groups of texts, ``place`` their places, ``style`` and ``paint`` their looks, ``grounds`` and
``clutter`` what is around them, ``camera`` the photograph, ``compose`` all of it, ``instances`` what comes out.

A straight line of words is one instance for each word; words on a common curve are one instance together.
"""

from paribus.data.curved_text.compose import SIZES, VERSION, edition, scene
from paribus.data.curved_text.instances import Scene, TextInstance

__all__ = ["SIZES", "VERSION", "Scene", "TextInstance", "edition", "scene"]
