"""Defects that were mended, put back one at a time: each must be found. A mutant is a change of the bot's source text.

The text is changed while Python imports it, in a process of its own; no file is touched.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutant:
    """`changes` are (file, text that is there, text in its place); `about` says what people saw.

    `needs` are what it cannot show without: steps in this order, or a value of the schedule's world. Schedules that
    hold most of them are played first.
    """

    name: str
    about: str
    changes: tuple[tuple[str, str, str], ...]
    needs: tuple[str, ...] = ()


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "void_is_lost",
        "approvals survive a close and reopen, or another base (gitops F1)",
        (
            (
                "bot/decide/history.py",
                '    last, cause = max(voids(timeline), default=(None, ""))',
                '    last, cause = None, ""',
            ),
        ),
        needs=("drain forward close_and_reopen forward forward drain", "drain forward forward close_and_reopen drain"),
    ),
    Mutant(
        "gone_account_stops_all",
        "who deletes or renames an account stops every judgement (gitops F2, decisions 3)",
        (("bot/adapters/github_people.py", "if error.status not in (404, *also):", "if error.status not in also:"),),
        needs=("drain forward forward disappear drain", "drain forward rename drain disappear drain"),
    ),
    Mutant(
        "tags_are_the_promotion",
        "a model that is live is told not to be, for want of a tag (gitops F3)",
        (
            (
                "bot/pipeline/promote_job.py",
                "    told = [_outcome(name, one, command, head, job) for name, one in done.items()]\n",
                "    before = len(job.ports.views.failed)\n    show_views(live, job.ports)\n"
                "    for _, error in job.ports.views.failed[before:]:\n        done |= dict.fromkeys(live, error)\n"
                "    told = [_outcome(name, one, command, head, job) for name, one in done.items()]\n",
            ),
        ),
        needs=("tags", "drain forward forward drain forward drain"),
    ),
    Mutant(
        "comment_before_status",
        "a locked conversation keeps the verdict as it was (gitops F4)",
        (
            (
                "bot/report/step.py",
                '    there = Parts().attempt("statuses",',
                '    ports.conversation.upsert_comment(number, MARKED, body)\n    there = Parts().attempt("statuses",',
            ),
        ),
        needs=("lock_conversation push drain", "drain forward lock_conversation"),
    ),
    Mutant(
        "labels_and_edits_start_nothing",
        "what takes an approval back starts no run (gitops F7)",
        (
            (".github/workflows/reviewed.yml", "types: [labeled, unlabeled, converted_to_draft]", "types: [enqueued]"),
            (".github/workflows/reviewed.yml", "types: [edited, deleted]", "types: [pinned]"),
        ),
        needs=("drain forward forward drain label drain",),
    ),
    Mutant(
        "only_the_tip_is_settled",
        "a lost promotion is repaired only while its merge is the newest (gitops F9)",
        (
            (
                "bot/pipeline/merges.py",
                "            for one in listed\n",
                "            for one in listed if one.commit == tip\n",
            ),
        ),
        needs=("drain forward forward drain astray:lost:push forward change_main drain",),
    ),
    Mutant(
        "default_branch_is_main",
        "nothing is promoted where the default branch is not main (gitops F11)",
        (
            (
                "policies/environments.yaml",
                "    allowed_base_branches: [~default]\n    auto_promote: merge\n",
                "    allowed_base_branches: [main]\n    auto_promote: merge\n",
            ),
        ),
        needs=("trunk", "drain forward forward drain forward drain"),
    ),
    Mutant(
        "dismissal_takes_a_rejection_back",
        "a dismissed review takes a /reject back (decisions 1)",
        (("bot/decide/vetoes.py", ' and (one.method, one.kind) != ("review", "withdraw")', ""),),
        needs=tuple(
            f"drain request_changes::{who} dismiss drain" for who in ("owen", "olga", "vera", "vik_acme", "rhea")
        ),
    ),
    Mutant(
        "approval_before_the_evaluation",
        "a review from before the evaluation counts for it (decisions 2)",
        (
            (
                "bot/decide/binding.py",
                "    unseen = {model for model, since in head.evaluated_at.items() if given <= moment(since)}\n",
                "    unseen = set()\n",
            ),
        ),
        needs=("push forward forward drain forward drain",),
    ),
    Mutant(
        "managed_login_is_no_login",
        "a company's account cannot be named anywhere (gitops F5, decisions 7)",
        (("bot/records/event.py", '[A-Za-z0-9_-]{0,98}"', '[A-Za-z0-9-]{0,98}"'),),
        needs=("drain",),
    ),
    Mutant(
        "first_method_only",
        "/merge in a squash-only repository gets no answer (gitops F6)",
        (
            (
                "bot/adapters/github_merge.py",
                'body = {"sha": head_sha, "merge_method": method}',
                'body = {"sha": head_sha}',
            ),
            (
                "bot/adapters/github_merge.py",
                "if error.status == 405 and is_about_method(said) and at + 1 < len(left):",
                "if False:",
            ),
        ),
        needs=("merge_commit", "drain forward forward drain forward drain"),
    ),
    Mutant(
        "moving_tag_stops_clones",
        "a tag that moves stops every release verb in a clone (gitops F8)",
        (("bot/adapters/git.py", "if done.returncode and not only_tags_moved(done.stderr):", "if done.returncode:"),),
        needs=("use_clone use_clone",),
    ),
    Mutant(
        "partial_clone_is_a_bug",
        "a partial clone is not read (gitops F10)",
        (
            (
                "bot/adapters/git_objects.py",
                "        if found is None:\n            self._fetch(",
                "        if False:\n            self._fetch(",
            ),
        ),
        needs=("use_clone use_clone",),
    ),
    Mutant(
        "git_speaks_german",
        "English words are looked for in what git says (gitops F12)",
        (("bot/adapters/git.py", '"LC_ALL": "C", "LANGUAGE": "", ', ""),),
        needs=("use_clone use_clone",),
    ),
    Mutant(
        "teams_by_login",
        "a role survives on the membership of somebody who took the login (decisions 4)",
        (
            (
                "bot/adapters/github_people.py",
                'frozenset(one["id"] for one in found)',
                'frozenset(one["login"] for one in found)',
            ),
            (
                "bot/adapters/github_people.py",
                "if listed is None or account.id in listed:",
                "if listed is None or account.login in listed:",
            ),
        ),
        needs=("teams", "rename drain approve drain"),
    ),
    Mutant(
        "days_are_24_hours",
        "a freeze ends an hour early over the change of clocks (decisions 5)",
        (("bot/decide/windows.py", 'return _utc(start + length, zone) if duration[-1] in "dw" else ', "return "),),
        needs=("freeze", "drain forward forward drain forward time drain"),
    ),
    Mutant(
        "no_way_back_from_what_is_revoked",
        "the pull request that brought a revoked artifact cannot be used to leave it (decisions 8)",
        (
            (
                "bot/decide/conditions/revoked.py",
                'if scope.model and case.facts.asked.action != "rollback":',
                "if scope.model:",
            ),
        ),
        needs=("drain forward forward drain forward drain revoke drain",),
    ),
    Mutant(
        "last_verdict_of_a_commit",
        "a verdict belongs to the commit, and the last one judged wins (decisions 6)",
        (("bot/pipeline/judge.py", "    if not found.siblings:\n", "    if found.siblings is not None:\n"),),
        needs=("drain open_twin drain forward forward drain",),
    ),
)


_PRESENT: dict[str, Mutant] = {}  # what this process was changed by, under "mutant"


def text_of(path: Path) -> str:
    """A file of the repository as it is in this process: workflows are no modules."""
    text, mutant = path.read_text(), _PRESENT.get("mutant")
    for file, old, new in mutant.changes if mutant else ():
        if ROOT / file == path:
            text = text.replace(old, new)
    return text


def by_name(name: str) -> Mutant:
    """Raises KeyError."""
    return {one.name: one for one in MUTANTS}[name]


def stale(mutant: Mutant) -> list[str]:
    """Files in which the text is not there exactly once."""
    return [file for file, old, _ in mutant.changes if (ROOT / file).read_text().count(old) != 1]


class _Loader(importlib.machinery.SourceFileLoader):
    """Changes the text of a module; its cached byte code is not used."""

    changes: tuple[tuple[str, str], ...] = ()

    def get_code(self, fullname: str) -> Any:
        text = Path(self.path).read_text()
        for old, new in self.changes:
            assert text.count(old) == 1, f"{self.path} does not hold the text once: {old[:80]!r}"
            text = text.replace(old, new)
        return compile(text, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self.files = {file for file, _, _ in mutant.changes}
        self.mutant = mutant

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        file = fullname.replace(".", "/") + ".py"
        if file not in self.files:
            return None
        loader = _Loader(fullname, str(ROOT / file))
        loader.changes = tuple((old, new) for at, old, new in self.mutant.changes if at == file)
        return importlib.machinery.ModuleSpec(fullname, loader, origin=str(ROOT / file))


def put_back(name: str) -> None:
    """From here on this process has the defect. Raises RuntimeError when its module was imported before."""
    mutant = by_name(name)
    _PRESENT["mutant"] = mutant
    early = [file for file, _, _ in mutant.changes if file.removesuffix(".py").replace("/", ".") in sys.modules]
    if early:
        raise RuntimeError(f"imported before they could be changed: {', '.join(early)}")
    sys.meta_path.insert(0, _Finder(mutant))


def table(names: Iterable[str], seed: int, schedules: int, steps: int) -> int:
    """Play the schedules with each defect until it shows; 1 when one of them is not found."""
    chosen = [by_name(name) for name in names] or list(MUTANTS)
    missed = 0
    print(f"{'mutant':32} {'seed':>9} {'s':>5}  violation")
    for mutant in chosen:
        since = time.monotonic()
        line = [sys.executable, "-m", "tests.reliability", "--mutant", mutant.name, "--no-shrink"]
        line += ["--schedules", str(schedules), "--seed", str(seed), "--steps", str(steps)]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
        found = next((row for row in done.stdout.splitlines() if row.startswith("found in schedule ")), "")
        where, _, what = found.removeprefix("found in schedule ").partition(": ")
        if found and _is_broken_anyway(int(where), steps):
            found, what = "", f"without the mutant, too: {what}"
        missed += not found
        said = what or (done.stderr.strip().splitlines() or ["not found"])[-1]
        print(f"{mutant.name:32} {where or '-':>9} {time.monotonic() - since:5.0f}  {said[:90]}", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} found")
    return 1 if missed else 0


def _is_broken_anyway(seed: int, steps: int) -> bool:
    """Whether the schedule breaks a promise without any defect put back: then it shows nothing."""
    line = [sys.executable, "-m", "tests.reliability", "--no-shrink", "--schedules", "1"]
    line += ["--seed", str(seed), "--steps", str(steps)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, check=False).returncode != 0
