"""Records for tests with sane defaults: name only what matters to the test. Additive only; shared by all folders."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from bot.records.decision import Decision, ModelVerdict, Node, Unblock
from bot.records.evaluation import (
    Budget,
    Comparison,
    Evaluation,
    GateResult,
    Metric,
    MissingBaseline,
    SliceResult,
)
from bot.records.ledger import Evaluated, Head
from bot.records.plan import DataFile, Entry, Invalid, Plan, Planned, Reason, Skipped
from bot.records.release import Release
from bot.records.training import (
    ArtifactFile,
    DroppedInput,
    Machine,
    Seconds,
    SelectionPoint,
    Training,
)

BASE = "b" * 40
HEAD = "c" * 40


def a_digest(*words: object) -> str:
    """A well-formed `sha256:` digest that differs with the words."""
    return "sha256:" + hashlib.sha256(repr(words).encode()).hexdigest()


def a_planned(model: str = "churn", **changes: Any) -> Planned:
    """A model to evaluate, because its spec changed."""
    fields: dict[str, Any] = {
        "model": model,
        "inputs_digest": a_digest("inputs", model),
        "base_inputs_digest": a_digest("base inputs", model),
        "reasons": (Reason(code="spec_changed", sentence="Its spec changed.", path=f"models/{model}/model.yaml"),),
        "data_files": (DataFile(path=f"data/{model}.parquet", md5="0" * 32, size=1024),),
        "runner": "ubuntu-24.04-arm",
        "timeout_minutes": 60,
        "risk_tier": "low",
    }
    return Planned(**{**fields, **changes})


def a_skipped(model: str = "taxi", sentence: str = "Nothing that it reads changed.") -> Skipped:
    """A model that the change does not affect."""
    return Skipped(model=model, reason=Reason(code="unaffected", sentence=sentence))


def an_invalid(model: str = "broken", **changes: Any) -> Invalid:
    """A model whose spec cannot be read."""
    fields: dict[str, Any] = {
        "model": model,
        "file": f"models/{model}/model.yaml",
        "line": 7,
        "column": 3,
        "message": "unknown estimator 'HistGradientBoostingClasifier'",
        "hint": "Did you mean HistGradientBoostingClassifier?",
    }
    return Invalid(**{**fields, **changes})


def a_plan(*entries: Entry | str, **changes: Any) -> Plan:
    """A Plan of these entries; a bare name stands for a planned model. Without entries: churn planned, taxi skipped."""
    made = [a_planned(entry) if isinstance(entry, str) else entry for entry in entries or ("churn", a_skipped())]
    made.sort(key=lambda entry: entry.model)
    fields: dict[str, Any] = {
        "base_sha": BASE,
        "head_sha": HEAD,
        "entries": tuple(made),
        "changed_paths": tuple(f"models/{entry.model}/model.yaml" for entry in made if entry.kind == "planned"),
        "change_kinds": ("spec",),
        "n_models": len(made),
    }
    return Plan(**{**fields, **changes})


def a_training(model: str = "churn", **changes: Any) -> Training:
    """A binary model of four inputs, trained on 8,000 rows and tested on 2,000."""
    digest = a_digest("artifact", model)
    fields: dict[str, Any] = {
        "model": model,
        "task": "binary",
        "inputs_digest": a_digest("inputs", model),
        "artifact_digest": digest,
        "files": (ArtifactFile(name="model.skops", sha256=digest, size=48_123),),
        "data_files": (DataFile(path=f"data/{model}.parquet", md5="0" * 32, size=1024),),
        "target": "left",
        "classes": ("no", "yes"),
        "threshold": 0.41,
        "n_train": 8000,
        "n_test": 2000,
        "test_rows_digest": a_digest("test rows", model),
        "inputs": ("age", "country", "plan", "tenure"),
        "dropped": (DroppedInput(column="customer_id", reason="id_like", detail="a value a row"),),
        "selection_method": "importance",
        "selection_curve": (
            SelectionPoint(n_inputs=1, score=0.71, standard_error=0.01),
            SelectionPoint(n_inputs=2, score=0.80, standard_error=0.009),
            SelectionPoint(n_inputs=4, score=0.86, standard_error=0.008, chosen=True),
            SelectionPoint(n_inputs=5, score=0.861, standard_error=0.008),
        ),
        "estimator": "sklearn.ensemble.HistGradientBoostingClassifier",
        "parameters": {"learning_rate": 0.1, "max_leaf_nodes": 31},
        "trials": 12,
        "scoring": "roc_auc",
        "onnx": "passed",
        "onnx_detail": "largest difference 2.0e-07",
        "warnings": (),
        "seconds": Seconds(read=0.4, select=6.1, search=20.2, fit=1.3, export=0.9),
        "peak_memory_bytes": 412_000_000,
        "machine": Machine(
            architecture="aarch64",
            cpu="Neoverse-N2",
            python="3.11.7",
            threads=1,
            blas="openblas",
            packages={"scikit-learn": "1.9.0", "numpy": "2.4.1", "skops": "0.16.0"},
        ),
    }
    return Training(**{**fields, **changes})


def a_metric(name: str = "roc_auc", value: float = 0.912, **changes: Any) -> Metric:
    """A metric of a whole test set with a 95 % interval of ± 0.009."""
    fields: dict[str, Any] = {
        "low": value - 0.009,
        "high": value + 0.009,
        "confidence": 0.95,
        "unit": "",
        "greater_is_better": True,
        "n": 2000,
    }
    return Metric(name=name, value=value, **{**fields, **changes})


def a_comparison(difference: float = 0.014, *, candidate: float = 0.912, **changes: Any) -> Comparison:
    """A paired comparison with production: 95 % interval of ± 0.006 around the difference."""
    fields: dict[str, Any] = {
        "metric": "roc_auc",
        "baseline": "production",
        "baseline_artifact_digest": a_digest("champion"),
        "candidate": candidate,
        "champion": candidate - difference,
        "difference": difference,
        "low": difference - 0.006,
        "high": difference + 0.006,
        "confidence": 0.95,
        "n": 2000,
        "n_differ": 118,
        "smallest_detectable": 0.006,
        "method": "DeLong, paired",
        "p_value": None,
    }
    return Comparison(**{**fields, **changes})


def a_slice(slice: str = "country = DE", value: float = 0.90, **changes: Any) -> SliceResult:
    """A slice of 300 rows on which candidate and champion were compared."""
    fields: dict[str, Any] = {
        "n": 300,
        "metric": "roc_auc",
        "low": value - 0.02,
        "high": value + 0.02,
        "comparison": a_comparison(0.01, candidate=value, n=300, n_differ=20, low=-0.008, high=0.028),
        "note": "",
    }
    return SliceResult(slice=slice, value=value, **{**fields, **changes})


def a_gate(gate: str = "not_worse", **changes: Any) -> GateResult:
    """A gate that passed."""
    fields: dict[str, Any] = {
        "kind": "no_regression",
        "verdict": "pass",
        "blocks": True,
        "reason_code": "gate_passed",
        "sentence": "roc_auc is not more than 0.005 below production.",
        "file": "policies/gates.yaml",
        "line": 4,
        "observed": 0.008,
        "threshold": -0.005,
        "rows_needed": None,
    }
    return GateResult(gate=gate, **{**fields, **changes})


def an_evaluation(
    model: str = "churn", *, training: Training | None = None, gates: Sequence[GateResult] | None = None, **changes: Any
) -> Evaluation:
    """A candidate that beats production; its verdict follows its blocking gates unless named."""
    trained = training or a_training(model)
    kept = tuple(gates if gates is not None else (a_gate(),))
    verdicts = {gate.verdict for gate in kept if gate.blocks}
    fields: dict[str, Any] = {
        "model": model,
        "primary_metric": "roc_auc",
        "training": trained,
        "n_test": trained.n_test,
        "metrics": (
            a_metric(),
            a_metric("log_loss", 0.312, greater_is_better=False),
            a_metric("accuracy", 0.871),
        ),
        "comparisons": (a_comparison(),),
        "missing_baselines": (
            MissingBaseline(environment="staging", reason="nothing is deployed there yet", code="nothing_deployed"),
        ),
        "slices": (a_slice("country = DE"), a_slice("country = FR", 0.93)),
        "gates": kept,
        "verdict": "fail" if "fail" in verdicts else "inconclusive" if "inconclusive" in verdicts else "pass",
        "budget": (Budget(test_rows_digest=trained.test_rows_digest, metric="roc_auc", used=3, allowed=20),),
        "operating": {"latency_p50_ms": 0.21, "latency_p99_ms": 0.9, "artifact_bytes": 48_123.0},
        "confusion": ((1480, 70), (88, 362)),
        "calibration": ((0.05, 0.04, 900), (0.25, 0.27, 500), (0.55, 0.52, 300), (0.9, 0.93, 300)),
        "sections": (),
        "policy_digest": a_digest("policy"),
        "run": {"id": 4242, "attempt": 1},
    }
    return Evaluation(**{**fields, **changes})


def a_head(*evaluations: Evaluation, **changes: Any) -> Head:
    """The digests that a pull request's head would let out."""
    made = evaluations or (an_evaluation(),)
    models = {
        one.model: Evaluated(
            inputs_digest=one.inputs_digest, evaluation_digest=one.digest(), artifact_digest=one.artifact_digest
        )
        for one in made
    }
    fields: dict[str, Any] = {
        "number": 7,
        "head_sha": HEAD,
        "base_sha": BASE,
        "models": models,
        "run_id": 4242,
        "run_attempt": 1,
        "initiator_id": 101,
    }
    return Head(**{**fields, **changes})


def a_node(name: str = "merge", status: str = "pending", **changes: Any) -> Node:
    """One judgement of a verdict tree."""
    fields: dict[str, Any] = {
        "reason_code": "approval_missing",
        "sentence": "One approval of a model owner is missing.",
        "who_can": ("model owner: olga",),
    }
    return Node(**{"name": name, "status": status, **fields, **changes})


def an_unblock(**changes: Any) -> Unblock:
    """A model owner's approval, by the command to paste."""
    fields: dict[str, Any] = {
        "who": ("model owner: olga",),
        "action": "approve churn as a model owner",
        "command": "/approve E-abcdefghijklmnop",
    }
    return Unblock(**{**fields, **changes})


def a_decision(status: str = "pending", *, models: Sequence[str] = ("churn",), **changes: Any) -> Decision:
    """A verdict on a merge: pending waits for a model owner's approval; other statuses have nothing to unblock."""
    waits = status == "pending"
    fields: dict[str, Any] = {
        "subject": "merge",
        "number": 7,
        "head_sha": HEAD,
        "status": status,
        "reason_code": "approval_missing" if waits else f"all_{status}",
        "headline": "Waits for one approval." if waits else f"The verdict is {status}.",
        "risk_tier": "low",
        "tree": a_node(status=status, sentence="One approval of a model owner is missing." if waits else "Done."),
        "models": tuple(
            ModelVerdict(
                model=model,
                status=status,
                inputs_digest=a_digest("inputs", model),
                evaluation_digest=an_evaluation(model).digest(),
                artifact_digest=a_digest("artifact", model),
                approvals=(),
            )
            for model in models
        ),
        "unblock": (an_unblock(),) if waits else (),
        "facts_digest": a_digest("facts"),
        "policy_digest": a_digest("policy"),
        "decided_at": "2026-11-23T10:00:00Z",
    }
    return Decision(**{**fields, **changes})


def a_release(model: str = "churn", **changes: Any) -> Release:
    """Live in production since noon."""
    fields: dict[str, Any] = {
        "model": model,
        "environment": "production",
        "version": "v1.0.0",
        "action": "promote",
        "artifact_digest": a_digest("artifact", model),
        "evaluation_digest": a_digest("evaluation", model),
        "inputs_digest": a_digest("inputs", model),
        "files": (),
        "commit": HEAD,
        "pull_request": 7,
        "approved_by": (),
        "promoted_by": None,
        "reason": "",
        "released_at": "2026-11-23T12:00:00Z",
        "previous_artifact_digest": None,
        "counter": 1,
    }
    return Release(**{**fields, **changes})
