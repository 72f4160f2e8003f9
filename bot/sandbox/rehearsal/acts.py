"""The acts: first models, a better spec, more data. Each step says what happened, and raises when it did not."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from bot.records.base import sha256
from bot.records.evaluation import Evaluation
from bot.records.release import Release
from bot.sandbox.rehearsal.opening import models_of
from bot.sandbox.rehearsal.scene import MANAGER, MODEL, MODELS, OWNER, SCIENTIST, SPEC, VALIDATOR, Scene
from bot.sandbox.rehearsal.teller import Say
from bot.sandbox.store import Run

STAGING, PRODUCTION = "staging", "production"
MARCH = "data/flights/2013-03.parquet"
REHEARSAL = f"models/{MODEL}/rehearsal/2013-03.parquet"


def first_models(scene: Scene) -> None:
    """Pull request 1: three models where nothing is deployed yet, to staging and on to production."""
    tell = scene.teller.step
    with tell(f"{SCIENTIST} opens a pull request with three models; plan, train, evaluate, report") as say:
        number = scene.sandbox.propose(SCIENTIST, "first-models", models_of(dict(scene.template)), "First models")
        _reported(scene, number, scene.settle(), MODELS, say)
    with tell("A model owner approves by review, a model validator by comment") as say:
        _approved(scene, number, say)
    with tell(f"{MANAGER} merges; staging gets the bytes that were evaluated") as say:
        _merged(scene, number, MODELS, say)
    with tell(f"{MANAGER} writes /promote for one of them: production gets it too") as say:
        _to_production(scene, number, MODEL, say)


def better_spec(scene: Scene) -> None:
    """Pull request 2: another spec of one model against the deployed champion."""
    tell = scene.teller.step
    with tell(f"{SCIENTIST} changes one model spec; it is measured against the deployed champion") as say:
        files = {SPEC: better(scene.template[SPEC])}
        number = scene.sandbox.propose(SCIENTIST, "finer-trees", files, "Flight delays: more, finer trees")
        _reported(scene, number, scene.settle(), (MODEL,), say)
        _compared(scene, number, say)
    with tell(f"{SCIENTIST} approves her own change, which is refused") as say:
        scene.comment(SCIENTIST, number, f"/approve {scene.evaluation_id(number)}")
        scene.settle()
        say(scene.refused(number, "self_approval"))
        state, text = scene.verdict(number)
        scene.must(state != "success", "the author's own approval turned the verdict green")
        say(f"mlbot/verdict: {state}, {text}")
    with tell("A model owner approves by review, a model validator by comment") as say:
        _approved(scene, number, say)
    with tell(f"{MANAGER} merges; staging gets the bytes that were evaluated") as say:
        _merged(scene, number, (MODEL,), say)
    with tell(f"{MANAGER} writes /promote: production gets them too") as say:
        _to_production(scene, number, MODEL, say)


def more_data(scene: Scene) -> None:
    """Pull request 3: a month of data more, with `dvc add` and `dvc push`; only one model reads it."""
    tell = scene.teller.step
    with tell(f"{SCIENTIST} adds a month of flights in her clone: dvc pull, dvc add, dvc push, git push") as say:
        number = _with_march(scene)
        say(f"#{number} changes data.dvc and nothing else")
    with tell("Only the model that reads flights is trained again, on more rows") as say:
        _reported(scene, number, scene.settle(), (MODEL,), say)
        _compared(scene, number, say)
        state, text = scene.verdict(number)
        say(f"mlbot/verdict: {state}, {text}")
        scene.must(state == "pending", f"the verdict of #{number} is {state}, and waits for nobody")


def again(scene: Scene) -> None:
    """A later story in the same folder: a spec whose inputs digest the ledger knows is not trained."""
    scene.sandbox.git(SCIENTIST, "fetch", "-q", "origin")
    now = scene.sandbox.git(SCIENTIST, "show", f"origin/{scene.sandbox.repo.default_branch}:{SPEC}")
    first = scene.template[SPEC]
    spec, what = (first, "as it was first") if now.encode() != first else (better(first), "with finer trees")
    branch = f"again-{scene.sandbox.repo.last_number + 1}"
    with scene.teller.step(f"{SCIENTIST} proposes the flight model {what}: nothing is trained again") as say:
        number = scene.sandbox.propose(SCIENTIST, branch, {SPEC: spec}, f"Flight delays {what}")
        runs = scene.settle()
        head = scene.evidence.head(number, scene.pull(number).head.sha)
        scene.must(tuple(head.models) == (MODEL,), f"#{number} affects {', '.join(head.models)}")
        log = Path(scene.ran(runs, "pull-request.yml").log).read_text(errors="replace")
        said = re.search(r"reported again, same inputs digest|not trained again, .*", log)
        scene.must(said is not None, f"#{number} was trained again: {head.models[MODEL].inputs_digest}")
        assert said is not None
        say(f"{MODEL}: {said.group().strip()}")
        say(
            f"inputs {head.models[MODEL].inputs_digest[:19]}…, artifact {str(head.models[MODEL].artifact_digest)[:19]}…"
        )


def better(spec: bytes) -> bytes:
    """The flight model's spec with more and finer trees."""
    return spec.replace(b"max_iter: 80", b"max_iter: 120, max_leaf_nodes: 24")


def _reported(scene: Scene, number: int, runs: list[Run], models: tuple[str, ...], say: Say) -> None:
    """The run trained exactly these models, and the report, the statuses and the ledger say so."""
    run = scene.ran(runs, "pull-request.yml")
    head = scene.evidence.head(number, scene.pull(number).head.sha)
    scene.must(tuple(sorted(head.models)) == models, f"#{number} affects {', '.join(sorted(head.models))}")
    trained = [job.name for job in run.jobs if job.key == "train" and job.result == "success"]
    scene.must(bool(trained), f"no model of #{number} was trained")
    say(f"#{number}: {len(models)} of {len(MODELS)} models affected; run {run.id} took {run.seconds:.0f} s")
    for name in models:
        found = scene.evidence.evaluation(head, name)
        one = next(one for one in found.metrics if one.name == found.primary_metric)
        interval = f" [{one.low:.4g}, {one.high:.4g}]" if one.low is not None and one.high is not None else ""
        say(f"{name}: {one.name} {one.value:.4g}{interval}, gates: {found.verdict}")
        scene.must(found.verdict == "pass", f"{name} does not pass its gates: {_blocking(found)}")
    say(f"evaluation {scene.evaluation_id(number)}")


def _blocking(found: Evaluation) -> str:
    return "; ".join(one.sentence for one in found.gates if one.blocks and one.verdict != "pass")


def _compared(scene: Scene, number: int, say: Say) -> None:
    head = scene.evidence.head(number, scene.pull(number).head.sha)
    found = scene.evidence.evaluation(head, MODEL)
    live = scene.evidence.release(PRODUCTION, MODEL)
    one = next((one for one in found.comparisons if one.baseline == PRODUCTION), None)
    scene.must(one is not None and live is not None, f"#{number} was not compared with production")
    assert one is not None and live is not None
    same = one.baseline_artifact_digest == live.artifact_digest
    scene.must(same, "the champion of the comparison is not what is live in production")
    say(
        f"against {live.version} in production, on the same {one.n} rows: {one.metric} {one.difference:+.4f}"
        f" [{one.low:+.4f}, {one.high:+.4f}]"
    )


def _approved(scene: Scene, number: int, say: Say) -> None:
    """The verdict is green after these two, and only then."""
    scene.review(OWNER, number, "The comparison convinces me.")
    scene.comment(VALIDATOR, number, f"/approve {scene.evaluation_id(number)}")
    scene.settle()
    state, text = scene.verdict(number)
    scene.must(state == "success", f"mlbot/verdict of #{number} is {state}: {text}")
    say(f"mlbot/verdict: {state}, {text}")


def _merged(scene: Scene, number: int, models: tuple[str, ...], say: Say) -> None:
    scene.must(bool(scene.pull(number).merge().merged), f"#{number} was not merged")
    scene.ran(scene.settle(), "promote.yml")
    _live(scene, number, STAGING, models, say)


def _to_production(scene: Scene, number: int, model: str, say: Say) -> None:
    scene.comment(MANAGER, number, f"/promote {scene.evaluation_id(number)} {model} to {PRODUCTION}")
    scene.ran(scene.settle(), "promote.yml")
    _live(scene, number, PRODUCTION, (model,), say)


def _live(scene: Scene, number: int, environment: str, models: tuple[str, ...], say: Say) -> None:
    """Evaluated, released and fetched are the same SHA-256."""
    head = scene.evidence.head(number, scene.pull(number).head.sha)
    for name in models:
        release = scene.evidence.release(environment, name)
        scene.must(release is not None, f"{name} is not live in {environment}; {_last(scene, number)}")
        assert release is not None
        evaluated, fetched = head.models[name].artifact_digest, _fetched(scene, release)
        same = evaluated == release.artifact_digest == fetched
        scene.must(same, f"{name} in {environment}: {fetched} is live, {evaluated} was evaluated")
        state = scene.deployed(number, environment, name)
        scene.must(state == "success", f"GitHub's deployment of {name} to {environment} is {state}")
        say(f"{name} {release.version}: {fetched[:19]}… evaluated, released and fetched; GitHub shows the deployment")


def _last(scene: Scene, number: int) -> str:
    replies = scene.replies(number)
    return f"the bot said: {replies[-1][:400]}" if replies else "the bot said nothing"


def _fetched(scene: Scene, release: Release) -> str:
    """SHA-256 of the model file that the environment's DVC pointer leads to."""
    from bot.adapters.dvc import DvcArtifacts

    pointer = scene.evidence.environments.pointer(release.environment, release.model) or ""
    with tempfile.TemporaryDirectory(dir=scene.programs.home) as name:
        DvcArtifacts(scene.sandbox.clone).fetch(pointer, Path(name))
        return sha256(Path(name, "model.skops").read_bytes())


def _with_march(scene: Scene) -> int:
    """DVC itself, in her own clone."""
    desk = scene.directory / "people" / SCIENTIST
    run, sandbox = scene.programs.run, scene.sandbox
    base = sandbox.repo.default_branch
    sandbox.git(SCIENTIST, "fetch", "-q", "origin", cwd=desk)
    sandbox.git(SCIENTIST, "checkout", "-q", "--force", "-B", "march", f"origin/{base}", cwd=desk)
    run("dvc", "pull", "--quiet", cwd=desk)
    (desk / MARCH).write_bytes(scene.template[REHEARSAL])
    run("dvc", "add", "--quiet", "data", cwd=desk)
    run("dvc", "push", "--quiet", cwd=desk)
    sandbox.git(SCIENTIST, "commit", "-q", "-m", "Flights of March 2013", "--", "data.dvc", cwd=desk)
    sandbox.git(SCIENTIST, "push", "-q", "origin", "HEAD:refs/heads/march", cwd=desk)
    body = "A month more to learn from."
    pull = scene.repository(SCIENTIST).create_pull(base=base, head="march", title="Flights of March", body=body)
    return int(pull.number)
