"""What `mlbot doctor` finds in the repository itself: what Git holds, not only what lies on this disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.cli import survey
from bot.cli.finding import Finding

OURS = ("policies/*.yaml", ".github/workflows/*.yml", ".dvc/config", "models/*/model.yaml", "*.dvc", "data/**/*.dvc")
# The people of the shipped policies/roles.yaml: numbers of somebody else's accounts on GitHub.
EXAMPLES = frozenset(("dana#1001", "owen#1002", "vera#1003", "rhea#1004"))


def repository_findings(root: Path) -> Iterator[Finding]:
    """Files that Git ignores or does not hold, the place of artifacts, mlbot in the lock, people who are examples."""
    yield _committed(root)
    yield _of("data remote", survey.remote(root), "data and artifacts have a place")
    yield _locked(root)
    yield _people(root)


def workflow_clashes(root: Path) -> Iterator[Finding]:
    """Workflows of the team that have the name of one of ours."""
    from bot.cli.init import shipped_workflows

    yield _of(
        "workflow names",
        survey.workflows(root, shipped_workflows()),
        "no workflow of yours has the name of one of mlbot's",
    )


def _of(name: str, steps: Iterator[survey.Step], good: str) -> Finding:
    first = next(steps, None)
    if first is None:
        return Finding(name, True, good)
    return Finding(name, False, first.sentence, "; ".join(first.commands) or None)


def _committed(root: Path) -> Finding:
    files = (path for pattern in OURS for path in root.glob(pattern) if path.is_file())
    names = sorted({path.relative_to(root).as_posix() for path in files})
    step = next(survey.hidden(root, names), None)
    if step:
        return Finding("files in Git", False, step.sentence, step.commands[0])
    loose = [name for name in names if not survey.in_git(root, name)]
    if loose:
        more = f" and {len(loose) - 1} more" if len(loose) > 1 else ""
        return Finding("files in Git", False, f"{loose[0]}{more} is on this disk alone", "git add -A && git commit")
    return Finding("files in Git", True, "what mlbot reads is committed")


def _locked(root: Path) -> Finding:
    step = next(survey.project(root), None)
    if step:
        return Finding("mlbot in the project", False, step.sentence, "; ".join(step.commands) or None)
    lock = root / "uv.lock"
    if not lock.is_file() or 'name = "mlbot"' not in lock.read_text(encoding="utf-8"):
        sentence = "uv.lock does not hold mlbot, so that no workflow can start it"
        return Finding("mlbot in the project", False, sentence, "uv lock && git add uv.lock && git commit")
    return Finding("mlbot in the project", True, "uv.lock holds it")


def _people(root: Path) -> Finding:
    roles = root / "policies/roles.yaml"
    text = roles.read_text(encoding="utf-8", errors="replace") if roles.is_file() else ""
    found = sorted(one for one in EXAMPLES if one in text)
    if not found:
        return Finding("people", True, "no example account holds a role")
    sentence = f"policies/roles.yaml gives roles to {', '.join(found)}: examples, and accounts of strangers on GitHub"
    return Finding("people", False, sentence, "gh api users/LOGIN --jq .id   # write LOGIN#ID in their place")
