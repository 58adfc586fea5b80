"""How a message leaves the house: one adapter a channel, all with the same small face.

An adapter module has `session()`, a context manager that gives a function delivering one message. When that function
returns, the provider has accepted the message; leaving the context only closes the line and never raises. A refusal
that no retry can change is raised as Refused; every other exception means "try again later", and TryLater may say how
much later. The message's key goes along as the provider's retry key, or as whatever it has that is nearest to one.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol

from notify.models import Message


class Refused(Exception):
    """This message can't be delivered to this recipient, now or later. The text says why."""


class TryLater(Exception):
    """It did not work this time; the text says why, without the recipient. `after`: how long to leave it alone."""

    def __init__(self, why: str, *, after: timedelta | None = None) -> None:
        super().__init__(why)
        self.after = after


Deliver = Callable[[Message], None]


class Channel(Protocol):
    def session(self) -> AbstractContextManager[Deliver]: ...
