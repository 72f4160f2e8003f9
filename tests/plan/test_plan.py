"""Which models a change affects, and why: on real Git trees, with a fake data remote."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.adapters.git import LocalGit
from bot.errors import UserError, WorldError
from bot.plan.step import plan, plan_all, plan_one
from bot.ports import Ports
from bot.records.plan import Invalid, Plan, Planned, Skipped
from tests.fakes.branch import FakeBranch
from tests.fakes.data import FakeData
from tests.repositories import Repository

SPEC = """task: binary
owner: ana
description: Will they leave?
data: {path: data/NAME.csv, target: left, row_id: id}
features: {numeric: [age, tenure]}
estimator: {name: LogisticRegression, parameters: {C: 1.0}}
metrics: roc_auc
"""
SCHEMA = "columns:\n  left: {dtype: str}\n  id: {dtype: int64}\n  age: {dtype: float64}\n  tenure: {dtype: float64}\n"
FILES = {"data/churn.csv": b"1", "data/taxi.csv": b"2", "data/flights/2013-01.parquet": b"3", "data/README.md": b"4"}


def spec(name: str, **changes: str) -> str:
    text = SPEC.replace("NAME", name)
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


class World:
    """A repository with two models, its data and an empty ledger."""

    def __init__(self, path) -> None:
        self.repository = Repository(path)
        self.data = FakeData({"*": dict(FILES)})
        self.ledger = FakeBranch()
        self.base = self.repository.commit(
            {
                "models/churn/model.yaml": spec("churn"),
                "models/churn/schema.yaml": SCHEMA,
                "models/churn/README.md": "# Churn",
                "models/taxi/model.yaml": spec("taxi"),
                "models/README.md": "not a model",
                "data.dvc": "one",
            }
        )

    @property
    def ports(self) -> Ports:
        nothing = FakeBranch()
        return Ports(
            git=LocalGit(self.repository.path),
            ledger=self.ledger,
            environments=nothing,
            data=self.data,
            **dict.fromkeys(("artifacts", "pull_requests", "conversation", "clock", "run")),
        )

    def change(self, files: dict, **more) -> Plan:
        head = self.repository.commit(files, **more)
        return plan(self.base, head, self.ports)

    def change_data(self, **files: bytes | None) -> Plan:
        head = self.repository.commit({"data.dvc": "two"})
        tree = {**FILES, **{name.replace("__", "."): data for name, data in files.items()}}
        self.data.trees[head] = {f"data/{k}" if "/" not in k else k: v for k, v in tree.items() if v is not None}
        return plan(self.base, head, self.ports)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def entry(made: Plan, model: str):
    return next(one for one in made.entries if one.model == model)


def test_a_changed_spec_affects_its_model_alone_and_says_what_changed(world):
    made = world.change({"models/churn/model.yaml": spec("churn", **{"C: 1.0": "C: 0.5"})})
    churn, taxi = entry(made, "churn"), entry(made, "taxi")
    assert isinstance(churn, Planned)
    assert [reason.sentence for reason in churn.reasons] == ["Its spec changed: estimator.parameters.C: 1.0 -> 0.5."]
    assert churn.base_inputs_digest not in (None, churn.inputs_digest)
    assert [file.path for file in churn.data_files] == ["data/churn.csv"]
    assert (churn.runner, churn.timeout_minutes, churn.risk_tier) == ("ubuntu-24.04-arm", 30, "medium")
    assert isinstance(taxi, Skipped)
    assert taxi.reason.code == "unaffected"
    assert made.change_kinds == ("spec",)
    assert (made.n_models, made.changed_paths) == (2, ("models/churn/model.yaml",))


def test_a_runner_is_offered_by_the_base_and_never_by_the_change_that_asks_for_it(world):
    wanted = {"C: 1.0": "C: 0.5", "metrics: roc_auc": "metrics: roc_auc\nresources: {runner: gpu}"}
    offer = {"policies/training.yaml": "runners: {gpu: {}}\n"}
    refused = entry(world.change({"models/churn/model.yaml": spec("churn", **wanted), **offer}), "churn")
    assert isinstance(refused, Invalid) and "'gpu'" in refused.message and refused.file == "models/churn/model.yaml"
    assert refused.line == spec("churn", **wanted).splitlines().index("resources: {runner: gpu}") + 1
    world.base = world.repository.commit({"models/churn/model.yaml": spec("churn"), **offer})
    assert entry(world.change({"models/churn/model.yaml": spec("churn", **wanted)}), "churn").runner == "gpu"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("owner: ana", "owner: [ana, bo]"),
        ("Will they leave?", "Another sentence."),
        ("task: binary", "# a comment\ntask:   binary"),
        ("metrics: roc_auc", "metrics: {primary: roc_auc}"),
        ("metrics: roc_auc", "metrics: roc_auc\nrisk_tier: high"),
        ("metrics: roc_auc", "metrics: roc_auc\nresources: {runner: big, timeout_minutes: 5}"),
        ("metrics: roc_auc", "metrics: roc_auc\nenvironments: [staging]"),
        ("metrics: roc_auc", "metrics: roc_auc\nselection: none"),
        ("numeric: [age, tenure]", "numeric: {columns: [age, tenure]}"),
    ],
)
def test_what_does_not_change_the_model_evaluates_nothing(world, old, new):
    made = world.change({"models/churn/model.yaml": spec("churn", **{old: new})})
    churn = entry(made, "churn")
    assert isinstance(churn, Skipped)
    assert churn.reason.code == "inputs_unchanged"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("C: 1.0", "C: 2.0"),
        ("[age, tenure]", "[age]"),
        ("metrics: roc_auc", "metrics: log_loss"),
        ("metrics: roc_auc", "metrics: roc_auc\nslices: [age]"),
        ("metrics: roc_auc", "metrics: roc_auc\nsplit: {seed: 3}"),
        ("metrics: roc_auc", "metrics: roc_auc\nseed: 3"),
        ("row_id: id}", "row_id: id, where: age > 3}"),
    ],
)
def test_what_changes_the_model_or_what_is_measured_is_evaluated(world, old, new):
    assert isinstance(entry(world.change({"models/churn/model.yaml": spec("churn", **{old: new})}), "churn"), Planned)


def test_a_documentation_change_in_a_model_s_folder_does_not_affect_it(world):
    made = world.change({"models/churn/README.md": "# Better", "README.md": "x"})
    assert entry(made, "churn").reason.code == "documentation_changed"
    assert entry(made, "churn").reason.path == "models/churn/README.md"
    assert made.change_kinds == ("docs",)


def test_a_data_contract_is_part_of_the_inputs_but_its_layout_is_not(world):
    tighter = SCHEMA.replace("age: {dtype: float64}", "age: {dtype: float64, greater_than: 0}")
    made = world.change({"models/churn/schema.yaml": tighter})
    assert [reason.code for reason in entry(made, "churn").reasons] == ["schema_changed"]
    world.base = world.repository.git.head.target.__str__()
    made = world.change({"models/churn/schema.yaml": "# comment\n" + tighter})
    assert entry(made, "churn").reason.code == "inputs_unchanged"


def test_a_changed_data_file_affects_only_the_models_that_read_it(world):
    made = world.change_data(**{"data/churn__csv": b"new"})
    assert [one.model for one in made.planned] == ["churn"]
    assert [reason.sentence for reason in entry(made, "churn").reasons] == ["data/churn.csv was changed."]
    assert entry(made, "taxi").reason.code == "unaffected"
    assert made.change_kinds == ("data",)


def test_a_file_that_is_added_to_a_folder_affects_its_readers(world):
    world.base = world.repository.commit({"models/flights/model.yaml": spec("x", **{"data/x.csv": "data/flights"})})
    made = world.change_data(**{"data/flights/2013-02__parquet": b"more", "data/flights/notes__md": b"x"})
    assert [one.model for one in made.planned] == ["flights"]
    flights = entry(made, "flights")
    assert [reason.sentence for reason in flights.reasons] == ["data/flights/2013-02.parquet was added."]
    assert [file.path for file in flights.data_files] == [
        "data/flights/2013-01.parquet",
        "data/flights/2013-02.parquet",
    ]


def test_a_data_file_that_nothing_reads_affects_nothing(world):
    made = world.change_data(**{"data/README__md": b"new words"})
    assert not made.planned
    assert not made.invalid


def test_a_data_file_that_goes_makes_its_reader_invalid(world):
    made = world.change_data(**{"data/churn__csv": None})
    churn = entry(made, "churn")
    assert isinstance(churn, Invalid)
    assert "data/churn.csv is not in data.dvc" in churn.message


def test_a_new_model_is_evaluated_and_a_removed_one_is_named(world):
    made = world.change({"models/new/model.yaml": spec("churn"), "models/taxi/model.yaml": None})
    assert [reason.code for reason in entry(made, "new").reasons] == ["new_model"]
    assert entry(made, "new").base_inputs_digest is None
    assert entry(made, "taxi").reason.code == "model_removed"


def test_a_renamed_model_says_so(world):
    made = world.change({"models/cab/model.yaml": spec("taxi"), "models/taxi/model.yaml": None})
    assert entry(made, "taxi").reason.sentence == "It is now called cab."
    assert isinstance(entry(made, "cab"), Planned)


@pytest.mark.parametrize(
    ("files", "line", "message", "hint"),
    [
        ({"models/churn/model.yaml": spec("churn", metrics="metrix")}, 7, "unknown key `metrix`", "`metrics`"),
        ({"models/churn/model.yaml": spec("churn", LogisticR="LogsticR")}, 6, "unknown estimator", "`Logist"),
        ({"models/churn/model.yaml": "a: [\n"}, 2, "not YAML", "brackets"),
        ({"models/churn/model.yaml": None, "models/churn/x.md": "x"}, None, "no model.yaml", "remove the folder"),
        ({"models/churn/schema.yaml": "columns:\n  a: {dtyp: str}\n"}, 2, "dtyp", "`dtype`"),
        (
            {"models/churn/schema.yaml": SCHEMA.replace("age", "aage") + "strict: true\n"},
            5,
            "no column 'age'",
            "`aage`",
        ),
        (
            {"models/churn/model.yaml": spec("churn", **{"data/churn.csv": "data/no.csv"})},
            None,
            "not in data.dvc",
            "dvc",
        ),
        ({"models/Bad_Name/model.yaml": spec("churn")}, None, "not a model name", "Rename"),
    ],
    ids=["key", "estimator", "yaml", "no spec", "contract", "column", "file", "name"],
)
def test_what_cannot_be_read_is_invalid_at_its_place(world, files, line, message, hint):
    made = world.change(files)
    (bad,) = made.invalid
    assert message in bad.message
    assert bad.line == line
    assert hint in (bad.hint or "")
    assert entry(made, "taxi").kind == "skipped"


def test_links_and_submodules_are_refused_and_never_followed(world):
    world.repository.submodule("models/sub")
    made = world.change(
        {"models/churn/model.yaml": None},
        links={"models/churn/model.yaml": "../taxi/model.yaml", "models/linked": "taxi"},
    )
    assert {one.model: one.message for one in made.invalid} == {
        "churn": "this is a symbolic link",
        "linked": "this is a symbolic link",
        "sub": "this is a submodule",
    }


def test_a_stored_evaluation_of_the_same_inputs_is_named(world):
    change = {"models/churn/model.yaml": spec("churn", **{"C: 1.0": "C: 0.5"})}
    digest = entry(world.change(change), "churn").inputs_digest
    folder = f"evaluations/churn/{digest.removeprefix('sha256:')}/"
    world.ledger.commit({folder + "b" * 64 + ".json": b"{}", folder + "b" * 64 + ".dvc": b""}, "first")
    made = plan(world.base, "HEAD", world.ports)
    assert entry(made, "churn").known_evaluation == "sha256:" + "b" * 64
    world.ledger.clock = world.ledger.clock.replace(year=2027)
    world.ledger.commit({folder + "a" * 64 + ".json": b"{}"}, "second")
    assert entry(plan(world.base, "HEAD", world.ports), "churn").known_evaluation == "sha256:" + "a" * 64


def test_the_digest_does_not_depend_on_the_commit_or_on_other_files(world):
    first = entry(world.change({"models/churn/model.yaml": spec("churn", **{"C: 1.0": "C: 2"})}), "churn")
    second = entry(world.change({"models/churn/README.md": "more", "x.py": "1"}), "churn")
    assert first.inputs_digest == second.inputs_digest


def test_work_that_happened_on_the_base_meanwhile_is_not_counted(world):
    """The comparison is with the merge base, as GitHub shows a pull request."""
    git = world.repository.git
    theirs = world.repository.commit({"models/taxi/model.yaml": spec("taxi", **{"C: 1.0": "C: 9"})})
    git.references.create("refs/heads/other", theirs)
    git.references.get("refs/heads/main").set_target(world.base)
    made = plan("other", world.repository.commit({"models/taxi/model.yaml": spec("taxi"), "x.md": "x"}), world.ports)
    assert not made.planned
    assert made.base_sha == world.base


def test_every_model_can_be_asked_for(world):
    world.repository.commit({"models/bad/model.yaml": "x: 1\n"})
    made = plan_all("HEAD", world.ports)
    assert [(one.model, one.kind) for one in made.entries] == [
        ("bad", "invalid"),
        ("churn", "planned"),
        ("taxi", "planned"),
    ]
    assert plan_one("taxi", "HEAD", world.ports).model == "taxi"
    with pytest.raises(UserError, match="unknown key"):
        plan_one("bad", "HEAD", world.ports)
    with pytest.raises(UserError, match="there is no model 'none'"):
        plan_one("none", "HEAD", world.ports)


def test_a_listing_that_was_not_pushed_blocks_with_the_command_that_mends_it(world):
    head = world.repository.commit({"data.dvc": "two"})
    lost = WorldError("the remote does not hold the listing", hint="Run `dvc push`.", code="data_object_missing")
    world.data.broken[head] = lost
    made = plan(world.base, head, world.ports)
    assert [(one.model, one.hint) for one in made.invalid] == [
        ("churn", "Run `dvc push`."),
        ("taxi", "Run `dvc push`."),
    ]


def test_a_remote_that_does_not_answer_makes_no_plan(world):
    head = world.repository.commit({"data.dvc": "two"})
    world.data.broken[head] = WorldError("no answer", code="remote_unreachable")
    with pytest.raises(WorldError):
        plan(world.base, head, world.ports)


def test_a_model_that_was_unreadable_before_is_evaluated_when_it_is_mended(world):
    world.base = world.repository.commit({"models/churn/model.yaml": "x: 1\n"})
    made = world.change({"models/churn/model.yaml": spec("churn")})
    assert [reason.code for reason in entry(made, "churn").reasons] == ["base_unreadable"]


def test_an_unknown_revision_is_a_clear_error(world):
    with pytest.raises(UserError, match="no commit"):
        plan("nothing", "HEAD", world.ports)


def test_other_ports_are_never_used(world):
    """Planning needs Git, data and the ledger; the fixture has nothing else."""
    assert replace(world.ports).artifacts is None
    assert plan(world.base, world.base, world.ports).entries


def test_a_change_that_touches_no_model_does_not_ask_the_data_remote(world):
    world.data.broken = {"*": WorldError("asked")}
    world.data.trees = {}
    assert world.change({"README.md": "x"}).planned == ()
