"""How well a photograph took a style and how much of it is left, by measures that no method optimises.

Nearness to the style is measured on a part of it that no method saw. The judges are networks through which no method
looks in the lab's studies, the VGGs of JUDGES without the robust one, which moves the pixels and for which the networks
that ship were trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from jaxtyping import Float
from skimage.metrics import structural_similarity
from torch import Tensor

from paribus.labs.texture.adain import channel_statistics
from paribus.labs.texture.experiments import Look
from paribus.labs.texture.eye import Eye
from paribus.labs.texture.losses import LOSSES
from paribus.labs.texture.measure import JUDGE_LOOK, JUDGING, NOTHING, judging, patch_distance
from paribus.labs.texture.pairs import Pairs
from paribus.labs.texture.style_loss import STYLE_LAYERS, StyleLoss

STYLE_JUDGES = ("cifar10", "random", "random_vgg16")
"""Those of JUDGES that have a say here."""
EVERY = Look(layers=(*JUDGE_LOOK.layers, *STYLE_LAYERS))
"""Where judges look: at the first for the style, at STYLE_LAYERS for the content."""
_structure: Callable[..., float] = structural_similarity


@torch.no_grad()
def measure_style(images: Float[Tensor, "B 3 S S"], shown: Pairs) -> dict[str, float]:
    """Return what *images* are worth, one of each pair in the order of ``Pairs.each``: means over the pairs.

    With x the image of photograph p in style s, s' the unseen part of the style, and d a distance:

    - ``transfer``: max(0, 1 - C) max(0, 1 - S), the share of the content that was kept times that of the way to the
      style that was gone, 0 to 1. The photograph as it is has 0, and so, nearly, has the style as it is.
    - ``content``: C, see :func:`content_distance`; 0 is the photograph itself, 1 as far as another one. At least 0.
    - ``style``: S, the mean of d(x, s') / d(p, s') of patches and of Gram matrices on each judge, the patches counting
      as much as all judges; 0 is the unseen part itself, 1 no nearer than the photograph was. At least 0.
    - ``artfid``: (1 + C) (1 + S), at least 1, the form of ArtFID (Wright & Ommer 2022), with these C and S for its
      LPIPS and FID, which need networks that are downloaded. The photograph as it is has 2.
    - ``style_patch_distance``, ``style_gram_distance``: log10 of d(x, s') / d(s, s'), of patches (see
      ``patch_distance``) and of Gram matrices, the mean over judges; 0 is as near to the unseen part as the part that
      was shown, 0.3 twice as far. ``gram_on_JUDGE`` is the same on one judge.
    - ``ssim``: see :func:`grey_similarity`.
    - ``photo_NAME`` and ``copy_NAME``: the same of the photograph as it is, and of the style's shown part put in its
      place, for comparison.
    """
    judges = {name: replace(eye, look=EVERY) for name, eye in judging().items() if name in STYLE_JUDGES}
    known = {name: eye.features(shown.photos) for name, eye in judges.items()}
    made = torch.split(images, len(shown.photos))
    each = [
        _measured(*one, shown.photos, judges, known)
        for one in zip(made, shown.styles[:, None], shown.others[:, None], strict=True)
    ]
    result, photo, copy = (
        {name: float(torch.stack([one[name][row] for one in each]).mean()) for name in each[0]} for row in range(3)
    )
    return {
        **result,
        "ssim": float(torch.cat([grey_similarity(one, shown.photos) for one in made]).mean()),
        **{f"photo_{name}": photo[name] for name in ("artfid", "style_patch_distance", "style_gram_distance")},
        **{f"copy_{name}": copy[name] for name in ("transfer", "artfid", "content", "style")},
    }


def _measured(
    made: Tensor,
    style: Tensor,
    other: Tensor,
    photos: Tensor,
    judges: Mapping[str, Eye],
    known: Mapping[str, Mapping[str, Tensor]],
) -> dict[str, Tensor]:
    """Return the measures of one style, (3, P) each: of the images, of the photographs, and of the style itself."""
    count, contents = len(photos), []
    by_patches = patch_distance(torch.cat([made, photos, style]), other)
    distances = {"patches": torch.cat([by_patches[:-1], by_patches[-1:].expand(count)])}
    for name, eye in judges.items():
        seen, wanted = eye.features(torch.cat([made, style, other])), known[name]
        whole = {
            layer: torch.cat([found[:count], wanted[layer], found[count : count + 1].expand(wanted[layer].shape)])
            for layer, found in seen.items()
        }
        random = JUDGING.generator("directions/gram")
        there = {layer: seen[layer][-1:] for layer in JUDGE_LOOK.layers}
        gram = StyleLoss.toward(there, LOSSES["gram"], random)(whole, random)
        distances[f"gram_on_{name}"] = gram.clamp_min(0).sqrt()
        contents.append(
            torch.stack([
                content_distance({layer: whole[layer][row * count :][:count] for layer in STYLE_LAYERS}, wanted)
                for row in range(3)
            ])
        )  # fmt: skip
    content = torch.stack(contents).double().mean(dim=0)
    rows = {name: found.double().clamp_min(NOTHING).view(3, count) for name, found in distances.items()}
    logs = {name: (found / found[2]).log10() for name, found in rows.items()}
    share = {name: found / found[1] for name, found in rows.items()}
    judged = [name for name in rows if name != "patches"]
    far = (share["patches"] + torch.stack([share[name] for name in judged]).mean(dim=0)) / 2
    return {
        "transfer": (1 - content).clamp_min(0) * (1 - far).clamp_min(0),
        "content": content,
        "style": far,
        "artfid": (1 + content) * (1 + far),
        "style_patch_distance": logs["patches"],
        "style_gram_distance": torch.stack([logs[name] for name in judged]).mean(dim=0),
        **{name: logs[name] for name in judged},
    }


def content_distance(
    found: Mapping[str, Float[Tensor, "P C h w"]], photos: Mapping[str, Float[Tensor, "P C h w"]]
) -> Float[Tensor, " P"]:
    """Return how far each image is from its photograph p, relative to how far the other photographs q are; at least 0.

    |N(x) - N(p)|^2 / mean over q of |N(q) - N(p)|^2, the mean over STYLE_LAYERS. N are the features at a layer less the
    mean of each channel, divided by its deviation, for these are style (after the domain-invariant perceptual loss of
    Huang, Liu, Belongie & Kautz 2018, "Multimodal Unsupervised Image-to-Image Translation"). 0 is the photograph, 1 an
    image that has no more to do with it than another photograph.

    Args:
        found: by layer, the features of one image of each photograph.
        photos: those of the photographs, two at least.
    """
    shares = []
    for layer in STYLE_LAYERS:
        here, there = (_normalised(part[layer]) for part in (found, photos))
        apart = (there[:, None] - there[None]).square().mean(dim=2).sum(dim=1) / (len(there) - 1)
        shares.append((here - there).square().mean(dim=1) / apart.clamp_min(NOTHING))
    return torch.stack(shares).mean(dim=0)


def _normalised(features: Float[Tensor, "P C h w"]) -> Float[Tensor, "P D"]:
    mean, deviation = channel_statistics(features)
    return ((features - mean) / deviation).flatten(1)


def grey_similarity(images: Float[Tensor, "B 3 S S"], photos: Float[Tensor, "B 3 S S"]) -> Float[Tensor, " B"]:
    """Return the structural similarity of each image's mean over channels and its photograph's, -1 to 1: 1 is the same.

    Over windows of 7x7 (Wang, Bovik, Sheikh & Simoncelli 2004, equation 13).
    """
    greys = (part.mean(dim=1).double().cpu().numpy() for part in (images, photos))
    return torch.tensor([_structure(a, b, data_range=1.0) for a, b in zip(*greys, strict=True)], dtype=torch.float64)
