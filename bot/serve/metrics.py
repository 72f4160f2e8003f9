"""Counters and latencies as Prometheus text (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds


class Metrics:
    """What the server counted since it started."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str, int], int] = defaultdict(int)
        self.rows: dict[str, int] = defaultdict(int)
        self.buckets: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
        self.seconds: dict[str, float] = defaultdict(float)
        self.switches: dict[tuple[str, str], int] = defaultdict(int)
        self.dropped_logs = 0

    def served(self, model: str, version: str, status: int, rows: int, seconds: float) -> None:
        """Count one inference request."""
        self.requests[model, version, status] += 1
        self.rows[model] += rows
        self.seconds[model] += seconds
        self.buckets[model][bisect_left(BUCKETS, seconds)] += 1

    def switched(self, model: str, outcome: str) -> None:
        """Count a switch: `done` or `refused`."""
        self.switches[model, outcome] += 1

    def text(self, live: dict[str, tuple[str, str]]) -> str:
        """The page; `live` maps a model to (version, artifact digest)."""
        lines = ["# TYPE mlbot_requests_total counter"]
        for (model, version, status), n in sorted(self.requests.items()):
            labels = _labels(model=model, version=version, status=str(status))
            lines.append(f"mlbot_requests_total{labels} {n}")
        lines.append("# TYPE mlbot_rows_total counter")
        lines += [f"mlbot_rows_total{_labels(model=model)} {n}" for model, n in sorted(self.rows.items())]
        lines.append("# TYPE mlbot_request_seconds histogram")
        for model in sorted(self.buckets):
            lines += self._histogram(model)
        lines.append("# TYPE mlbot_switches_total counter")
        for (model, outcome), n in sorted(self.switches.items()):
            lines.append(f"mlbot_switches_total{_labels(model=model, outcome=outcome)} {n}")
        lines += ["# TYPE mlbot_log_rows_dropped_total counter", f"mlbot_log_rows_dropped_total {self.dropped_logs}"]
        lines.append("# TYPE mlbot_model_info gauge")
        for model, (version, digest) in sorted(live.items()):
            lines.append(f"mlbot_model_info{_labels(model=model, version=version, artifact_digest=digest)} 1")
        return "\n".join(lines) + "\n"

    def _histogram(self, model: str) -> list[str]:
        lines, total = [], 0
        for bound, n in zip([*map(str, BUCKETS), "+Inf"], self.buckets[model], strict=True):
            total += n
            lines.append(f"mlbot_request_seconds_bucket{_labels(model=model, le=bound)} {total}")
        lines.append(f"mlbot_request_seconds_sum{_labels(model=model)} {self.seconds[model]:.6f}")
        lines.append(f"mlbot_request_seconds_count{_labels(model=model)} {total}")
        return lines


def _labels(**labels: str) -> str:
    escaped = {key: text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for key, text in labels.items()}
    return "{" + ",".join(f'{key}="{text}"' for key, text in escaped.items()) + "}"
