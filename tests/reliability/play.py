"""Plays a schedule on a fresh stage, looks at every promise after each step and when all is quiet."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.reliability.actions import Ended
from tests.reliability.chaos import Armed
from tests.reliability.invariants import Violation, Watch
from tests.reliability.people import ACTS
from tests.reliability.schedule import Step
from tests.reliability.stage import ROOT, Stage, flavour_of

PAUSES_S = (0, 1, 1, 5, 40)  # before a step; the first thing that its seed decides
MOST_JOBS = 400  # in one calm: more is a loop


@dataclass
class Played:
    """What one schedule gave."""

    steps: int = 0
    violations: list[Violation] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    handlers: int = 0
    crashed: int = 0
    recovered: int = 0
    releases: int = 0
    log: list[str] = field(default_factory=list)


def play(
    steps: Sequence[Step],
    *,
    keeps_log: bool = False,
    until: Callable[[Violation], bool] | None = None,
    on: type[Stage] = Stage,
) -> Played:
    """Play the steps, then let everything come to rest. `until` ends it at the first violation that it is true of."""
    folder = Path(tempfile.mkdtemp(prefix="stage-", dir=fast_folder()))
    played = Played()
    try:
        stage = on(folder, flavour_of(steps[0].seed if steps else 0))
        watch = Watch(stage)
        with stage.plugged():
            for step in steps:
                before = len(watch.violations)
                played.steps += 1
                perform(stage, step)
                watch.after_step(played.steps, is_calm=step.do == "drain")
                if keeps_log:
                    played.log += _told(step, watch, before)
                if until is not None and any(until(one) for one in watch.violations[before:]):
                    break
            else:
                quiesce(stage, watch)
                if keeps_log:
                    played.log += [f"    {_line(one)}" for one in watch.fresh_ends()]
                    played.log += [f"at rest: {one}" for one in watch.violations if one.step == 0]
        watch.of_the_server(getattr(stage, "lost", []))
        played.violations = watch.violations
        played.releases = len(stage.releases())
        played.faults = stage.chaos.struck + Counter(f"event_{fate}" for fate, _ in stage.actions.deliveries.log)
        played.handlers, played.crashed, played.recovered = watch.handlers, len(watch.crashed), watch.recovered()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return played


def fast_folder() -> str | None:
    """Memory, where there is such a folder."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def perform(stage: Stage, step: Step) -> None:
    """One step."""
    rng = random.Random(step.seed)
    stage.hub.remember()
    stage.hub.clock.advance(seconds=rng.choice(PAUSES_S))
    if step.do in ACTS:
        ACTS[step.do][0](stage, step.who, step.number, rng)
        if step.do == "forward" and rng.random() < 0.3:  # who brings it on waits for the bot, and goes on
            for _ in range(3):
                drain(stage)
                ACTS[step.do][0](stage, step.who, step.number, rng)
    elif step.do == "work":
        for _ in range(rng.choice((1, 1, 2, 3))):
            work(stage, rng)
    elif step.do == "drain":
        drain(stage)
    elif step.do == "time":
        stage.advance(step.number)
    elif step.do == "fault":
        stage.chaos.armed.append(Armed(step.kind, step.number, step.seed))
    elif step.do == "astray":
        astray(stage, step, rng)
    elif step.do == "release":
        stage.actions.deliveries.release()


def work(stage: Stage, rng: random.Random) -> None:
    """Any job that could go now."""
    ready = stage.actions.ready()
    if ready:
        stage.chaos.race = lambda: _race(stage, rng)
        stage.wire.refused.clear()
        stage.actions.work(*rng.choice(ready))


def _race(stage: Stage, rng: random.Random) -> None:
    """While a handler is about to push, a job of another run goes, or somebody acts."""
    stage.chaos.race = None
    running = {id(going) for going in stage.actions.going if going.item.run.status == "in_progress"}
    ready = [one for one in stage.actions.ready() if id(one[0]) not in running]
    if ready and rng.random() < 0.7:
        armed, stage.chaos.armed = stage.chaos.armed, []
        stage.actions.work(*rng.choice(ready))
        stage.chaos.armed = armed
    else:
        name = rng.choice(("push", "say", "close_and_reopen", "change_main", "dismiss", "delete"))
        ACTS[name][0](stage, rng.choice(("dana", "owen", "vera", "rhea")), rng.choice((1, 1, 2)), rng)


def drain(stage: Stage) -> None:
    """Every job that can go, oldest run first, until nothing is left."""
    for _ in range(MOST_JOBS):
        stage.hub.clock.advance(seconds=2)
        ready = stage.actions.ready()
        if not ready:
            return
        stage.wire.refused.clear()
        stage.actions.work(*ready[0])
    raise RuntimeError("runs start runs without an end")


def astray(stage: Stage, step: Step, rng: random.Random) -> None:
    deliveries = stage.actions.deliveries
    if step.kind == "lost":
        deliveries.lose(step.who)
    elif step.kind == "repeated":
        deliveries.repeat(step.who)
    elif step.kind == "held":
        deliveries.delay(step.who)
    elif step.kind == "delayed":
        deliveries.delay(step.who, seconds=rng.choice((60, 3600, 20_000)))
    else:
        deliveries.reorder(step.who)


def mend(stage: Stage) -> None:
    """Policies that do not load are put right by whoever may: else nothing is decided any more."""
    good = (ROOT / "policies/approvals.yaml").read_bytes()
    if b"ApprovalPolicy" not in (stage.hub.bare(stage.repo).read(stage.default, "policies/approvals.yaml") or b""):
        stage.commit("adam", stage.default, {"policies/approvals.yaml": good}, "mend the policy")


def quiesce(stage: Stage, watch: Watch) -> None:
    """No more faults; what is late comes, what is lost stays lost; two hours with a reconcile each; then one more."""
    watch.after_step(0)
    stage.chaos.armed.clear()
    stage.actions.deliveries.clear()
    stage.actions.deliveries.release()
    mend(stage)
    stage.advance(21_000)
    drain(stage)
    for _ in range(2):
        stage.advance(3600)
        drain(stage)
    watch.at_rest()
    watch.begin_quiet()
    stage.call("dana", "POST", "/actions/workflows/reconcile.yml/dispatches", {"ref": stage.default})
    drain(stage)
    watch.after_quiet()


def _told(step: Step, watch: Watch, before: int) -> list[str]:
    """What a step did, for people."""
    lines = [f"{watch.step}: {step}"]
    lines += [f"    {_line(one)}" for one in watch.fresh_ends()]
    return [*lines, *(f"    ! {one}" for one in watch.violations[before:])]


def _line(one: Ended) -> str:
    said = one.said.strip().splitlines() or [""]
    word = next((line for line in said if "error:" in line), said[-1])
    return f"{one.workflow}/{one.job} {one.about}: {one.code} {' '.join(one.hit)} {word[:110]}"
