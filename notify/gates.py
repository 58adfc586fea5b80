"""Whether a message may go at this moment: asked of the app that owns its purpose, right before sending.

notify knows nobody. Consent, quiet hours and whether the reason for a message still holds are known to the app that
wrote it, which registers a gate for its purpose at start-up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from notify.models import Message


@dataclass(frozen=True, slots=True)
class Allow:
    """Send it now."""


@dataclass(frozen=True, slots=True)
class Deny:
    """Never send it; `reason` (64 characters at most) is kept with the message."""

    reason: str


@dataclass(frozen=True, slots=True)
class Later:
    """Ask again at `until`."""

    until: datetime


Answer = Allow | Deny | Later
Gate = Callable[[Message, datetime], Answer]

_gates: dict[str, Gate] = {}


class NoGate(LookupError):
    """Nobody registered a gate for the purpose, so nobody could say whether the message may go."""

    def __init__(self, purpose: str) -> None:
        super().__init__(
            f"no gate is registered for the purpose {purpose!r}; call notify.gates.register_gate() in the ready() of "
            "the app that owns it"
        )


def register_gate(purpose: str, gate: Gate) -> None:
    """From now on `gate(message, at)` decides about messages of `purpose`. ValueError if another one already does."""
    if _gates.get(purpose, gate) is not gate:
        raise ValueError(f"the purpose {purpose!r} already has a gate")
    _gates[purpose] = gate


def gate_for(purpose: str) -> Gate:
    """The gate of a purpose. Raises NoGate."""
    try:
        return _gates[purpose]
    except KeyError:
        raise NoGate(purpose) from None
