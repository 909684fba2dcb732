from __future__ import annotations

from pathlib import Path

import pytest

from paribus.analysis import judge, read_table
from paribus.errors import DataError

LONG = "arm,seed,accuracy\nbase,0,0.50\nbase,1,0.52\nbase,2,0.51\npool,0,0.60\npool,1,0.63\npool,2,0.61\n"


@pytest.fixture
def write(tmp_path: Path):
    def save(text: str | bytes, name: str = "results.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return save


def test_long_form(write) -> None:
    table = read_table(write(LONG), control="base", metric="accuracy")
    assert table.control.scores == {0: 0.50, 1: 0.52, 2: 0.51}
    assert [arm.name for arm in table.arms] == ["pool"]
    assert table.notes == ()
    verdict = judge(table.control, table.arms, direction="max", margin=0.0, alpha=0.05)[0]
    assert (verdict.verdict, verdict.n) == ("better", 3)


@pytest.mark.parametrize(
    "text",
    [
        LONG.replace(",", ";"),
        LONG.replace(",", "\t"),
        "\ufeff" + LONG.replace("\n", "\r\n"),
        LONG.replace("\n", "\n\n"),
        "seed,base,pool\n0,0.50,0.60\n1,0.52,0.63\n2,0.51,0.61\n",
        "seed,base - accuracy,pool - accuracy,pool - accuracy__MIN\n0,0.50,0.60,0\n1,0.52,0.63,0\n2,0.51,0.61,0\n",
        ",base,pool\n0,0.50,0.60\n1,0.52,0.63\n2,0.51,0.61\n",
        LONG.replace("arm,seed,accuracy", "Name,config.seed,summary/accuracy"),
        "Run ID,Name,params.seed,params.arm,metrics.accuracy\n"
        + "".join(
            f"{line[0]},run,{line.split(',')[1]},{line.split(',')[0]},{line.split(',')[2]}\n"
            for line in LONG.splitlines()[1:]
        ),
        "arm,seed_0,seed_1,seed_2\nbase,0.50,0.52,0.51\npool,0.60,0.63,0.61\n",
        "Name,State,random_seed,accuracy,lr\nbase,finished,0,0.50,1\nbase,finished,1,0.52,1\nbase,finished,2,0.51,1\n"
        "pool,finished,0,0.60,2\npool,finished,1,0.63,2\npool,finished,2,0.61,2\n",
    ],
)
def test_every_form_gives_the_same_arms(write, text: str) -> None:
    expected = read_table(write(LONG, "long.csv"), control="base", metric="accuracy")
    column = next((name for name in ("summary/accuracy", "metrics.accuracy") if name in text), "accuracy")
    table = read_table(write(text), control="base", metric=column)
    assert (table.control, table.arms) == (expected.control, expected.arms)


def test_columns_are_guessed_and_the_guess_is_said(write) -> None:
    table = read_table(write(LONG.replace("arm,seed", "Experiment,Seed")), control="base")
    assert table.metric == "accuracy"
    assert "column 'Experiment' was taken as the arm" in table.notes
    assert "column 'accuracy' was taken as the metric" in table.notes


def test_diverged_missing_failed_and_cost(write) -> None:
    text = (
        "arm,seed,acc,state,runtime\nbase,0,0.5,finished,10\nbase,1,0.5,finished,20\nbase,2,,running,\n"
        "pool,0,nan,finished,5\npool,1,inf,finished,5\npool,2,0.7,finished,30\npool,3,,crashed,1\n"
    )
    table = read_table(write(text), control="base", metric="acc")
    (pool,) = table.arms
    assert (pool.scores, pool.diverged, pool.failed, pool.seconds) == ({2: 0.7}, (0, 1), (3,), 30.0)
    assert (table.control.scores, table.control.seconds) == ({0: 0.5, 1: 0.5}, 15.0)
    assert any("paired with 'base' on 0 seeds; left out: 0, 1, 2" in note for note in table.notes)
    assert "'pool' diverged on 2 of 3 seeds" in table.notes


def test_a_run_that_goes_on_is_left_out_and_said(write) -> None:
    text = (
        "arm,seed,acc,state\nbase,0,0.5,finished\nbase,1,0.5,\nbase,2,0.1,Running\nbase,2,0.6,FINISHED\n"
        "pool,0,0.7,completed\npool,1,0.2,preempted\npool,2,0.7,killed\n"
    )
    table = read_table(write(text), control="base", metric="acc")
    assert table.control.scores == {0: 0.5, 1: 0.5, 2: 0.6}
    assert (table.arms[0].scores, table.arms[0].failed) == ({0: 0.7}, (2,))
    assert "'base', seed 2: left out, for its state is 'running' and not finished (line 4)" in table.notes
    assert "'pool', seed 1: left out, for its state is 'preempted' and not finished (line 7)" in table.notes


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (LONG + "pool,1,0.64\n", {}, "line 8: arm 'pool' has seed 1 already, on line 6"),
        (LONG.replace("0.63", "high"), {"metric": "accuracy"}, "line 6: the metric of arm 'pool', seed 1 is 'high'"),
        (LONG.replace("pool,1", "pool,one"), {}, "line 6: the seed of arm 'pool' is 'one', not a whole number"),
        (LONG.replace("pool,1", ",1"), {}, "line 6: the arm has no name"),
        (LONG + "pool,3\n", {}, "line 8: 2 cells, but the header has 3"),
        (LONG, {"control": "bass"}, "no arm is called 'bass' — did you mean 'base'"),
        (LONG, {"metric": "acuracy"}, "line 1: no metric column is called 'acuracy' — did you mean 'accuracy'"),
        (LONG, {"arm": "arms"}, "line 1: no column is called 'arms' — did you mean 'arm'"),
        (LONG.replace("accuracy", "seed"), {}, "line 1: two columns are called 'seed'"),
        (LONG.replace("arm,seed", "colour,size"), {}, "line 1: which column is the arm"),
        (LONG.replace("arm,seed", "arm,size"), {"metric": "accuracy"}, "line 1: which column is the seed"),
        ("arm,seed,f1,auc\nbase,0,1,2\npool,0,1,2\n", {}, "line 1: which column is the metric.*f1, auc"),
        ("arm,seed,x\nbase,0,1\n", {}, "'base' is the only arm"),
        (
            "arm,seed,note\nbase,0,fine\npool,0,good\n",
            {},
            "line 1: which column is the metric.*none holds numbers: note",
        ),
        (LONG.replace("0.63", "oops"), {}, "line 6: the metric of arm 'pool', seed 1 is 'oops', not a number$"),
        (LONG.replace(",0.", ",0,"), {}, "line 2: 4 cells, but the header has 3"),
        (LONG.replace("0.50", '"0,50"'), {}, "line 2: .* is '0,50', not a number: write a decimal point"),
        (LONG.replace(",", ";").replace("0.50", "0,50"), {}, "line 2: .* is '0,50', not a number"),
        (LONG.replace("\n", "%\n").replace("y%", "y"), {}, "line 2: .* is '0.50%', not a number: write 0.50, without"),
        (
            LONG.replace("seed,acc", "seed,epoch,acc").replace(",0.", ",9,0.") + "pool,2,10,0.7\n",
            {},
            "'epoch': keep the l",
        ),
        (
            LONG.replace("pool,2", "pool,1"),
            {},
            "line 7: arm 'pool' has seed 1 already, on line 6; keep one row of them",
        ),
        (LONG.replace("pool,2", "pool,1e18"), {}, "line 7: the seed of arm 'pool' is '1e18', not a whole number"),
        ("seed,base,pool\n0,1,2\n", {"metric": "pool"}, "line 1: the column 'pool' is an arm"),
        ("seed,base - acc,pool - acc\n0,1,2\n", {"metric": "loss"}, "line 1: no metric is called 'loss'"),
        ("seed,base - acc,base - f1\n0,1,2\n", {}, "line 1: which metric.*there is: acc, f1"),
        ("Step,base - acc,pool - acc\n0,1,2\n", {"metric": "acc"}, "curves over 'Step'.*export the final value"),
        ("Step,base,pool\n0,1,2\n", {}, "which column is the arm.*export the final value"),
        ("seed,left,right\n0,1,2\n", {}, "none is called 'base'"),
        ("", {}, "not a table"),
        ("just words\nand more\n", {}, "not a table"),
        ('arm,seed,x\nbase,0,"1\n', {}, "line 2: not CSV"),
        (b"\xff\xfe\x00\x01", {}, "not a text file"),
        (b"a,b\x00\n1,2\n", {}, "results.csv"),
    ],
)
def test_a_wrong_table_is_refused_in_one_line(write, text: str | bytes, options: dict, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        read_table(write(text), **{"control": "base", **options})
    assert "\n" not in str(error.value)
    assert "results.csv" in str(error.value)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas_where_a_comma_separates_nothing(write, separator: str) -> None:
    expected = read_table(write(LONG, "long.csv"), control="base")
    table = read_table(write(LONG.replace(",", separator).replace(".", ",")), control="base")
    assert (table.control, table.arms, table.metric) == (expected.control, expected.arms, "accuracy")
    assert "its commas were read as decimal ones" in table.notes
    assert "its commas were read as decimal ones" not in expected.notes


def test_seeds_of_64_bits_are_kept_to_the_last_digit(write) -> None:
    rows = "".join(f"{arm},{10**18 + seed},{seed}\n" for arm in ("base", "pool") for seed in range(4))
    table = read_table(write(f"arm,seed,x\n{rows}"), control="base")
    assert table.control.scores == {10**18 + seed: float(seed) for seed in range(4)}
    assert table.arms[0].seeds == table.control.seeds


def test_a_table_with_one_arm_a_column_names_its_metric_or_takes_a_name(write) -> None:
    wide = "seed,base,pool\n0,0.50,0.60\n1,0.52,0.63\n"
    plain = read_table(write(wide), control="base")
    assert (plain.metric, plain.labelled) == ("score", False)
    named = read_table(write(wide), control="base", metric="accuracy")
    assert (named.metric, named.labelled) == ("accuracy", True)
    told = read_table(write(wide.replace("base", "base - f1").replace("pool", "pool - f1")), control="base")
    assert (told.metric, told.labelled, told.arms[0].name) == ("f1", False, "pool")
    dashes = read_table(write("seed,lr - 1,lr - 2\n0,0.50,0.60\n"), control="lr - 1")
    assert [arm.name for arm in dashes.arms] == ["lr - 2"]


def test_a_bad_cell_does_not_let_another_column_be_the_metric(write) -> None:
    text = "arm,seed,accuracy,lr\nbase,0,0.5,1\nbase,1,0.5,1\npool,0,oops,2\npool,1,0.6,2\n"
    with pytest.raises(DataError, match=r"line 4: .* is 'oops', not a number"):
        read_table(write(text), control="base")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path / "nothing.csv", control="base")
