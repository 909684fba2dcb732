"""The tables as they are after the last migration, for queries; ``migrations`` makes them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Column, Double, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Real(TypeDecorator[float]):
    """A float that may be any float: SQLite has no NaN and stores NULL for it, so NULL reads as NaN everywhere."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> float | None:
        """Write NaN as NULL."""
        return None if math.isnan(value) else float(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> float:
        """Read NULL as NaN."""
        return math.nan if value is None else float(value)


class Prose(TypeDecorator[str]):
    """Text from anywhere, a traceback say: what no database takes (NUL, half a surrogate pair) is written as U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write the text in characters that can be encoded."""
        if value is None:
            return None
        return re.sub("[\x00\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", value)


class Moment(TypeDecorator[datetime]):
    """A time in UTC, kept as ISO 8601 text to the microsecond, which sorts as time does."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write the time in UTC."""
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read the time."""
        return None if value is None else datetime.fromisoformat(value)


def pack(correct: NDArray[np.bool_]) -> bytes:
    """Return (N,) booleans as ceil(N / 8) bytes, the first example in the highest bit."""
    return np.packbits(np.asarray(correct, dtype=np.bool_)).tobytes()


def unpack(bits: bytes, count: int) -> NDArray[np.bool_]:
    """Return the first *count* booleans of *bits*: the inverse of :func:`pack`."""
    return np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=count).astype(np.bool_)


metadata = MetaData()

migrations = Table(
    "migrations",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("what", Text, nullable=False),
    Column("applied", Moment, nullable=False),
)
environments = Table(
    "environments",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("environment", Text, nullable=False),
)
experiments = Table(
    "experiments",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("lab", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("changes", Text, nullable=False),
    Column("config", Text, nullable=False),
)
trials = Table(
    "trials",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("experiment", Text, nullable=False),
    Column("lab", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("device", Text, nullable=False),
    Column("threads", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("started", Moment),
    Column("finished", Moment),
    Column("outcome", Text),
    Column("seconds", Real),
    Column("message", Prose, nullable=False),
    Column("conductor", Text),
)
metrics = Table(
    "metrics",
    metadata,
    Column("trial", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("value", Real),
)
scalars = Table(
    "scalars",
    metadata,
    Column("trial", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("step", BigInteger, primary_key=True, autoincrement=False),
    Column("value", Real),
)
outcomes = Table(
    "outcomes",
    metadata,
    Column("trial", BigInteger, primary_key=True, autoincrement=False),
    Column("metric", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("bits", LargeBinary, nullable=False),
)
artifacts = Table(
    "artifacts",
    metadata,
    Column("trial", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
)
notes = Table(
    "notes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("about", Prose, nullable=False),
    Column("text", Prose, nullable=False),
    Column("author", Text, nullable=False),
    Column("written", Moment, nullable=False),
)
aliases = Table(
    "aliases",
    metadata,
    Column("alias", Text, primary_key=True),
    Column("name", Text, nullable=False),
)
looks = Table(
    "looks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("seeds", BigInteger, nullable=False),
    Column("summary", Text, nullable=False),
    Column("looked", Moment, nullable=False),
)
