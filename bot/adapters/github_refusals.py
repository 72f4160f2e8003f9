"""What GitHub's API answers when it refuses -> an error for people, in GitHub's words, with the next step."""

from __future__ import annotations

from typing import Any

from bot.errors import MlbotError, UserError, WorldError

# Words of GitHub's (in lower case) -> what the person can do about it; the first that fits.
NEXT_STEPS: tuple[tuple[str, str], ...] = (
    ("base branch was modified", "Somebody else merged just now: ask again."),
    ("head branch was modified", "The head moved: wait until the new one is judged, and ask again."),
    ("merge queue", "This branch is merged through a queue: press `Merge when ready` on the pull request's page."),
    ("still a draft", "Mark it as ready for review."),
    ("not mergeable", "It conflicts with its base branch, or is not open any more: update the branch."),
    ("rule violations", "The repository's rules (Settings, Rules) ask for what GitHub names."),
    ("required status check", "Wait until every required check has passed, and ask again."),
    ("approving review", "The repository's rules ask for a review on GitHub itself."),
)
LOCKED = "Somebody locked the conversation: `gh pr unlock NUMBER`, or Unlock conversation on its page."
PERMISSION = "Give the job the permission in `permissions:`; docs/threat-model.md lists what each job needs."


def error_of(error: Any) -> MlbotError:
    """The error for a GithubException. A WorldError may go away by itself."""
    status, said = error.status, words(error.data)
    if status == 401:
        hint = "Run the workflow again for a fresh token, or set GITHUB_TOKEN."
        return UserError(
            "GitHub refuses the token: it is missing, wrong or expired (401)", hint=hint, code="token_refused"
        )
    if status == 403 and not _is_limit(said):
        is_locked = "locked" in said.lower()
        code = "conversation_locked" if is_locked else "forbidden"
        return UserError(f"GitHub refuses: {said} (403)", hint=LOCKED if is_locked else PERMISSION, code=code)
    if status in (404, 410):
        hint = "Check GITHUB_REPOSITORY and the number, and that the token may read it: GitHub answers 404 for both."
        return UserError(f"GitHub does not have it: {said or 'Not Found'} ({status})", hint=hint, code="not_found")
    types = {one.get("type") for one in _mistakes(error.data) if isinstance(one, dict)} if status == 400 else set()
    if types and types <= {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:  # of a GraphQL query
        return UserError(f"GitHub refuses: {said}", hint=PERMISSION, code="forbidden")
    if status in (405, 409, 422) or types == {"UNPROCESSABLE"}:
        return UserError(f"GitHub refuses: {said} ({status})", hint=next_step(said), code="refused")
    return WorldError(f"GitHub failed: {said or error} ({status})", hint="Run this again later.")


def words(data: Any) -> str:
    """GitHub's message with what it says of each mistake, on one line; empty when it says nothing."""
    if not isinstance(data, dict):
        return ""
    details = [_detail(one) for one in _mistakes(data)]
    said = [str(data.get("message") or ""), *dict.fromkeys(details)]
    return ": ".join(" ".join(one.split()) for one in said if one.strip())


def next_step(said: str) -> str | None:
    """What can be done about a refusal, None when its words are not known."""
    return next((step for known, step in NEXT_STEPS if known in said.lower()), None)


def _mistakes(data: Any) -> list[Any]:
    found = data.get("errors") if isinstance(data, dict) else None
    return found if isinstance(found, list) else []


def _detail(mistake: Any) -> str:
    if not isinstance(mistake, dict):
        return str(mistake)
    parts = [str(mistake.get(key) or "") for key in ("resource", "field", "code")]
    return str(mistake.get("message") or " ".join(part for part in parts if part))


def _is_limit(said: str) -> bool:
    return "rate limit" in said.lower() or "abuse detection" in said.lower()
