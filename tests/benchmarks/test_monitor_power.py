"""Power at the same false-alarm rate on some drifts of `monitor_power.py`; docs/monitoring.md has them all."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from bot.monitor import judge as judging
from tests import real_data
from tests.benchmarks.monitor_power import lost, mixed, power, shifted, shuffled, thresholds
from tests.monitor.windows import flights

SIZE, NULLS, DRAWS = (1500, 400), 20, 8


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return real_data.fetch(tmp_path_factory.mktemp("data")) / "data"


@pytest.fixture(scope="module")
def january(data: Path) -> pa.Table:
    return flights(data)


@pytest.fixture(scope="module")
def limits(january: pa.Table) -> dict[str, float]:
    """What each rival exceeds in 5 % of undrifted windows."""
    return thresholds(january, *SIZE, NULLS)


@pytest.mark.parametrize("kind", ["covariate", "missing", "dependence", "time"])
def test_no_rival_sees_more(data, january, limits, monkeypatch, kind):
    """Kolmogorov-Smirnov with FDR, PSI, Wasserstein and boosted trees: each sees some kinds, none more than this."""
    monkeypatch.setattr(judging, "permutations_for", lambda alpha: 199)
    drift = {
        "covariate": shifted("temp", 0.3),
        "missing": lost("humid", 0.06),
        "dependence": shuffled("dest", 1.0),
        "time": mixed(flights(data, "2013-02"), 0.3),
    }[kind]
    seen = {name: float(found.mean()) for name, found in power(january, drift, SIZE, DRAWS, limits).items()}
    own = seen.pop("mlbot monitor")
    print(kind, own, seen)
    assert own >= 0.75 and own >= max(seen.values()) - 1 / DRAWS
