"""Ask the world for complete facts about a pull request; write what was decided."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from bot.decide.backtest import Past, as_markdown, differences, newest
from bot.decide.coverage import guarded, guarded_digest
from bot.decide.gathering import (
    actor_of,
    broken,
    head_fact,
    model_facts,
    planned_digests,
    subject,
    to_ask,
)
from bot.decide.heard import doubtful, heard, strangers
from bot.decide.history import changers, edited_away, with_dismissals, with_voids
from bot.decide.reading import (
    Parse,
    commands_in,
    commit_facts,
    is_untargeted,
    reviews_as_opinions,
    stamp,
    with_records,
    with_seen_head,
)
from bot.decide.surroundings import (
    Told,
    builders,
    checks,
    environments,
    initiators,
    moved_models,
    persons,
    pushers,
    reproduced,
    standing,
)
from bot.errors import Problems, UserError
from bot.ledger import Ledger
from bot.ports import Branch, Comment, Git, Ports, PullRequest
from bot.records.approval import Approval
from bot.records.base import canonical_json
from bot.records.decision import Decision
from bot.records.evaluation import Evaluation
from bot.records.event import Account
from bot.records.facts import (
    Actor,
    Asked,
    CommitFact,
    CommitList,
    Contributed,
    Facts,
    HeadFact,
    Opinion,
)
from bot.records.ledger import (
    Evaluated,
    Head,
    bare,
    commits_path,
    contribution_path,
    decision_path,
    facts_path,
    party_path,
)
from bot.records.plan import Plan
from bot.specs.policies import Policies, read_policies
from bot.words import Markdown, code

FOLDER = "policies"
# A stored evaluation with its gates as they are asked now, and ids of those for which it holds no numbers.
Again = Callable[[Evaluation], tuple[Evaluation, tuple[str, ...]]]


def read(git: Git, sha: str) -> Policies:
    """Policies of a commit of the default branch. Raises UserError or Problems; then nothing may be approved."""
    return read_policies(policy_files(git, sha))


def policy_files(git: Git, sha: str, folder: str = FOLDER) -> dict[str, bytes]:
    """Path -> bytes of every file under `policies/`; a link or a submodule there is an error."""
    files: dict[str, bytes] = {}
    for name, entry in git.entries(sha, folder).items():
        path = f"{folder}/{name}"
        if entry.kind == "tree":
            files |= policy_files(git, sha, path)
        elif entry.kind == "blob":
            files[path] = git.read(sha, path) or b""
        else:
            raise UserError(f"{path} is a {entry.kind}", hint="Policies are plain files.", code="policy_invalid")
    return files


def collect(
    number: int,
    about: str,
    ports: Ports,
    policies: Policies,
    parse: Parse,
    *,
    actor: Account | None = None,
    asked: Asked | None = None,
    merged: Mapping[str, str] | None = None,
    group: bool = False,
    again: Again | None = None,
) -> Facts:
    """Complete facts about `merge` or an environment, or an error: GitHub's answers are read to the last page.

    `actor` is who gives a command now, so that `command_node` can judge it. `asked` is the promotion or rollback that
    somebody asks for, `merged` the inputs digests by model recomputed on the merge commit (with `group`: on the merge
    group). `again` judges the gates of stored evaluations again, None leaves them as they were. Raises WorldError or
    UserError when a fact cannot be had.
    Requests: one for the pull request with all that was said and done on it, commits (once a head), who pushed, the
    permissions of whom a role concerns; checks (one a name, two more a job of Actions) and history (two a model) where
    the policy asks for them.
    """
    asked = asked or Asked()
    found = ports.pull_requests.get(number)
    commits = _commits(found, ports)
    said, accounts = _opinions(found, policies, parse, ports)
    ledger = Ledger(ports.ledger)
    head, plan = ledger.head(number, found.head_sha), ledger.plan(number, found.head_sha)
    names = {one.model for one in plan.planned} if plan else set()
    older = ledger.older_heads(number, found.head_sha)
    told = builders(number, plan, policies, ports) if plan else Told()
    accounts |= {one.id: one for one in (found.author, actor) if one is not None}
    kept = standing(ports)
    lenders = [one.lender for one in kept["delegations"] if one.lender is not None]
    accounts |= {one.id: one for one in lenders if one.id not in accounts}
    commanders = [one.id for one in (actor, *lenders) if one is not None]
    commanders += [found.author.id] if policies.approvals.author_roles() else []
    paths = plan.changed_paths if plan else ()
    evaluations, unmeasured = _evaluations(head, again, ports)
    moved = moved_models(plan, ports) if plan else ()
    return Facts(
        subject=about,
        pull_request=subject(found, ports.default_branch, *pushers(found, policies, ports)),
        commits=commits,
        changed_paths=paths,
        change_kinds=plan.change_kinds if plan else (),
        guarded_paths=guarded(paths, names),
        models=model_facts(plan, head, evaluations, merged or {}, moved, unmeasured, reproduced(evaluations, ports))
        if plan
        else (),
        broken=broken(plan) if plan else (),
        heads=_heads(found, plan, head, older.readable, said, ports),
        opinions=tuple(said),
        actors=_actors(said, accounts, {asked.by, *commanders}, policies, ports),
        training_initiators=initiators(found, head, older, ports),
        environments=() if about == "merge" else environments(policies, {*names, *asked.models}, ports),
        asked=asked,
        checks=checks(found.head_sha, policies, ports),
        contributions=told.contributions,
        unknown=told.unknown,
        group=group,
        planned=plan is not None,
        **kept,
    )


def unread(number: int, ports: Ports) -> Facts:
    """What is known of a pull request before anything else of it is read; nothing can be approved on that."""
    found = ports.pull_requests.get(number)
    return Facts(
        subject="merge", pull_request=subject(found, ports.default_branch, None, ()), commits=(), changed_paths=(),
        change_kinds=(), models=(), heads=(), opinions=(), actors=(), planned=False,
    )  # fmt: skip


def asking(number: int, actor: Account, policies: Policies, ports: Ports) -> Facts:
    """What `command_node` needs to know of somebody who asks for something; nothing can be approved on that."""
    facts, kept = unread(number, ports), standing(ports)
    lenders = [one.lender for one in kept["delegations"] if one.lender is not None]
    accounts = {one.id: one for one in (*lenders, facts.pull_request.author, actor)}
    people = {actor.id, *(one.id for one in lenders)}
    return facts.model_copy(update={**kept, "actors": _actors((), accounts, people, policies, ports)})


def record(facts: Facts, decision: Decision, files: Mapping[str, bytes], ports: Ports) -> Decision:
    """Write the decision, the facts behind it and the opinions first seen now, in one commit; what is there stays.

    The decision that stands then: the last one, when this one says the same again of the same facts.
    """
    number, decision = facts.pull_request.number, _said_before(decision, ports)
    new = {
        facts_path(number, facts.digest()): facts.canonical(),
        decision_path(number, decision.digest()): decision.canonical(),
        **files,
    }
    about = facts.pull_request
    for account in about.pushers if about.last_pusher is not None else ():
        new[party_path(number, about.head_sha, "pusher", account)] = canonical_json({"account": account})
    is_whole = about.head_sha in {one.sha for one in facts.commits}
    if is_whole and all(None not in (one.author, one.committer, *one.co_authors) for one in facts.commits):
        path = commits_path(number, about.base_sha, about.head_sha)
        new[path] = CommitList(commits=facts.commits).canonical()
        new |= _contributions(facts, ports)
    Ledger(ports.ledger).add(new, f"decide #{number} {decision.subject}: {decision.status}")
    return decision


def _contributions(facts: Facts, ports: Ports) -> dict[str, bytes]:
    """The people of a reported head by model, from the first judgement on that finds its report."""
    about, ledger = facts.pull_request, Ledger(ports.ledger)
    where = (about.number, about.base_sha, about.head_sha)
    head = ledger.head(about.number, about.head_sha)
    if head is None or ledger.is_contribution_listed(*where, head.models):
        return {}
    people, at = persons(facts.commits), stamp(ports.clock.now())
    made = {model: Contributed(model=model, number=about.number, at=at, people=people) for model in head.models}
    return {contribution_path(model, at, *where): one.canonical() for model, one in made.items()}


def _said_before(decision: Decision, ports: Ports) -> Decision:
    """The newest stored decision of the same subject when it differs in nothing but its time, else this one."""
    stored = Ledger(ports.ledger).decisions(decision.number).readable
    mine = [one for one in stored if one.subject == decision.subject]
    last = max(mine, key=lambda one: one.decided_at, default=decision)
    is_only = [one.decided_at for one in mine].count(last.decided_at) == 1
    again = last.model_copy(update={"decided_at": decision.decided_at})
    return last if is_only and again.canonical() == decision.canonical() else decision


def _commits(found: PullRequest, ports: Ports) -> tuple[CommitFact, ...]:
    """Who made the commits between this base and this head; GitHub is asked until it knows everybody."""
    known = Ledger(ports.ledger).commits(found.number, found.base_sha, found.head_sha)
    return commit_facts(ports.pull_requests.commits(found.number)) if known is None else known


def _evaluations(
    head: Head | None, again: Again | None, ports: Ports
) -> tuple[dict[str, Evaluation], dict[str, tuple[str, ...]]]:
    found, unmeasured = {}, {}
    for model, digests in head.models.items() if head else ():
        if digests.evaluation_digest is None:
            continue
        stored = Ledger(ports.ledger).evaluation(model, digests.inputs_digest, digests.evaluation_digest)
        if stored is not None:
            found[model] = stored
            if again is not None:
                found[model], unmeasured[model] = again(found[model])
    return found, unmeasured


def _strangers(comments: Sequence[Comment], author: Account, policies: Policies, ports: Ports) -> set[int]:
    """Who wrote what is slow to read and has no say here. Nobody is asked about where nobody wrote such."""
    people = doubtful(comments, author, policies)
    found = strangers(people, ports.pull_requests.permissions(people), policies) if people else []
    teams = sorted({team for role in policies.roles.roles.values() for team in role.teams}) if found else []
    return {one.id for one in found if all(ports.pull_requests.in_team(team, one) is False for team in teams)}


def _opinions(
    found: PullRequest, policies: Policies, parse: Parse, ports: Ports
) -> tuple[list[Opinion], dict[int, Account]]:
    """Everything that was said, with what was recorded of it; and the accounts of who said it."""
    number = found.number
    comments, timeline = ports.pull_requests.comments(number), ports.pull_requests.timeline(number)
    comments = heard(comments, _strangers(comments, found.author, policies, ports))
    reviews = ports.pull_requests.reviews(number)
    records, voided = _recorded(number, ports)
    prefix = policies.commands.prefix
    said = [*commands_in(comments, parse, prefix), *with_dismissals(reviews_as_opinions(reviews), timeline)]
    accounts = {one.id: one for one in (*(c.author for c in comments), *(r.author for r in reviews))}
    accounts |= {one.actor.id: one.actor for one in records.values() if one.actor.id not in accounts}
    said = with_seen_head(
        said, found.head_sha, Ledger(ports.ledger).reports(number) if any(map(is_untargeted, said)) else ()
    )
    said = with_records(said, records, voided, changers(comments, timeline))
    known = {(one.id, one.kind) for one in said}
    said += [one for one in edited_away(comments, parse, prefix) if (one.id, one.kind) not in known]
    return with_voids(said, timeline), accounts


def _recorded(number: int, ports: Ports) -> tuple[dict[str, Approval], dict[str, str]]:
    ledger = Ledger(ports.ledger)
    records, voids = ledger.approvals(number).whole, ledger.voids(number).whole
    return {one.id: one for one in records}, {id_: void.cause for void in voids for id_ in void.opinions}


def _heads(
    found: PullRequest,
    plan: Plan | None,
    head: Head | None,
    older: Sequence[Head],
    said: Collection[Opinion],
    ports: Ports,
) -> tuple[HeadFact, ...]:
    """The live head, and every older one that was planned; the rest of a change is read only where it is compared."""
    planned = {one.model for one in plan.planned} if plan else set()
    digests = planned_digests(plan) if head is None else head.models
    asked = {one.seen_head or one.target or one.commit_sha for one in said if _is_new_approval(one)}
    facts = []
    for sha, models in ((found.head_sha, digests), *((one.head_sha, one.models) for one in older)):
        since = _since(found.number, sha, models, ports) if sha in asked else {}
        facts.append(head_fact(sha, models, _rest(found, sha, planned, ports), since))
    known = {one.head_sha for one in facts}
    bare_heads = sorted({one.commit_sha for one in said if one.commit_sha} - known)
    return (*facts, *(head_fact(sha, {}, _rest(found, sha, planned, ports)) for sha in bare_heads))


def _is_new_approval(one: Opinion) -> bool:
    return one.kind == "approve" and one.recorded is None


def _since(number: int, sha: str, models: Mapping[str, Evaluated], ports: Ports) -> dict[str, str]:
    """When each evaluation of a head was written down: not before the head was, nor before the evaluation was."""
    digests = {model: one for model, one in models.items() if one.evaluation_digest is not None}
    if not digests:  # a head that no run has reported yet is in no file
        return {}
    ledger = Ledger(ports.ledger)
    first = ledger.reported_at(number, sha)
    return {
        model: stamp(max(first, ledger.evaluated_at(model, one.inputs_digest, one.evaluation_digest or "")))
        for model, one in digests.items()
    }


def _rest(found: PullRequest, sha: str, planned: Collection[str], ports: Ports) -> str | None:
    """Digest of what no model's digest covers; None when Git no longer has the head."""
    try:
        base = ports.git.merge_base(found.base_sha, sha)
        return None if base is None else guarded_digest(ports.git.changes(base, sha), planned)
    except UserError:
        return None


def _actors(
    said: Sequence[Opinion], accounts: Mapping[int, Account], asked: set[int | None], policies: Policies, ports: Ports
) -> tuple[Actor, ...]:
    permissions, memberships = to_ask(policies, said, accounts, asked)
    roles = ports.pull_requests.permissions(permissions)
    teams = sorted({team for role in policies.roles.roles.values() for team in role.teams})
    member = {(one.id, team): ports.pull_requests.in_team(team, one) for one in memberships for team in teams}
    return tuple(actor_of(account, roles.get(account.id), member) for _, account in sorted(accounts.items()))


def policy_difference(head: str, ports: Ports, *, last: int = 100) -> Markdown:
    """What the policies of a pull request's head would have changed: Markdown for that pull request.

    The head's policies are only read as data; they never judge their own pull request.
    """
    try:
        policies = read(ports.git, head)
    except UserError as error:
        mistakes = error.errors if isinstance(error, Problems) else [error]
        places = Markdown(", ").join(code(str(one.place or FOLDER)) for one in mistakes)
        said = Markdown("The policies of this pull request do not load: {}. `mlbot validate policies` says why.\n")
        return said.format(places)
    judged = pasts_of_newest(ports.ledger, last)
    return as_markdown(differences(judged, policies), len(judged))


def pasts(ledger: Branch) -> list[Past]:
    """Every stored decision whose facts are stored too."""
    numbers = sorted({number for number, _ in Ledger(ledger).decision_names()})
    return [past for number in numbers for past in pasts_of(number, ledger)]


def pasts_of(number: int, ledger: Branch) -> list[Past]:
    """The stored decisions on a pull request whose facts are stored too."""
    found, door = [], Ledger(ledger)
    for decision in door.decisions(number).whole:
        is_judged = decision.reason_code != "policy_invalid"  # that one was about the policy alone
        facts = door.facts(number, decision.facts_digest) if is_judged else None
        if facts is not None:
            found.append(Past(decision, facts, bare(decision.digest())))
    return found


def pasts_of_newest(ledger: Branch, last: int) -> list[Past]:
    """The last word on each of the newest pull requests and subjects, of at most `last` pull requests."""
    found, pulls = list[Past](), 0
    for number in sorted({number for number, _ in Ledger(ledger).decision_names()}, reverse=True):
        mine = pasts_of(number, ledger)
        found, pulls = [*found, *mine], pulls + bool(mine)
        if pulls == last:
            break
    return newest(found, last)
