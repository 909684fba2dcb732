"""Where results live: one database, and the arrays beside it by content hash."""

from paribus.store.records import Look, Note, TrialRecord
from paribus.store.store import Store

__all__ = ["Look", "Note", "Store", "TrialRecord"]
