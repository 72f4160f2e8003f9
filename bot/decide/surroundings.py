"""What surrounds a pull request: who pushed and built before, checks, the base, environments, loans and revocations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.decide.exclusions import people_of
from bot.decide.gathering import environment_fact
from bot.decide.reading import commit_facts, stamp
from bot.errors import MlbotError, UserError
from bot.ledger import Environments, Ledger, Records
from bot.ports import Commit, Ports, PullRequest
from bot.records.evaluation import Evaluation
from bot.records.facts import Check, CommitFact, Contribution, EnvironmentFact, Reproduced
from bot.records.ledger import Head, Party, bare
from bot.records.plan import DataFile, Plan, Planned
from bot.specs.policies import Policies
from bot.specs.policies.words import seconds
from bot.specs.tracked import pointers_among

BUILDS = ("model.yaml", "schema.yaml")  # a model card builds nothing


@dataclass(frozen=True)
class Told:
    """What was found out, and the names of what was not told."""

    contributions: tuple[Contribution, ...] = ()
    unknown: tuple[str, ...] = ()


def pushers(found: PullRequest, policies: Policies, ports: Ports) -> tuple[int | None, tuple[int, ...]]:
    """Who pushed the live head, None when GitHub does not tell; and everybody who is known to have pushed it.

    GitHub is asked once a head, and not of one that it has forgotten with the branch.
    """
    told = list(_known("pusher", found.number, found.head_sha, ports))
    is_asked = not told and policies.approvals.names_party("last_pusher")
    if is_asked and ports.witness is not None and found.head_repository is not None:
        told = ports.witness.pushers(found.head_repository, found.head_ref, found.head_sha) or []
    senders = _known("sender", found.number, found.head_sha, ports)
    return told[0] if told else None, tuple(sorted({*told, *senders}))


def initiators(found: PullRequest, head: Head | None, older: Records[Head], ports: Ports) -> tuple[int, ...]:
    """Who started the training of what the live head holds: there, or at a head or in a trial of the same inputs.

    An older head that cannot be read may be one with the same inputs.
    """
    if head is None:
        return ()
    same = [one for one in older.readable if any(_is_same(name, one, head) for name in head.models)]
    people = {head.initiator_id, *(one.initiator_id for one in same)} - {None}
    unreadable = [path.rpartition("/")[2].removesuffix(".json") for path in older.unreadable]
    trials = [bare(one.inputs_digest) for one in head.models.values()]
    for name in (head.head_sha, *(one.head_sha for one in same), *unreadable, *trials):
        people |= set(_known("initiator", found.number, name, ports))
    return tuple(sorted(person for person in people if person is not None))


def _is_same(model: str, one: Head, other: Head) -> bool:
    found = one.models.get(model)
    return found is not None and found.inputs_digest == other.models[model].inputs_digest


def _known(party: Party, number: int, head_sha: str, ports: Ports) -> tuple[int, ...]:
    return Ledger(ports.ledger).parties(party, number, head_sha)


def reproduced(evaluations: Mapping[str, Evaluation], ports: Ports) -> dict[str, tuple[Reproduced, ...]]:
    """By model, what other runs came to that trained an evaluation again; without a result they say nothing."""
    found = {}
    for model, one in evaluations.items():
        records = Ledger(ports.ledger).reproductions(model, one.inputs_digest, one.digest()).whole
        found[model] = tuple(
            Reproduced(
                run_id=int(again.run["id"]), runner=again.runner, architecture=again.architecture,
                outcome=again.outcome, sentence=again.sentence, at=again.at,
            )
            for again in records
            if again.outcome != "failed" and again.run["id"] != one.run["id"]
        )  # fmt: skip
    return found


def checks(sha: str, policies: Policies, ports: Ports) -> tuple[Check, ...] | None:
    """The checks that a rule asks for; None when GitHub does not tell, or nobody asks."""
    names = sorted({check.name for rule in policies.approvals.rules for check in rule.require.checks})
    told = ports.witness.checks(sha, names) if names and ports.witness else None
    return None if told is None else tuple(told)


def builders(number: int, plan: Plan, policies: Policies, ports: Ports) -> Told:
    """Who built the planned models within the longest time that a requirement looks back.

    GitHub tells of the default branch, whose dates a committer can forge; the ledger of earlier pull requests that the
    bot saw, merged or not, by its own time.
    """
    back = max((seconds(one) for one in _windows(policies)), default=None)
    if back is None:
        return Told()
    since = ports.clock.now() - timedelta(seconds=back)
    planned = {one.model for one in plan.planned}
    found, unreadable = _earlier(number, since, planned, ports)
    unknown = list(unreadable)
    is_strict = policies.approvals.defaults.unattributed_commits == "block"
    for model in (one.model for one in plan.planned):
        for name in BUILDS:
            commits = ports.witness.history(f"models/{model}/{name}", since) if ports.witness else None
            made = list(_made(model, commits or (), since, policies))
            found += [one for one in made if one is not None]
            if commits is None or (is_strict and None in made):
                unknown.append(f"who built {model} since {stamp(since)[:10]}")
    kept = sorted({one for one in found if one.model in planned}, key=lambda one: (one.model, one.actor, one.at))
    return Told(tuple(kept), tuple(dict.fromkeys(unknown)))


def _windows(policies: Policies) -> Iterator[str]:
    lines = [line for rule in policies.approvals.rules for line in rule.require.approvals]
    lines += [line for one in policies.environments.environments.values() for line in one.approvals]
    return (line.not_contributor_within for line in lines if line.not_contributor_within is not None)


def _made(model: str, commits: Sequence[Commit], since: datetime, policies: Policies) -> Iterator[Contribution | None]:
    """None for a person whom nobody knows."""
    for commit, fact in zip(commits, commit_facts(commits), strict=True):
        at = stamp((commit.committed_at or since).astimezone(UTC))
        for person in people_of(fact, policies.roles):
            yield None if person is None else Contribution(actor=person, model=model, at=at)


def _earlier(
    number: int, since: datetime, models: Collection[str], ports: Ports
) -> tuple[list[Contribution], list[str]]:
    """Who changed the models in other pull requests, and what of that cannot be read."""
    ledger, found, unreadable = Ledger(ports.ledger), list[Contribution](), list[str]()
    for model in sorted(models):
        listed = ledger.contributed(model, since)
        unreadable += [f"who built {model}: {error.message}" for error in listed.unreadable.values()]
        late = [one for one in listed.readable if one.number != number and datetime.fromisoformat(one.at) > since]
        found += [Contribution(actor=person, model=model, at=one.at) for one in late for person in one.people]
    for pull, base, sha, seen in ledger.unlisted(since):
        try:
            head = ledger.head(pull, sha) if pull != number else None
            names = models & head.models.keys() if head is not None else ()
            people = persons(ledger.commits(pull, base, sha) or ()) if names else ()
        except UserError as error:
            unreadable.append(f"who built models in #{pull}: {error.message}")
            continue
        found += [Contribution(actor=one, model=model, at=stamp(seen)) for model in names for one in people]
    return found, unreadable


def persons(commits: Iterable[CommitFact]) -> tuple[int, ...]:
    """Accounts of everybody who made one of the commits."""
    people = {person for one in commits for person in (one.author, one.committer, *one.co_authors)}
    return tuple(sorted(person for person in people if person is not None))


def moved_models(plan: Plan, ports: Ports) -> Collection[str]:
    """Planned models whose inputs the default branch changed since the change branched off, and otherwise than it."""
    try:
        tip = ports.git.resolve(f"refs/remotes/origin/{ports.default_branch}")
    except UserError:
        tip = ports.git.resolve(ports.run.sha)  # a workflow that runs from the default branch has its tip checked out
    if tip == plan.base_sha:
        return ()
    changed = {one.path: one.new for one in ports.git.changes(plan.base_sha, tip)}
    if not changed:
        return ()
    return {
        one.model
        for one in plan.planned
        if _spec_moved(one, plan, changed, ports) or _data_moved(one, plan, tip, changed, ports)
    }


def _spec_moved(one: Planned, plan: Plan, changed: dict[str, str | None], ports: Ports) -> bool:
    folder = f"models/{one.model}"
    here = ports.git.entries(plan.head_sha, folder)
    return any(
        f"{folder}/{name}" in changed and changed[f"{folder}/{name}"] != (here[name].oid if name in here else None)
        for name in BUILDS
    )


def _data_moved(one: Planned, plan: Plan, tip: str, changed: dict[str, str | None], ports: Ports) -> bool:
    """Whether the model's spec at the head reads other data there now than then. What cannot be read has moved."""
    if not pointers_among(changed):
        return False
    try:
        then, now = (_reads(one, plan.head_sha, sha, ports) for sha in (plan.base_sha, tip))
    except MlbotError:
        return True
    return now != then and now != _names(one.data_files)


def _reads(one: Planned, head: str, sha: str, ports: Ports) -> set[tuple[str, str]]:
    from bot.specs.data import files_of
    from bot.specs.model import read_model_spec

    path = f"models/{one.model}/model.yaml"
    data = read_model_spec(ports.git.read(head, path) or b"", path).data
    try:
        return _names(files_of(data, ports.data.files(sha, data.path))[0])
    except UserError as error:
        if error.code == "data_path_missing":
            return set()
        raise


def _names(files: Sequence[DataFile]) -> set[tuple[str, str]]:
    return {(file.path, file.md5) for file in files}


def environments(policies: Policies, models: Collection[str], ports: Ports) -> tuple[EnvironmentFact, ...]:
    """Each environment: what is live in it, and the past of these models alone."""
    ledger, branch = Ledger(ports.ledger), Environments(ports.environments)
    history = [one for model in sorted(models) for one in ledger.releases(model).whole]
    verified = [one for model in sorted(models) for one in ledger.verifications(model).whole]
    return tuple(
        environment_fact(name, branch.all_live(name).whole, history, verified, branch.lock(name))
        for name in policies.environments.environments
    )


def standing(ports: Ports) -> dict[str, Any]:
    """What the ledger keeps apart from pull requests: roles that are lent, revoked artifacts, break-glass to review.

    A loan that is over or was taken back concerns nobody any more.
    """
    ledger = Ledger(ports.ledger)
    loans, broken_glass = ledger.delegations().whole, ledger.break_glass().whole
    return {
        "delegations": tuple(one for one in loans if ports.clock.now() < datetime.fromisoformat(one.until)),
        "revoked": tuple(ledger.revoked()),
        "break_glass": tuple(broken_glass),
    }
