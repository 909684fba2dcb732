"""What the page about the store shows can be run as it stands."""

import re
import sqlite3
from pathlib import Path

import numpy as np

from paribus.spec.trial import Event, Finished
from paribus.store import Store

from .registering import register

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "store.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_python_on_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")
    exec(compile(code, str(PAGE), "exec"), {})
    assert "person Trains faster; is it the norm?" in capsys.readouterr().out


def test_the_query_on_the_page_gives_the_mean_of_each_experiment(tmp_path, make_trials):
    trials = make_trials(3) + make_trials(2, "fast")
    with Store.open(str(tmp_path / "store.sqlite")) as store:
        register(store, trials)
        store.write([Event(t.key, Finished("completed", {"accuracy": t.seed / 4})) for t in trials])
    (query,) = blocks("sql")
    connection = sqlite3.connect(tmp_path / "store.sqlite")
    rows = connection.execute(query).fetchall()
    connection.close()
    assert sorted(rows) == [("toy/base", 3, np.mean([0, 0.25, 0.5])), ("toy/fast", 2, 0.125)]
