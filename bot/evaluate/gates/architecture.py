"""architecture: the model was trained and measured on one of the named processor architectures."""

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.interface import Finding
from bot.specs.gates import Architecture


def judge(gate: Architecture, evidence: Evidence) -> Finding:
    """From what training recorded of its machine."""
    ran = evidence.training.machine.architecture
    names = " or ".join(gate.allowed)
    if ran in gate.allowed:
        return Finding("pass", "gate_passed", f"It was trained on {ran}.")
    return Finding("fail", "architecture_refused", f"It was trained on {ran}; it must be {names}.")
