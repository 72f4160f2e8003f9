"""However many models a change affects, GitHub accepts the matrix and every model is in it once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import UserError
from bot.records.matrix import MAX_JOBS, MAX_TIMEOUT_MINUTES, matrix, models_of
from bot.records.plan import Planned


def planned(name: str, runner: str = "ubuntu-24.04-arm", minutes: int = 30) -> Planned:
    return Planned(
        model=name, inputs_digest="sha256:0", base_inputs_digest=None, reasons=(), data_files=(), runner=runner,
        timeout_minutes=minutes, risk_tier="low",
    )  # fmt: skip


def test_a_job_a_model() -> None:
    assert matrix([planned("b"), planned("a", "gpu", 60)]) == {
        "include": [
            {"shard": "000", "model": "a", "runner": "gpu", "timeout_minutes": 60},
            {"shard": "001", "model": "b", "runner": "ubuntu-24.04-arm", "timeout_minutes": 30},
        ]
    }


def test_no_models_no_jobs() -> None:
    assert matrix([]) == {"include": []}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["arm", "x86", "gpu"]), max_size=2000))
def test_sharding_keeps_every_model_once_on_its_runner(runners: list[str]) -> None:
    models = [planned(f"m{number}", runner) for number, runner in enumerate(runners)]
    jobs = matrix(models)["include"]
    assert len(jobs) <= MAX_JOBS and len({job["shard"] for job in jobs}) == len(jobs)
    found = {name: job["runner"] for job in jobs for name in models_of(str(job["model"]))}
    assert found == {one.model: one.runner for one in models}
    assert sum(len(models_of(str(job["model"]))) for job in jobs) == len(models)
    assert all(int(job["timeout_minutes"]) <= MAX_TIMEOUT_MINUTES for job in jobs)


def test_a_spec_bomb_of_runner_labels_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        matrix([planned(f"m{number}", f"runner-{number}") for number in range(MAX_JOBS + 1)])
    assert caught.value.code == "matrix_too_wide"
