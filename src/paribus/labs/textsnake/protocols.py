"""The published protocols of scoring, by name; what configurations need to know of them, without what computes them."""

from typing import Literal, get_args

Protocol = Literal["deteval", "ctw1500", "icdar2015", "msra_td500"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
