"""Logs tell what happened and not to whom: no e-mails, phones, codes or tokens, whoever wrote the line."""

import logging
import re

_HIDDEN = (
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"(?<![\w+-])(\+\d{8,15}|09\d\d[ -]?\d{3}[ -]?\d{3})\b"), "[phone]"),
    (re.compile(r"\b[\w-]{4,}:[\w-]{6}:[\w-]{27,43}\b"), "[token]"),  # as Django signs
    (re.compile(r"\b(?=[a-z]*\d)[a-z0-9]{32}\b"), "[token]"),  # the key of a session
)


class DiscreetFormatter(logging.Formatter):
    """Hides them in the finished line, traceback and all: a database names the value that it refused."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(self._with_route(record))
        for pattern, instead in _HIDDEN:
            line = pattern.sub(instead, line)
        return line

    def _with_route(self, record: logging.LogRecord) -> logging.LogRecord:
        """Django logs the path of a request that failed, and a path may be a key: its pattern says as much."""
        match = getattr(getattr(record, "request", None), "resolver_match", None)
        if not match or not match.kwargs or not isinstance(record.args, tuple):
            return record
        path = record.request.path  # type: ignore[attr-defined]
        copy = logging.makeLogRecord(record.__dict__)
        copy.args = tuple(f"/{match.route}" if argument == path else argument for argument in record.args)
        return copy
