"""What a user sets for one look at two tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.monitor.persist import Rule
from bot.records.health import FamilyName, Role, Task

# A shift of the target or of the answers costs more than one of an input: they get more of the level.
WEIGHTS: dict[Role, float] = {"input": 1.0, "prediction": 3.0, "target": 3.0}


@dataclass(frozen=True)
class Settings:
    """What the user sets; `target` and `prediction` are columns, None where there is none.

    `task` None: guessed, and said. `probabilities`: column by class, for which the model gives one; one is enough for
    two classes. `rule`: how many windows must agree before it is an alarm. `least_effect` is of distributions,
    `least_loss` of performance (of a share of right answers; of the reference's own error for quantities). `columns` is
    what the drift of all columns is called, with its share of the false alarms (None: by what the tables hold).
    `overlap`: share of the current rows that the window before had too.
    """

    false_alarms_per_month: float = 0.5
    windows_per_month: float = 30.0
    least_effect: float = 0.02
    least_loss: float = 0.005
    target: str | None = None
    prediction: str | None = None
    ignore: frozenset[str] = frozenset()
    task: Task | None = None
    probabilities: Mapping[str, str] = field(default_factory=dict)
    rule: Rule = field(default_factory=Rule)
    columns: tuple[FamilyName, float] | None = None
    overlap: float = 0.0

    @property
    def per_window(self) -> float:
        """The chance that a window in which nothing drifted alarms."""
        return self.false_alarms_per_month / self.windows_per_month

    def role(self, column: str) -> Role:
        """What a column is to the model; a probability is an answer as the prediction is."""
        if column == self.target:
            return "target"
        return "prediction" if column == self.prediction or column in self.probabilities.values() else "input"
