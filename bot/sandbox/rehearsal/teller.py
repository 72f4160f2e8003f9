"""How the story is told: one line a step with its seconds, a spinner while it goes when there is a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Say = Callable[[str], None]


@dataclass
class Step:
    """One step that happened: `said` are the sentences below its title."""

    title: str
    seconds: float = 0.0
    said: list[str] = field(default_factory=list)


class Teller:
    """Tells steps to a console; `steps` keeps them. A step that raises is shown as failed and is not kept."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.steps: list[Step] = []
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the story began."""
        return time.monotonic() - self._began

    def act(self, title: str) -> None:
        """A heading."""
        self.console.print(f"\n[bold]{escape(title)}[/bold]")

    @contextmanager
    def step(self, title: str) -> Iterator[Say]:
        """Run a step: call what it yields with each thing that really happened."""
        step, began = Step(title), time.monotonic()
        try:
            with self._spinner(title):
                yield step.said.append
        except BaseException:
            self.console.print(f"  [red]✗[/red] {escape(title)}  [dim]{time.monotonic() - began:.1f} s[/dim]")
            self._details(step)
            raise
        step.seconds = round(time.monotonic() - began, 2)
        self.steps.append(step)
        self.console.print(f"  [green]✓[/green] {escape(title)}  [dim]{step.seconds:.1f} s[/dim]")
        self._details(step)

    def _details(self, step: Step) -> None:
        for line in step.said:
            self.console.print(f"      [dim]{escape(line)}[/dim]", soft_wrap=True)

    def _spinner(self, title: str) -> Progress:
        columns = SpinnerColumn(), TextColumn(escape(title)), TimeElapsedColumn()
        hidden = not self.console.is_terminal
        progress = Progress(*columns, console=self.console, transient=True, disable=hidden)
        progress.add_task(title, total=None)
        return progress
