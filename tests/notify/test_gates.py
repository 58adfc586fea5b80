import pytest

from notify import gates
from notify.gates import Allow, NoGate, gate_for, register_gate


@pytest.fixture(autouse=True)
def _own_register(monkeypatch):
    monkeypatch.setattr(gates, "_gates", {})


def test_register_gate_twice_with_the_same_gate_is_once():
    def gate(message, at):
        return Allow()

    register_gate("p", gate)
    register_gate("p", gate)
    assert gate_for("p") is gate


def test_register_gate_refuses_a_second_gate_for_a_purpose():
    register_gate("p", lambda message, at: Allow())
    with pytest.raises(ValueError, match="already has a gate"):
        register_gate("p", lambda message, at: Allow())


def test_gate_for_an_unknown_purpose_says_what_to_do():
    with pytest.raises(NoGate, match=r"register_gate\(\) in the ready\(\)"):
        gate_for("p")
