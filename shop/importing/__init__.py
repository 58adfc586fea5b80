"""Bringing years of real purchases along: four masters as CSV, checked line by line and written whole or not at all."""

from shop.importing.problems import Stopped
from shop.importing.report import Counts, Outcome, Reject, Rejects
from shop.importing.run import import_history
from shop.importing.spec import FILES, Options

__all__ = ["FILES", "Counts", "Options", "Outcome", "Reject", "Rejects", "Stopped", "import_history"]
