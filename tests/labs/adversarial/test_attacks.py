"""Every attack: bounds, honesty about success, targets, seeds; and closed forms on linear models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from torch import Tensor

from adversarial.sample import digits, network
from paribus.errors import ConfigError
from paribus.labs.adversarial.attacks.apgd import APGD, TargetedAPGD
from paribus.labs.adversarial.attacks.autoattack import AutoAttack
from paribus.labs.adversarial.attacks.bounds import distance
from paribus.labs.adversarial.attacks.carlini_wagner import CarliniWagner
from paribus.labs.adversarial.attacks.deepfool import DeepFool
from paribus.labs.adversarial.attacks.elastic_net import ElasticNet
from paribus.labs.adversarial.attacks.ensemble import in_turn
from paribus.labs.adversarial.attacks.fab import TargetedFAB
from paribus.labs.adversarial.attacks.fgsm import FGSM
from paribus.labs.adversarial.attacks.losses import difference_of_logits_ratio, margin, targeted_ratio
from paribus.labs.adversarial.attacks.pgd import PGD, bim, mi_fgsm
from paribus.labs.adversarial.attacks.search import Search
from paribus.labs.adversarial.attacks.square import Square
from paribus.spec.seed import Streams

EPS = {"linf": 0.12, "l2": 1.6, "l1": 25.0, "l0": 12.0}
ORDER = {"linf": torch.inf, "l2": 2, "l1": 1}
ATTACKS: dict[str, tuple[str, Callable[..., Any]]] = {
    "fgsm": ("linf", lambda eps: FGSM(eps=eps)),
    "fgsm_l1": ("l1", lambda eps: FGSM(norm="l1", eps=eps)),
    "bim": ("linf", lambda eps: bim(eps=eps)),
    "mi_fgsm": ("linf", lambda eps: mi_fgsm(eps=eps)),
    "pgd": ("linf", lambda eps: PGD(eps=eps, steps=8, restarts=2)),
    "pgd_l2": ("l2", lambda eps: PGD(norm="l2", eps=eps, steps=8)),
    "pgd_l1": ("l1", lambda eps: PGD(norm="l1", eps=eps, steps=8)),
    "fgsm_l0": ("l0", lambda eps: FGSM(norm="l0", eps=eps)),
    "pgd_l0": ("l0", lambda eps: PGD(norm="l0", eps=eps, steps=8)),
    "apgd": ("linf", lambda eps: APGD(eps=eps, steps=10)),
    "apgd_ratio_l2": ("l2", lambda eps: APGD(norm="l2", eps=eps, steps=10, loss="ratio")),
    "apgd_t": ("linf", lambda eps: TargetedAPGD(eps=eps, steps=8, classes=3)),
    "fab": ("linf", lambda eps: TargetedFAB(eps=eps, steps=8, classes=3)),
    "fab_l2": ("l2", lambda eps: TargetedFAB(norm="l2", eps=eps, steps=8, classes=3)),
    "fab_l1": ("l1", lambda eps: TargetedFAB(norm="l1", eps=eps, steps=8, classes=3)),
    "deepfool": ("l2", lambda eps: DeepFool(eps=eps, steps=8)),
    "deepfool_linf": ("linf", lambda eps: DeepFool(norm="linf", eps=eps, steps=8)),
    "carlini_wagner": ("l2", lambda eps: CarliniWagner(eps=eps, steps=15, searches=3, first=1.0, rate=0.05)),
    "elastic_net": ("l1", lambda eps: ElasticNet(eps=eps, steps=10, searches=3, first=1.0, rate=0.05)),
    "square": ("linf", lambda eps: Square(eps=eps, queries=30)),
    "square_l2": ("l2", lambda eps: Square(norm="l2", eps=eps, queries=30)),
    "apgd_l1": ("l1", lambda eps: APGD(norm="l1", eps=eps, steps=10)),
    "apgd_t_l1": ("l1", lambda eps: TargetedAPGD(norm="l1", eps=eps, steps=10, classes=3)),
    "square_l1": ("l1", lambda eps: Square(norm="l1", eps=eps, queries=30)),
    "autoattack": ("linf", lambda eps: AutoAttack(eps=eps, steps=5, queries=10)),
    "autoattack_l1": ("l1", lambda eps: AutoAttack(norm="l1", eps=eps, steps=5, queries=10)),
}


def _model(dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    return lambda images: network()(images.to(torch.float32)).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_keeps_its_bounds_and_tells_the_truth(name: str, dtype: torch.dtype) -> None:
    norm, make = ATTACKS[name]
    images, labels = digits("test", 24)
    images, labels = images.to(dtype), labels.clone()
    labels[0] = (labels[0] + 1) % 10  # an image that the network gets wrong already
    found = make(EPS[norm])(_model(dtype), images, labels, streams=Streams(0))
    assert found.images.dtype == dtype
    assert bool(((found.images >= 0) & (found.images <= 1)).all())
    far = distance(found.images, images, norm)
    assert bool((far <= EPS[norm]).all())
    if norm in ORDER:  # in the dtype's own arithmetic too
        flat = (found.images - images).flatten(1)
        assert bool((torch.linalg.vector_norm(flat, ORDER[norm], dim=1) <= EPS[norm]).all())
    wrong = _model(dtype)(found.images).argmax(dim=1) != labels
    assert torch.equal(found.success, wrong)
    assert torch.equal(found.distance[found.success], far[found.success])
    assert bool(torch.isinf(found.distance[~found.success]).all())
    assert bool(found.success[0])
    assert float(found.distance[0]) == 0
    assert int(found.queries[0]) == int(found.queries.min())
    assert torch.equal(found.images[~found.success], images[~found.success])
    assert int(found.success.sum()) > 1


@pytest.mark.parametrize("name", ATTACKS)
def test_a_targeted_attack_wants_its_class(name: str) -> None:
    norm, make = ATTACKS[name]
    images, labels = digits("test", 16)
    target = (labels + 1) % 10
    found = make(3 * EPS[norm])(network(), images, labels, streams=Streams(0), target=target)
    answer = network()(found.images).argmax(dim=1)
    assert bool((answer[found.success] == target[found.success]).all())
    assert not bool((answer[~found.success] == target[~found.success]).any())
    assert bool((distance(found.images, images, norm) <= 3 * EPS[norm]).all())
    weak = ("fgsm", "fgsm_l1", "fgsm_l0", "square", "square_l2", "square_l1", "fab_l1", "pgd_l1", "elastic_net")
    if name not in weak:  # in so few steps
        assert int(found.success.sum()) > 0


@pytest.mark.parametrize("name", ["pgd", "apgd", "apgd_t", "square", "square_l2", "apgd_l1", "square_l1"])
def test_a_seed_gives_the_same_bits_and_no_image_disturbs_another(name: str) -> None:
    norm, make = ATTACKS[name]
    images, labels = digits("test", 12)
    attack = make(EPS[norm] * {"square": 1.5, "square_l2": 4.0, "square_l1": 3.0}.get(name, 0.5))
    first, again, other = (attack(network(), images, labels, streams=Streams(seed)) for seed in (3, 3, 4))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.queries, again.queries)
    assert not torch.equal(first.images, other.images)
    spoilt = labels.clone()
    spoilt[5] = (spoilt[5] + 1) % 10  # it is wrong at once and leaves the batch
    rest = attack(network(), images, spoilt, streams=Streams(3))
    kept = torch.arange(12) != 5
    assert torch.equal(first.success[kept], rest.success[kept])
    assert torch.allclose(first.images[kept], rest.images[kept], atol=1e-5)


def test_pgd_is_the_loop_of_its_formula() -> None:
    images, labels = digits("test", 6)
    eps, steps = 0.03, 5
    found = PGD(eps=eps, steps=steps, step=0.4, random_start=False, loss="cross_entropy")(
        network(), images, labels, streams=Streams(0)
    )
    for image, label, got, success in zip(images, labels, found.images, found.success, strict=True):
        point = image.clone()
        for _ in range(steps):
            if int(network()(point[None]).argmax()) != int(label):
                break
            point.requires_grad_()
            F.cross_entropy(network()(point[None]), label[None]).backward()
            assert point.grad is not None
            point = (point.detach() + 0.4 * eps * point.grad.sign()).clamp(image - eps, image + eps).clamp(0, 1)
        if bool(success):
            assert torch.allclose(got, point.detach(), atol=1e-6)
        else:
            assert int(network()(point.detach()[None]).argmax()) == int(label)


def _linear(seed: int) -> tuple[Callable[[Tensor], Tensor], Tensor, Tensor, Tensor]:
    """Return a linear model of ten classes, images in the middle of [0, 1], and the least L2, Linf, L1 distances."""
    random = np.random.default_rng(seed)
    weights = torch.from_numpy(random.normal(0, 1, (10, 48))).float()
    images = torch.from_numpy(0.5 + 0.02 * random.normal(0, 1, (8, 3, 4, 4))).float()

    def model(x: Tensor) -> Tensor:
        return x.flatten(1) @ weights.T

    logits = model(images)
    labels = logits.argmax(dim=1)
    gaps = logits.gather(1, labels[:, None]) - logits
    between = weights[None] - weights[labels][:, None]
    least = [
        (gaps / between.norm(order, dim=2)).masked_fill(gaps == 0, torch.inf).amin(dim=1)
        for order in (2, 1, float("inf"))
    ]
    return model, images, labels, torch.stack(least)


@pytest.mark.parametrize(
    ("attack", "row", "within"),
    [
        (DeepFool(), 0, 1.05),
        (DeepFool(norm="linf"), 1, 1.05),
        (TargetedFAB(norm="l2", steps=20), 0, 1.02),
        (TargetedFAB(norm="linf", steps=20), 1, 1.02),
        (TargetedFAB(norm="l1", steps=20), 2, 1.1),
        (CarliniWagner(steps=300, searches=8, first=0.1, rate=0.01), 0, 1.06),
    ],
    ids=lambda value: type(value).__name__ + getattr(value, "norm", "") if not isinstance(value, int | float) else "",
)
def test_a_linear_model_is_fooled_at_the_distance_of_its_nearest_face(attack: Any, row: int, within: float) -> None:
    model, images, labels, least = _linear(0)
    found = attack(model, images, labels, streams=Streams(0))
    assert bool(found.success.all())
    assert bool((found.distance >= least[row] * (1 - 1e-4)).all())
    assert bool((found.distance <= least[row] * within + 1e-3).all())


@pytest.mark.parametrize("attack", [CarliniWagner, ElasticNet])
def test_a_find_has_the_margin_that_was_asked_for(attack: Callable[..., Any]) -> None:
    images, labels = digits("test", 16)
    found = [
        attack(steps=40, searches=4, first=1.0, rate=0.05, confidence=confidence)(
            network(), images, labels, streams=Streams(0)
        )
        for confidence in (0.0, 2.0)
    ]
    both = found[0].success & found[1].success
    assert int(both.sum()) > 8
    assert bool((margin(network()(found[1].images), labels)[found[1].success] >= 2).all())
    assert bool((margin(network()(found[0].images), labels)[both] < 2).any())
    assert bool((found[1].distance[both] > found[0].distance[both]).all())


def test_the_rivals_of_an_image_never_hold_its_label() -> None:
    images, labels = digits("test", 8)
    wrong = (labels + 3) % 10  # as of an image that a random model gets wrong by chance
    rivals = Search(network(), images, wrong, norm="linf").rivals
    logits = network()(images)
    for row in range(8):
        order = sorted((k for k in range(10) if k != int(wrong[row])), key=lambda k: -float(logits[row, k]))
        assert rivals[row].tolist() == order


def test_the_elastic_net_is_sparser_than_carlini_and_wagner() -> None:
    images, labels = digits("test", 12)
    sparse = ElasticNet(steps=60, searches=4, first=1.0, rate=0.05, beta=0.05)(
        network(), images, labels, streams=Streams(0)
    )
    dense = CarliniWagner(steps=60, searches=4, first=1.0, rate=0.05)(network(), images, labels, streams=Streams(0))
    both = sparse.success & dense.success
    assert int(both.sum()) > 8
    l1 = [distance(found.images, images, "l1")[both].median() for found in (sparse, dense)]
    assert l1[0] < l1[1]


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(4, 9))
def test_losses_are_those_of_a_loop(seed: int, classes: int) -> None:
    random = np.random.default_rng(seed)
    logits, labels = random.normal(0, 3, (5, classes)), random.integers(0, classes, 5)
    target = (labels + 1) % classes
    z, y, t = torch.from_numpy(logits), torch.from_numpy(labels), torch.from_numpy(target)
    for row in range(5):
        other = max(logits[row, k] for k in range(classes) if k != labels[row])
        top = sorted(logits[row], reverse=True)
        gap = other - logits[row, labels[row]]
        assert float(margin(z, y)[row]) == pytest.approx(gap)
        assert float(difference_of_logits_ratio(z, y)[row]) == pytest.approx(gap / (top[0] - top[2]))
        gain = logits[row, target[row]] - logits[row, labels[row]]
        assert float(targeted_ratio(z, y, t)[row]) == pytest.approx(gain / (top[0] - (top[2] + top[3]) / 2))


@pytest.mark.parametrize("loss", [margin, difference_of_logits_ratio, F.cross_entropy])
def test_gradients_of_losses_in_float64(loss: Callable[..., Tensor]) -> None:
    logits = torch.from_numpy(np.random.default_rng(0).normal(0, 2, (4, 6))).requires_grad_()
    labels = torch.tensor([0, 1, 2, 3])
    assert torch.autograd.gradcheck(lambda z: loss(z, labels), logits)
    assert torch.autograd.gradcheck(lambda z: targeted_ratio(z, labels, (labels + 1) % 6), logits)


def test_stronger_attacks_break_no_fewer_images() -> None:
    images, labels = digits("test", 50)
    eps = 0.06
    broken = {
        name: int(attack(network(), images, labels, streams=Streams(0)).success.sum())
        for name, attack in {
            "fgsm": FGSM(eps=eps),
            "pgd": PGD(eps=eps, steps=20),
            "autoattack": AutoAttack(eps=eps, steps=15, queries=20),
        }.items()
    }
    assert broken["fgsm"] <= broken["pgd"] <= broken["autoattack"]
    assert broken["fgsm"] < broken["autoattack"]


def test_apgd_in_l1_breaks_no_fewer_images_than_pgd_and_elastic_nets() -> None:
    images, labels = digits("test", 40)
    broken = {
        name: attack(network(), images, labels, streams=Streams(0)).success
        for name, attack in {
            "pgd": PGD(norm="l1", eps=12.0, steps=30),
            "elastic_net": ElasticNet(eps=12.0, steps=30, searches=5, first=1.0),
            "apgd": APGD(norm="l1", eps=12.0, steps=30),
        }.items()
    }
    count = {name: int(success.sum()) for name, success in broken.items()}
    assert count["apgd"] > max(count["pgd"], count["elastic_net"])
    assert count["apgd"] < 40


@pytest.mark.parametrize("seed", range(3))
def test_apgd_in_l1_finds_what_a_linear_program_says_is_there(seed: int) -> None:
    """Of a linear model of two classes, in whose optimum many pixels are black or white."""
    random = np.random.default_rng(seed)
    weight, images = random.normal(0, 1, 48), random.random((6, 48))
    shift = np.quantile(images @ weight, 0.5) - 1.5 * np.abs(weight).sum() / 8
    least = []
    for image in images:
        gap, into = abs(image @ weight - shift), -np.sign(image @ weight - shift) * weight
        room = np.where(into > 0, 1 - image, image)
        least.append(linprog(np.ones(48), A_eq=np.abs(weight)[None], b_eq=[gap], bounds=[(0, u) for u in room]).fun)

    def model(x: Tensor) -> Tensor:
        score = x.flatten(1) @ torch.from_numpy(weight).float() - shift
        return torch.stack([score, -score], dim=1)

    pixels = torch.from_numpy(images).float().view(6, 3, 4, 4)
    for place, distance_of_one in enumerate(least):
        one = pixels[place : place + 1]
        label = model(one).argmax(dim=1)
        found = [
            bool(APGD(norm="l1", eps=share * distance_of_one, steps=60)(model, one, label, streams=Streams(0)).success)
            for share in (0.99, 1.06)
        ]
        assert found == [False, True]


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.floats(0.05, 60), st.sampled_from(("apgd", "square")),
       st.sampled_from((torch.float32, torch.bfloat16)))  # fmt: skip
def test_points_that_l1_attacks_show_and_return_are_in_the_ball_and_the_box(
    seed: int, eps: float, name: str, dtype: torch.dtype
) -> None:
    random = np.random.default_rng(seed)
    weights = torch.from_numpy(random.normal(0, 1, (4, 192))).to(dtype)
    images = torch.from_numpy(random.random((5, 3, 8, 8)).round(random.integers(0, 4))).to(dtype)
    labels = torch.from_numpy(random.integers(0, 4, 5))
    shown: list[Tensor] = []

    def model(x: Tensor) -> Tensor:
        shown.append(x.detach())
        return x.flatten(1) @ weights.T

    attack = APGD(norm="l1", eps=eps, steps=8) if name == "apgd" else Square(norm="l1", eps=eps, queries=8)
    found = attack(model, images, labels, streams=Streams(seed))  # type: ignore[operator]
    for points in [found.images, *shown]:
        assert points.dtype == dtype
        assert bool(((points >= 0) & (points <= 1)).all())
    far = distance(found.images, images, "l1")
    assert bool((far <= eps).all())
    assert bool(((found.images - images).abs().flatten(1).sum(dim=1) <= eps).all())
    assert torch.equal(found.success, model(found.images).float().argmax(dim=1) != labels)


def test_only_survivors_go_on() -> None:
    images, labels = digits("test", 60)
    first, second = PGD(eps=0.05, steps=3), PGD(eps=0.08, steps=20)
    alone = first(network(), images, labels, streams=Streams(0))
    both, left = in_turn({"first": first, "second": second}, network(), images, labels, streams=Streams(0))
    assert torch.equal(both.images[alone.success], alone.images[alone.success])
    assert torch.equal(both.queries[alone.success], alone.queries[alone.success])
    assert left["first"] == int((~alone.success).sum()) > left["second"] == int((~both.success).sum())
    assert bool((both.queries[~alone.success] > alone.queries[~alone.success]).all())


@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_what_is_found_in_16_bits_float32_confirms(half: str) -> None:
    images, labels = digits("test", 60)
    exact, screened = (
        PGD(eps=0.08, steps=15, precision=precision)(network(), images, labels, streams=Streams(0))
        for precision in ("float32", half)
    )
    assert torch.equal(network()(screened.images).argmax(dim=1) != labels, screened.success)
    assert abs(int(exact.success.sum()) - int(screened.success.sum())) <= 2


def test_square_follows_its_schedule() -> None:
    square = Square(queries=5000, rescale=False)
    assert [square.side(query, 32, 32) for query in (0, 10, 11, 51, 201, 501, 1001, 2001, 4001)] == [
        29, 29, 20, 14, 10, 7, 5, 4, 3
    ]  # fmt: skip
    assert Square(queries=100).side(99, 32, 32) == 1
    for norm in ("l2", "l1"):
        assert all(Square(norm=norm, queries=100).side(query, 32, 32) % 2 == 1 for query in range(2, 100))


@pytest.mark.parametrize("targeted", [False, True])
def test_square_finds_the_same_whether_the_network_shows_its_layers_or_not(targeted: bool) -> None:
    """Shown, only what a square changes is computed; then what looks broken is asked once more."""
    images, labels = digits("test", 40)
    target = (labels + 1) % 10 if targeted else None
    shapes: set[int] = set()

    def opaque(points: Tensor) -> Tensor:
        shapes.add(len(points))
        found: Tensor = network()(points)
        return found

    attack = Square(eps=0.3 if targeted else 0.15, queries=200)
    whole, part = (attack(model, images, labels, streams=Streams(0), target=target) for model in (opaque, network()))
    assert len(shapes) > 1
    assert 0 < int(whole.success.sum()) < 40
    assert torch.equal(whole.success, part.success)
    assert torch.allclose(whole.images, part.images, rtol=0, atol=1e-6)
    more = part.queries - whole.queries
    assert bool(((more == 0) | ((more == 1) & whole.success)).all())
    assert bool(more.any())


@pytest.mark.parametrize(
    "make",
    [
        lambda: PGD(steps=0),
        lambda: PGD(loss="other"),
        lambda: APGD(norm="l0"),
        lambda: AutoAttack(norm="l0"),
        lambda: APGD(eps=float("inf")),
        lambda: TargetedAPGD(eps=float("inf")),
        lambda: Square(eps=float("inf")),
        lambda: TargetedFAB(norm="l0"),
        lambda: Square(norm="l0"),
        lambda: DeepFool(norm="l1"),
        lambda: DeepFool(candidates=1),
        lambda: TargetedFAB(norm="l3"),
        lambda: CarliniWagner(searches=0),
        lambda: ElasticNet(steps=0),
    ],
)
def test_senseless_settings_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigError):
        make()


@pytest.mark.slow
@pytest.mark.parametrize(("norm", "name", "eps"), [("linf", "Linf", 0.06), ("l2", "L2", 0.9)])
def test_autoattack_agrees_with_the_public_one_within_an_image(norm: str, name: str, eps: float) -> None:
    torchattacks = pytest.importorskip("torchattacks")
    images, labels = digits("test", 200)
    ours = AutoAttack(norm=norm, eps=eps)(network(), images, labels, streams=Streams(0))
    with torch.random.fork_rng(devices=[]):
        theirs = torchattacks.AutoAttack(network(), norm=name, eps=eps, seed=0)(images, labels)
    broken = network()(theirs).argmax(dim=1) != labels
    assert 20 < int(broken.sum()) < 190
    assert abs(int(broken.sum()) - int(ours.success.sum())) <= 1
