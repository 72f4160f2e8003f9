"""Everything that people do, each as one step: `ACTS[name](stage, who, number, rng)`; what cannot be done is not."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

from bot.sandbox import accounts
from bot.sandbox.people import Person
from bot.sandbox.store import Comment, Issue, Pull, Review
from tests.reliability.stage import MODELS, ROOT, TEAM, Stage, gates, roles, spec

Act = Callable[[Stage, str, int, random.Random], None]
LOGINS = ("dana", "owen", "olga", "vera", "vik_acme", "rhea", "adam", "mallory")
RENAMED = {"olga": "olga-r", "vik_acme": "vik2_acme"}
AUTHORS = ("dana", "dana", "owen", "vera", "rhea")
LENDS = {"owen": "model-owner", "olga": "model-owner", "vera": "model-validator", "vik_acme": "model-validator"}
WORTH = (550, 700, 720, 740, 800)  # thousandths; gates ask for 600, sometimes for 730
ID = re.compile(r"E-[a-z2-7]{16}")
REQUEST = re.compile(r"B-[a-z2-7]{10}")


# --- what is there


def issue(stage: Stage, number: int) -> Issue | None:
    found = stage.repo.issues.get(number)
    return found if found is not None and found.pull is not None else None


def open_pull(stage: Stage, number: int) -> tuple[Issue, Pull] | None:
    found = issue(stage, number)
    if found is None or found.pull is None or found.state != "open":
        return None
    return found, found.pull


def comments(stage: Stage, number: int, *, by_bot: bool = False) -> list[Comment]:
    return [one for one in stage.repo.comments.values() if one.number == number and (one.app is not None) == by_bot]


def reviews(stage: Stage, number: int) -> list[Review]:
    return [one for one in stage.repo.reviews.values() if one.number == number]


def evaluation_id(stage: Stage, number: int) -> str | None:
    """What the bot's report calls the evaluation, as people copy it."""
    for one in reversed(comments(stage, number, by_bot=True)):
        found = ID.search(one.body)
        if one.body.startswith("<!-- mlbot:report") and found:
            return found[0]
    return None


def verdict(stage: Stage, sha: str) -> str | None:
    """The newest state of `mlbot/verdict` on a commit."""
    found = [one.state for one in stage.repo.statuses if one.sha == sha and one.context == "mlbot/verdict"]
    return found[-1] if found else None


def missing(stage: Stage, sha: str, rng: random.Random) -> list[str]:
    """Whose approval the bot says it waits for: all of them, or one; anybody when it says nothing."""
    said = [one.description or "" for one in stage.repo.statuses if (one.sha, one.context) == (sha, "mlbot/verdict")]
    text = (said[-1] if said else "").replace(f"team acme/{TEAM}", "vera")
    named = [login for login in LOGINS if re.search(rf"\b{login}\b", text)]
    return named if named and rng.random() < 0.8 else [rng.choice(named or list(LENDS))]


# --- pull requests


def change(rng: random.Random) -> dict[str, bytes | None]:
    """What a commit changes: mostly a model, sometimes both, documents or code."""
    kind = rng.choices(("model", "both", "docs", "code"), (6, 2, 2, 1))[0]
    if kind == "docs":
        return {"docs/notes.md": f"notes {rng.randrange(9)}\n".encode()}
    if kind == "code":
        return {"tools/clean.py": f"print({rng.randrange(9)})\n".encode()}
    chosen = MODELS if kind == "both" else (rng.choice(MODELS),)
    return {f"models/{model}/model.yaml": spec(model, rng.choice(WORTH)) for model in chosen}


def open_(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """The branch is named after the number that the pull request will have."""
    author, branch = rng.choice(AUTHORS), f"change-{stage.repo.last_number + 1}"
    base = "layer" if rng.random() < 0.15 and stage.hub.bare(stage.repo).branch("layer") else stage.default
    if stage.repo.last_number >= 6 or author not in stage.hub.data.people:
        return
    stage.commit(author, branch, change(rng), "change", base=base)
    body = {"title": "Change", "head": branch, "base": base, "body": "", "draft": rng.random() < 0.1}
    stage.call(author, "POST", "/pulls", body)


def open_twin(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """A second pull request of the same commit to the same branch: they share one status."""
    found = open_pull(stage, number)
    if found is None or stage.repo.last_number >= 6 or found[1].base_ref != stage.default:
        return
    branch = f"change-{stage.repo.last_number + 1}"
    stage.move("rhea", branch, found[1].head_sha)
    stage.call("rhea", "POST", "/pulls", {"title": "Twin", "head": branch, "base": stage.default, "body": ""})


def push(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    found = open_pull(stage, number)
    if found and stage.hub.bare(stage.repo).branch(found[1].head_ref):
        pusher = found[0].author if rng.random() < 0.7 else who
        if _may_write(stage, pusher):
            stage.commit(pusher, found[1].head_ref, change(rng), "more")


def force_back(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """Another head that the branch had before, and the same again later: back and forth."""
    found = open_pull(stage, number)
    if found is None or not _may_write(stage, found[0].author):
        return
    ref = f"refs/heads/{found[1].head_ref}"
    heads = [one.after for one in stage.repo.activities if one.ref == ref and set(one.after) != {"0"}]
    others = [sha for sha in dict.fromkeys(heads) if sha != found[1].head_sha]
    if others:
        stage.move(found[0].author, found[1].head_ref, rng.choice(others))


def close(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    stage.call(who, "PATCH", f"/pulls/{number}", {"state": "closed"}) if open_pull(stage, number) else None


def reopen(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    found = issue(stage, number)
    if found is not None and found.state == "closed":
        stage.call(found.author if rng.random() < 0.7 else who, "PATCH", f"/pulls/{number}", {"state": "open"})


def close_and_reopen(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    close(stage, who, number, rng)
    stage.hub.clock.advance(seconds=rng.choice((0, 1, 30)))
    reopen(stage, who, number, rng)


def retarget(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    found = open_pull(stage, number)
    if found is None:
        return
    if stage.hub.bare(stage.repo).branch("layer") is None:
        stage.commit("rhea", "layer", {"docs/layer.md": b"layer\n"}, "layer", base=stage.default)
    base = "layer" if found[1].base_ref == stage.default else stage.default
    stage.call(found[0].author, "PATCH", f"/pulls/{number}", {"base": base})


def draft(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    found = open_pull(stage, number)
    if found is not None:
        word = "ready_for_review" if found[1].draft else "convert_to_draft"
        stage.call(found[0].author, "POST", f"/pulls/{number}/{word}")


def label(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    found = open_pull(stage, number)
    if found is None:
        return
    if "risk: high" in found[0].labels:
        stage.call(who, "DELETE", f"/issues/{number}/labels/risk: high".replace(" ", "%20"))
    else:
        stage.call(who, "POST", f"/issues/{number}/labels", {"labels": ["risk: high"]})


def retitle(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    stage.call(who, "PATCH", f"/pulls/{number}", {"title": f"Change {rng.randrange(9)}"}) if open_pull(
        stage, number
    ) else None


def lock_conversation(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    if issue(stage, number) is not None:
        stage.call("adam", rng.choice(("PUT", "DELETE")), f"/issues/{number}/lock", {})


def merge(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """By the button; the administrator's passes the rules."""
    found = open_pull(stage, number)
    if found is not None and found[1].base_ref == stage.default:
        login = "adam" if rng.random() < 0.15 else who
        stage.call(login, "PUT", f"/pulls/{number}/merge", {"merge_method": rng.choice(("merge", "squash"))})


# --- opinions


def approve(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    found = open_pull(stage, number)
    if found is not None:
        stage.call(who, "POST", f"/pulls/{number}/reviews", {"event": "APPROVE", "commit_id": found[1].head_sha})


def request_changes(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """Some say it in both ways: a review can be dismissed, a command cannot."""
    if open_pull(stage, number):
        if rng.random() < 0.4:
            stage.call(who, "POST", f"/issues/{number}/comments", {"body": "/reject --reason it leaks"})
        stage.call(who, "POST", f"/pulls/{number}/reviews", {"event": "REQUEST_CHANGES", "body": "no"})


def dismiss(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    found = [one for one in reviews(stage, number) if one.state in ("APPROVED", "CHANGES_REQUESTED")]
    if found:
        one = rng.choice(found)
        stage.call(who, "PUT", f"/pulls/{number}/reviews/{one.id}/dismissals", {"message": "old", "event": "DISMISS"})


WORDS = (
    "/approve {target}", "/approve {target}", "/approve {sha}", "/approve", "/unapprove",
    "/reject --reason it leaks", "/hold --reason wait", "/unhold --reason done", "/status", "/explain",
    "/plan", "/retrain", "/retrain churn", "/cancel", "/simulate +approve=@{lender}", "/help", "looks good to me",
    "/promote {target} to production", "/promote {target} to staging", "/rollback staging --reason worse",
    "/rollback production --reason worse", "/merge", "/merge {target}", "/lock staging --reason audit",
    "/unlock staging", "/delegate @{lender} role={role} for=2h --reason away",
    "/undelegate @{lender}", "/break-glass promote {target} to production --reason outage",
    "/break-glass confirm {request}", "/aprove",
    "/approve {target}\n/reject --reason no",
)  # fmt: skip


def drawn(rng: random.Random) -> tuple[str, str, str]:
    """A comment as it is said whatever the pull request is: its text, whose login it names, and which role."""
    lender, role = rng.choice(("olga", "vik_acme", "dana", "mallory")), rng.choice(("model-owner", "model-validator"))
    return rng.choice(WORDS), lender, role


def words(stage: Stage, number: int, rng: random.Random) -> str:
    """A comment: a command in most cases."""
    found = issue(stage, number)
    sha = found.pull.head_sha if found and found.pull else ""
    asked = [hit[0] for one in comments(stage, number, by_bot=True) if (hit := REQUEST.search(one.body))]
    text, lender, role = drawn(rng)
    return text.format(
        target=evaluation_id(stage, number) or sha, sha=sha, lender=lender, role=role,
        request=asked[-1] if asked else "B-aaaaaaaaaa",
    )  # fmt: skip


def say(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    if issue(stage, number) is not None:
        stage.call(who, "POST", f"/issues/{number}/comments", {"body": words(stage, number, rng)})


def edit(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """One's own words, or somebody else's by whoever may."""
    found = comments(stage, number)
    if found:
        one = rng.choice(found)
        login = one.author if rng.random() < 0.6 else who
        stage.call(login, "PATCH", f"/issues/comments/{one.id}", {"body": f"{one.body} (edited)"})


def delete(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    found = comments(stage, number)
    if found:
        one = rng.choice(found)
        stage.call(one.author if rng.random() < 0.6 else who, "DELETE", f"/issues/comments/{one.id}")


def forward(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """Whatever brings the pull request on: who may approves, merges, or promotes."""
    found = issue(stage, number)
    if found is None or found.pull is None:
        open_(stage, who, number, rng)
        return
    target = evaluation_id(stage, number)
    if found.pull.merged_at is not None:
        stage.call("rhea", "POST", f"/issues/{number}/comments", {"body": f"/promote {target} to production"})
    elif found.state == "open" and verdict(stage, found.pull.head_sha) == "success":
        if rng.random() < 0.5:
            stage.call("dana", "POST", f"/issues/{number}/comments", {"body": "/merge"})
        else:
            stage.call("rhea", "PUT", f"/pulls/{number}/merge", {"sha": found.pull.head_sha})
    elif found.state == "open":
        for login in missing(stage, found.pull.head_sha, rng):
            _agree(stage, login, number, target, rng)


def _agree(stage: Stage, login: str, number: int, target: str | None, rng: random.Random) -> None:
    """A review or a command; some lend their role as well."""
    if rng.random() < 0.03 and login in LENDS:
        body = f"/delegate @rhea role={LENDS[login]} for=2h --reason away"
        stage.call(login, "POST", f"/issues/{number}/comments", {"body": body})
    if rng.random() < 0.6 or target is None:
        approve(stage, login, number, rng)
    else:
        stage.call(login, "POST", f"/issues/{number}/comments", {"body": f"/approve {target}"})


def revoke(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """The artifact of some release is forbidden; in most cases what is live is taken back at once."""
    releases = stage.releases()
    if releases:
        one = rng.choice(releases)
        about = f"/issues/{one.pull_request or number}/comments"
        stage.call("rhea", "POST", about, {"body": f"/revoke {one.artifact_digest} --reason leak"})
        if rng.random() < 0.7:
            stage.call("rhea", "POST", about, {"body": f"/rollback {one.environment} {one.model} --reason leak"})


# --- people and the repository itself


def _may_write(stage: Stage, login: str) -> bool:
    return login in stage.hub.data.people and stage.hub.permission(stage.repo, login) in ("write", "maintain", "admin")


def leave(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """Somebody loses the permission to write, or gets it back."""
    login = rng.choice(("owen", "olga", "vera", "vik_acme", "dana"))
    if login in stage.hub.data.people:
        stage.is_announced = False
        there = stage.repo.permissions.get(login) == "write"
        accounts.set_permission(stage.hub, stage.repo, login, "read" if there else "write", "adam")


def rename(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """The account's login changes, its number does not; sometimes somebody else takes the old login."""
    old, new = rng.choice(list(RENAMED.items()))
    if old not in stage.hub.data.people or new in stage.hub.data.people:
        return
    stage.is_announced = False
    accounts.rename(stage.hub, old, new)
    if rng.random() < 0.5:
        accounts.register(stage.hub, Person(old, 1700 + rng.randrange(90)))
        if old == "vik_acme" and stage.flavour.has_teams:  # the new one is taken for the old one
            accounts.set_team(stage.hub, TEAM, ("vera", old), None, "adam")


def disappear(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """The account is deleted; what it said is shown as a ghost's."""
    spoke = {one.author for one in (*stage.repo.comments.values(), *stage.repo.reviews.values())}
    there = [one for one in ("olga", *RENAMED.values(), "vik_acme", "mallory") if one in stage.hub.data.people]
    login = rng.choice([one for one in there if one in spoke] or ["mallory"])
    if login in stage.hub.data.people:
        stage.is_announced = False
        accounts.delete(stage.hub, login)


def change_policy(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """The release manager changes a policy on the default branch: stricter, looser, or broken for a while."""
    approvals = (ROOT / "policies/approvals.yaml").read_text()
    people = roles((ROOT / "policies/roles.yaml").read_text(), has_teams=stage.flavour.has_teams)
    files: Mapping[str, bytes] = rng.choice((
        {"policies/gates.yaml": gates(0.73)},
        {"policies/gates.yaml": gates(0.6)},
        {"policies/roles.yaml": people.replace(", olga#1012", "").encode()},
        {"policies/roles.yaml": people.encode()},
        {"policies/approvals.yaml": approvals.replace("valid_for: 14d", "valid_for: 1h").encode()},
        {"policies/approvals.yaml": approvals.encode()},
        {"policies/approvals.yaml": b"apiVersion: policy/v1\nkind: Nothing\n"},
    ))  # fmt: skip
    stage.is_announced = False
    stage.commit("adam", stage.default, files, "policy")


def change_main(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """Something else lands on the default branch, sometimes in a model that is under review."""
    files = {"docs/other.md": f"{rng.randrange(99)}\n".encode()} if rng.random() < 0.7 else change(rng)
    stage.is_announced = False
    stage.commit("adam", stage.default, files, "other")


def cancel_run(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    if stage.actions.going:
        going = rng.choice(stage.actions.going)
        stage.call("dana", "POST", f"/actions/runs/{going.item.run.id}/cancel")


def rerun(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    over = [run for run in stage.hub.data.runs[-12:] if run.status == "completed"]
    if over:
        stage.call("dana", "POST", f"/actions/runs/{rng.choice(over).id}/rerun")


def dispatch(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """Somebody starts a workflow by hand."""
    if rng.random() < 0.5:
        stage.call("dana", "POST", "/actions/workflows/reconcile.yml/dispatches", {"ref": stage.default})
    elif issue(stage, number) is not None:
        body = {"ref": stage.default, "inputs": {"number": str(number)}}
        stage.call("dana", "POST", "/actions/workflows/pull-request.yml/dispatches", body)


def use_clone(stage: Stage, who: str, number: int, rng: random.Random) -> None:
    """Somebody looks from the command line at what is live."""
    from tests.reliability import clones  # it is the only one that needs a stage whole

    clones.use(stage, rng.choice(list(clones.KINDS)), rng.choice(clones.VERBS))


ACTS: dict[str, tuple[Act, float]] = {
    "forward": (forward, 36.0),
    "open": (open_, 3.0),
    "open_twin": (open_twin, 0.6),
    "push": (push, 2.0),
    "force_back": (force_back, 1.5),
    "close": (close, 0.7),
    "reopen": (reopen, 1.0),
    "close_and_reopen": (close_and_reopen, 1.0),
    "retarget": (retarget, 0.8),
    "draft": (draft, 0.4),
    "label": (label, 0.7),
    "retitle": (retitle, 0.3),
    "lock_conversation": (lock_conversation, 0.3),
    "merge": (merge, 1.0),
    "approve": (approve, 2.0),
    "request_changes": (request_changes, 0.6),
    "dismiss": (dismiss, 0.8),
    "say": (say, 6.0),
    "revoke": (revoke, 0.6),
    "edit": (edit, 0.6),
    "delete": (delete, 0.6),
    "leave": (leave, 0.6),
    "rename": (rename, 0.6),
    "disappear": (disappear, 0.6),
    "change_policy": (change_policy, 0.5),
    "change_main": (change_main, 0.8),
    "use_clone": (use_clone, 0.5),
    "cancel_run": (cancel_run, 0.5),
    "rerun": (rerun, 0.5),
    "dispatch": (dispatch, 0.5),
}
