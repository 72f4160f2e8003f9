"""data_contract: the data were checked against a schema, and fit it."""

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.interface import Finding
from bot.specs.gates import DataContract


def judge(_: DataContract, evidence: Evidence) -> Finding:
    """Inconclusive without a schema: data that nobody described cannot be said to be right."""
    if evidence.contract is None:
        return Finding("inconclusive", "contract_missing", "The data have no schema.yaml to be checked against.")
    if evidence.contract:
        return Finding("pass", "gate_passed", "The data fit their schema.yaml.")
    return Finding("fail", "contract_violated", "The data do not fit their schema.yaml.")
