"""The situations that a reviewer meets, as reports; `python -m tests.report.pictures` renders each to a picture."""

from __future__ import annotations

from collections.abc import Callable

from bot.records.decision import Decision
from bot.records.evaluation import Evaluation, MissingBaseline, Section
from bot.records.failure import Failure
from bot.records.ledger import evaluation_id
from bot.records.plan import Reason
from bot.records.report import Report, RunFacts
from bot.records.training import DroppedInput, SelectionPoint
from tests.builders import (
    a_comparison,
    a_decision,
    a_gate,
    a_head,
    a_metric,
    a_node,
    a_plan,
    a_planned,
    a_skipped,
    a_slice,
    a_training,
    an_evaluation,
    an_invalid,
    an_unblock,
)

RUN = RunFacts(
    id=4242,
    url="https://github.com/acme/forecasts/actions/runs/4242",
    page_url="https://github.com/acme/forecasts/actions/runs/4242/artifacts/77",
)


def flights(**changes: object) -> Evaluation:
    """Delays of flights: six slices, a curve of seven sizes."""
    sizes = ((1, 0.642, 0.006), (2, 0.688, 0.006), (4, 0.731, 0.005), (6, 0.752, 0.005), (9, 0.7655, 0.005))
    curve = [SelectionPoint(n_inputs=n, score=score, standard_error=error) for n, score, error in sizes]
    curve += [SelectionPoint(n_inputs=12, score=0.7702, standard_error=0.005, chosen=True)]
    curve += [SelectionPoint(n_inputs=19, score=0.7711, standard_error=0.005)]
    names = [
        "carrier",
        "dep_hour",
        "dest",
        "distance",
        "humid",
        "month",
        "origin",
        "precip",
        "temp",
        "visib",
        "weekday",
        "wind_gust",
    ]
    dropped = (
        DroppedInput(column="flight", reason="id_like", detail="3,844 values in 20,000 rows"),
        DroppedInput(column="year", reason="constant", detail="2013 everywhere"),
        DroppedInput(column="air_time", reason="leaking", detail="known only after landing"),
        DroppedInput(column="dewp", reason="redundant", detail="correlates 0.96 with temp"),
    )
    training = a_training(
        "flights",
        target="late",
        classes=("on time", "late"),
        n_train=80_000,
        n_test=20_000,
        inputs=tuple(names),
        dropped=dropped,
        selection_curve=tuple(curve),
    )
    fields: dict[str, object] = {
        "training": training,
        "metrics": (
            a_metric("roc_auc", 0.7734, low=0.7662, high=0.7806, n=20_000),
            a_metric("log_loss", 0.4321, low=0.4262, high=0.438, unit="nats", greater_is_better=False, n=20_000),
            a_metric("accuracy", 0.8012, low=0.7956, high=0.8068, n=20_000),
        ),
        "comparisons": (
            compared(0.0142, 0.0031),
            compared(0.0142, 0.0031, baseline="linear", baseline_artifact_digest=None, champion=0.7421),
            compared(-0.0121, 0.0028, metric="log_loss", candidate=0.4321, champion=0.4442),
        ),
        "slices": tuple(
            sliced(*one)
            for one in (
                ("origin = EWR", 7100, 0.7790, 0.0180, 0.0050),
                ("origin = JFK", 6700, 0.7712, 0.0126, 0.0053),
                ("origin = LGA", 6200, 0.7655, 0.0090, 0.0056),
                ("carrier = HA", 18, None, 0, 0),
                ("dep_hour: before 6", 240, 0.702, 0.006, 0.021),
                ("month = 12", 1660, 0.7513, 0.0211, 0.0102),
            )
        ),
        "gates": (
            a_gate("not_worse", sentence="roc_auc may fall by at most 0.005 against production: it rose by 0.0142."),
            a_gate("no_slice_worse", kind="slice_non_inferiority", line=12, sentence="No slice falls by 0.02 or more."),
            a_gate("fast_enough", kind="operating", line=19, sentence="99 of 100 rows are answered within 20 ms."),
        ),
        "operating": {
            "row_p50_ms": 1.84,
            "row_p99_ms": 3.1,
            "thousand_p50_ms": 6.3,
            "thousand_p99_ms": 7.9,
            "fit_s": 4.2,
            "artifact_bytes": 734_211.0,
            "peak_memory_bytes": 512_000_000.0,
        },
        "confusion": ((14_220, 780), (3_196, 1_804)),
        "calibration": tuple(
            (share, share + shift, rows)
            for share, shift, rows in (
                (0.04, 0.006, 5200),
                (0.11, -0.008, 5100),
                (0.23, 0.012, 4300),
                (0.41, -0.017, 2900),
                (0.63, -0.02, 1700),
                (0.84, 0.011, 800),
            )
        ),
        "sections": (
            Section(
                id="ml_test_score",
                heading="ML Test Score",
                columns=("Area", "Points", "Open"),
                rows=(
                    ("Data", "4 of 7", "input privacy; new features tested"),
                    ("Model", "5 of 7", "offline/online gap"),
                ),
                note="The lowest area counts: 4. Breck et al. 2017.",
            ),
        ),
        "missing_baselines": (),
    }
    return an_evaluation("flights", **{**fields, **changes})


def compared(difference: float, half: float, **changes: object):  # type: ignore[no-untyped-def]
    """A comparison of flights with production."""
    fields = {"candidate": 0.7734, "low": difference - half, "high": difference + half, "n": 20_000, "n_differ": 1_312}
    return a_comparison(difference, **{**fields, "smallest_detectable": half, "method": "bootstrap, paired", **changes})


def sliced(name: str, n: int, value: float | None, difference: float, half: float, p: float = 0.01):  # type: ignore[no-untyped-def]
    """A slice of flights; without a value it was too small to judge."""
    if value is None:
        return a_slice(name, 0.0, n=n, low=None, high=None, comparison=None, note="too few rows").model_copy(
            update={"value": None}
        )
    width = 0.9 / n**0.5
    found = compared(difference, half, candidate=value, champion=value - difference, n=n, n_differ=n // 15)
    return a_slice(name, value, n=n, low=value - width, high=value + width, comparison=found, p_adjusted=p)


def report(*evaluations: Evaluation, decision: Decision | None = None, **changes: object) -> Report:
    """A report of these evaluations; the decision gets their id."""
    name = evaluation_id(a_head(*evaluations).models) if evaluations else None
    entries = [a_planned(one.model) for one in evaluations]
    fields: dict[str, object] = {
        "number": 7,
        "plan": a_plan(*entries, a_skipped("bikes"), a_skipped("accidents")),
        "evaluations": {one.model: one for one in evaluations},
        "decision": decision,
        "evaluation_id": name,
        "run": RUN,
    }
    return Report(**{**fields, **changes})  # type: ignore[arg-type]


def waiting(*evaluations: Evaluation) -> Decision:
    """Waits for a model owner and a validator."""
    name = evaluation_id(a_head(*evaluations).models)
    return a_decision(
        headline="Waiting for owen (approve as model-owner) and vera (approve as model-validator).",
        unblock=(
            an_unblock(who=("owen",), action="approve as model-owner", command=f"/approve {name}"),
            an_unblock(who=("vera",), action="approve as model-validator", command=f"/approve {name}"),
        ),
        evaluation_id=name,
    )


def rejected(headline: str, *steps: object) -> Decision:
    """A gate or a training stands in the way."""
    return a_decision("rejected", headline=headline, tree=a_node(status="rejected"), unblock=steps)


def all_good() -> Report:
    """Better everywhere; one approval is missing."""
    return report(flights(), decision=waiting(flights()))


def worse_on_one_slice() -> Report:
    """Better on the whole, worse for one airport; a gate fails."""
    slices = (
        sliced("origin = JFK", 6700, 0.7388, -0.0214, 0.0066, 0.0004),
        sliced("origin = EWR", 7100, 0.7892, 0.0280, 0.0050),
        sliced("origin = LGA", 6200, 0.7755, 0.0190, 0.0056),
        sliced("month = 12", 1660, 0.7513, 0.0111, 0.0142, 0.3),
    )
    gates = (
        a_gate("not_worse", sentence="roc_auc may fall by at most 0.005 against production: it rose by 0.0142."),
        a_gate(
            "no_slice_worse",
            kind="slice_non_inferiority",
            verdict="fail",
            reason_code="slice_regressed",
            line=12,
            sentence="roc_auc against production on origin = JFK is 0.0214 lower; at most 0.01 is allowed.",
            next_step="Look at the slice that is named first.",
        ),
    )
    made = flights(slices=slices, gates=gates)
    step = an_unblock(who=("dana",), action="flights: change the model so that the gate passes", command=None)
    return report(made, decision=rejected("Rejected: a gate of flights fails.", step))


def worse_within_margin() -> Report:
    """Better on the whole, worse for one airport by less than the gate's margin: people have to weigh it."""
    slices = (
        sliced("origin = JFK", 6700, 0.7512, -0.0121, 0.0056, 0.0004),
        sliced("origin = EWR", 7100, 0.7892, 0.0280, 0.0050),
        sliced("origin = LGA", 6200, 0.7755, 0.0190, 0.0056),
        sliced("month = 12", 1660, 0.7513, 0.0111, 0.0142, 0.3),
    )
    made = flights(slices=slices)
    return report(made, decision=waiting(made))


def inconclusive() -> Report:
    """The test rows cannot tell."""
    gates = (
        a_gate(
            "better",
            kind="superiority",
            verdict="inconclusive",
            reason_code="difference_unclear",
            line=7,
            sentence="roc_auc must be higher than in production: +0.001 is not more than chance explains.",
            rows_needed=61_000,
            next_step="Add labelled test rows, or accept a larger margin in the policy.",
        ),
    )
    slices = (
        sliced("origin = JFK", 6700, 0.7702, 0.0008, 0.0066, 1),
        sliced("origin = LGA", 6200, 0.7611, 0.0013, 0.007, 1),
    )
    made = flights(comparisons=(compared(0.0011, 0.0031),), gates=gates, slices=slices)
    step = an_unblock(who=("dana",), action="flights: add labelled test rows, or change the model", command=None)
    return report(made, decision=rejected("Rejected: a gate of flights cannot tell.", step))


def first_model() -> Report:
    """Nothing is deployed: compared with a constant and a linear model."""
    comparisons = (
        compared(0.0313, 0.0048, baseline="linear", baseline_artifact_digest=None, champion=0.7421),
        compared(0.2734, 0.0072, baseline="dummy", baseline_artifact_digest=None, champion=0.5),
    )
    slices = tuple(one.model_copy(update={"comparison": None}) for one in flights().slices)
    missing = (
        MissingBaseline(environment="production", reason="nothing is deployed there yet", code="nothing_deployed"),
    )
    made = flights(comparisons=comparisons, slices=slices, missing_baselines=missing)
    return report(made, decision=waiting(made))


def a_table(id: str, heading: str, columns: str, *rows: str, note: str = "") -> Section:
    """A section of the evaluator; cells are set apart by ` | `."""
    cells = tuple(tuple(row.split(" | ")) for row in rows)
    return Section(id=id, heading=heading, columns=tuple(columns.split(" | ")), rows=cells, note=note)


CHANGED_DATA = (
    a_table(
        "data_files",
        "Data files",
        "File | Change | Before | After",
        "data/flights/2013-03.parquet | added |  | 612,004 bytes",
        "data/flights/2013-02.parquet | changed | 588,120 bytes | 588,344 bytes",
        note="1 file unchanged.",
    ),
    a_table(
        "data_rows",
        "Rows by row id",
        "Rows | Count | Columns that changed",
        "added | 16,412 | ",
        "removed | 12 | ",
        "changed | 240 | dep_hour (240)",
        "unchanged | 79,748 | ",
    ),
    a_table(
        "label_shift",
        "Label",
        "late | Before | After",
        "late | 24.91% | 25.63%",
        "on time | 75.09% | 74.37%",
        note="Chi-square p = 0.0031 if the labels of both were drawn alike.",
    ),
    a_table(
        "drift",
        "Columns whose distribution changed",
        "Column | Test | Difference | p | Verdict | Read by",
        "temp | Kolmogorov-Smirnov | 0.412 | < 0.001 | alarm | bikes, flights",
        "carrier | chi-square | 0.021 | 0.002 | small | flights",
        note="24 tests on 80,000 rows before and 16,652 new ones: if nothing had changed, the chance of any row in "
        "this table would be at most 5% (Holm). An alarm also differs by more than 0.05.",
    ),
    a_table("data_readers", "Models that read these data", "Model | Columns", "bikes | 5", "flights | 12"),
)


def data_change() -> Report:
    """New data: two models trained again, one known already."""
    entries = [
        a_planned(
            "flights",
            reasons=(Reason(code="data_changed", sentence="Its data changed: 2 of 3 files.", path="data.dvc"),),
        ),
        a_planned("bikes", reasons=(Reason(code="data_changed", sentence="Its data changed.", path="data.dvc"),)),
        a_skipped("accidents", "It reads no file that changed."),
    ]
    one = flights(sections=CHANGED_DATA)
    two = an_evaluation(
        "bikes",
        training=a_training("bikes", task="regression", classes=None, threshold=None),
        primary_metric="mae",
        metrics=(a_metric("mae", 41.3, low=39.9, high=42.7, unit="rides", greater_is_better=False),),
        comparisons=(a_comparison(0.4, candidate=41.3, metric="mae", low=-0.9, high=1.7, smallest_detectable=1.3),),
        slices=(),
        confusion=None,
        calibration=(),
        budget=(),
    )
    plan = a_plan(*entries, change_kinds=("data",), changed_paths=("data.dvc",))
    return report(one, two, plan=plan, reused=("bikes",), decision=waiting(one, two))


def training_failed() -> Report:
    """One spec cannot be read, one training ends with a traceback."""
    tail = (
        'File "bot/train/fit.py", line 88, in fit\n'
        "    pipeline.fit(table, target)\n"
        "ValueError: Input y contains a class with 1 row: 'diverted'; stratified folds need at least 5"
    )
    failure = Failure(
        message="the class 'diverted' of the target has 1 row; 5 folds need at least 5",
        hint="Merge rare classes with data.target_map, or lower search.folds.",
        file="models/flights/model.yaml",
        line=9,
        column=11,
        log_tail=tail,
    )
    plan = a_plan("flights", an_invalid("accidents"), a_skipped("bikes"))
    step = an_unblock(who=("dana",), action="accidents: mend the spec", command=None)
    decision = rejected("Rejected: two models could not be evaluated.", step)
    return report(plan=plan, failures={"flights": failure}, decision=decision, evaluation_id=None)


def hundred_models() -> Report:
    """A change of the shared data: a hundred models."""
    made = []
    for number in range(100):
        difference = ((number * 37) % 100 - 35) / 4000
        worse = difference < -0.006
        gates = (
            (a_gate(verdict="fail", reason_code="metric_regressed", sentence="roc_auc fell by more than 0.005."),)
            if worse
            else None
        )
        name = f"store_{number:03d}"
        training = a_training(name, inputs=tuple(f"input_{n}" for n in range(4 + number % 9)))
        made.append(an_evaluation(name, training=training, comparisons=(a_comparison(difference),), gates=gates))
    plan = a_plan(*[a_planned(one.model) for one in made], change_kinds=("data",), n_models=140)
    blocked = rejected(
        "Rejected: 11 models fail a gate.", an_unblock(who=("dana",), action="mend or take out 11 models", command=None)
    )
    return report(*made, plan=plan, decision=blocked)


def documentation_only() -> Report:
    """No model is affected."""
    skipped = [a_skipped(name, "Only its README changed.") for name in ("accidents", "bikes", "flights")]
    plan = a_plan(*skipped, change_kinds=("docs",), changed_paths=("models/flights/README.md",))
    decision = a_decision("not_applicable", headline="No model changes; ordinary review is enough.", unblock=())
    return report(plan=plan, decision=decision)


SITUATIONS: dict[str, Callable[[], Report]] = {
    "all-good": all_good,
    "worse-on-one-slice": worse_on_one_slice,
    "worse-within-margin": worse_within_margin,
    "inconclusive": inconclusive,
    "first-model": first_model,
    "data-change": data_change,
    "training-failed": training_failed,
    "hundred-models": hundred_models,
    "documentation-only": documentation_only,
}
