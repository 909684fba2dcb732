"""Changes: they make exactly the difference that they name, and fail loudly otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.errors import ChangeError
from paribus.spec.change import Change, OneOf, spell, word


@dataclass(frozen=True)
class Optimiser:
    rate: float = 0.1
    momentum: float = 0.0


@dataclass(frozen=True)
class Adam:
    rate: float = 0.001


@dataclass(frozen=True)
class Recipe:
    optimiser: Optimiser | Adam = field(default_factory=Optimiser)
    notes: tuple[str, ...] = ()
    passes: int = 20
    size: int = 64


@dataclass(frozen=True)
class Config:
    width: int = 16
    pool: str = "max"
    optimiser: Optimiser = field(default_factory=Optimiser)
    recipe: Recipe | Adam = field(default_factory=Recipe)


AVERAGE = Change(name="average", doc="Average pooling.", path="pool", before="max", after="average")
WIDTH = Change(name="width", doc="Channels.", path="width", before=16, after=lambda width: width, parameter=int)
RATE = Change(name="rate", doc="Step.", path="optimiser.rate", before=0.1, after=lambda rate: rate, parameter=float)


def test_a_change_replaces_one_field_and_leaves_the_original_alone() -> None:
    baseline = Config()
    assert AVERAGE.bind(None).apply(baseline) == Config(pool="average")
    assert baseline == Config()


def test_a_dotted_path_reaches_a_nested_field() -> None:
    assert RATE.bind("0.3").apply(Config()) == Config(optimiser=Optimiser(rate=0.3))


def test_a_change_refuses_a_value_that_it_does_not_expect() -> None:
    with pytest.raises(ChangeError, match="expects pool = 'max', but it is 'average'"):
        AVERAGE.bind(None).apply(Config(pool="average"))


def test_one_of_accepts_each_of_its_values_and_no_other() -> None:
    change = Change(name="lp", doc="Lp.", path="pool", before=OneOf(("max", "average")), after="lp")
    assert change.bind(None).apply(Config(pool="average")).pool == "lp"
    with pytest.raises(ChangeError, match="'max' or 'average'"):
        change.bind(None).apply(Config(pool="median"))


MODERN = Change(name="modern", doc="A recipe.", path="recipe", before=Recipe(), after=Recipe(passes=40))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Recipe(Optimiser(momentum=0.9)), "recipe.optimiser.momentum = 0.0, but it is 0.9"),
        (Recipe(Adam()), "recipe.optimiser = Optimiser, but it is Adam"),
        (Adam(), "recipe = Recipe, but it is Adam"),
        (Recipe(passes=1, size=2), "recipe.passes = 20, but it is 1; recipe.size = 64, but it is 2"),
        (
            Recipe(Optimiser(0.2, 0.9), ("x",), 1, 2),
            "recipe.optimiser.rate = 0.1, but it is 0.2; recipe.optimiser.momentum = 0.0, but it is 0.9; "
            "recipe.notes = (), but it is ('x',); 2 more fields differ",
        ),
        (Recipe(notes=("x" * 1000,)), f"recipe.notes = (), but it is ('{'x' * 58}..."),
    ],
)
def test_where_a_value_has_fields_those_that_contradict_are_named(found: Recipe | Adam, said: str) -> None:
    with pytest.raises(ChangeError) as refused:
        MODERN.bind(None).apply(Config(recipe=found))
    assert str(refused.value) == f"change 'modern' does not apply: it expects {said}"


def test_of_several_expected_values_the_nearest_contradicts() -> None:
    near, far = Recipe(passes=40, size=32), Recipe(Adam(), ("x",), 1, 2)
    change = Change(name="modern", doc="A recipe.", path="recipe", before=OneOf((far, near)), after=Recipe())
    with pytest.raises(ChangeError, match=r"it expects recipe\.size = 32, but it is 8$"):
        change.bind(None).apply(Config(recipe=Recipe(passes=40, size=8)))
    with pytest.raises(ChangeError, match=r"it expects recipe = Recipe, but it is Adam$"):
        change.bind(None).apply(Config(recipe=Adam()))


def test_true_is_not_one() -> None:
    change = Change(name="x", doc="x", path="width", before=True, after=2)
    with pytest.raises(ChangeError, match="expects width = True"):
        change.bind(None).apply(Config(width=1))


def test_a_change_that_makes_no_difference_is_refused() -> None:
    with pytest.raises(ChangeError, match="makes no difference: width is 16 already"):
        WIDTH.bind("16").apply(Config())


@pytest.mark.parametrize(
    ("change", "text", "message"),
    [
        (AVERAGE, "3", "takes no parameter"),
        (WIDTH, None, "needs a parameter: write width=VALUE"),
        (WIDTH, "", "needs a parameter"),
        (WIDTH, "wide", "'wide' is not a valid int"),
        (RATE, "nan", "must be a finite number"),
    ],
)
def test_a_wrong_parameter_is_named(change: Change, text: str | None, message: str) -> None:
    with pytest.raises(ChangeError, match=message):
        change.bind(text)


def test_a_field_that_does_not_exist_is_named() -> None:
    change = Change(name="deep", doc="x", path="depth", before=1, after=2)
    with pytest.raises(ChangeError, match="Config has no field 'depth'"):
        change.bind(None).apply(Config())


def test_a_parametrised_change_needs_a_function() -> None:
    with pytest.raises(ChangeError, match="must be a function"):
        Change(name="x", doc="x", path="width", before=1, after=2, parameter=int)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_spelling_of_a_float_reads_back_as_the_same_float(value: float) -> None:
    assert float(spell(value)) == value


def test_different_writings_of_a_value_are_one_name() -> None:
    assert RATE.bind("1e-4").segment == RATE.bind("0.0001").segment == "rate=0.0001"
    assert WIDTH.bind("032").segment == "width=32"


def test_a_parameter_may_be_one_of_some_words() -> None:
    pool = Change(
        name="pool", doc="Pools.", path="pool", before="max", after=lambda kind: kind, parameter=word("average", "lp")
    )
    assert pool.bind("lp").apply(Config()) == Config(pool="lp")
    with pytest.raises(ChangeError, match=r"=mean: one of average, lp is expected$"):
        pool.bind("mean")
