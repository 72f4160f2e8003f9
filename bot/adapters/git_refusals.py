"""What git says when a fetch or a push fails -> an error for people, in the words of the server that refused.

Only the lines that git or the server wrote about it are read, in English (see `LocalGit`): a branch, a commit id or an
address in another line may hold any word and any number.
"""

from __future__ import annotations

import re

from bot.errors import UserError, WorldError

MOST_LINES = 6  # of what the server says
_STATUS = re.compile(r"^(?:fatal|error): .*The requested URL returned error: (\d{3})\b")
_NO_TOKEN = re.compile(r"^fatal: (?:Authentication failed for|could not read (?:Username|Password) for)")
_NOT_ALLOWED = re.compile(
    r"^(?:remote: |ERROR: )?(?:Permission to \S+ denied to|Write access to repository not granted)"
    r"|^\S+: Permission denied \(publickey"
)
_GONE = re.compile(
    r"^(?:remote: |ERROR: )Repository not found|^fatal: repository '.*' not found$"
    r"|^fatal: '.*' does not appear to be a git repository"
)
_MISSING = re.compile(r"^fatal: (?:couldn't find remote ref|.*\bnot our ref\b|remote error: upload-pack: not our ref)")
_IN_THE_WAY = re.compile(r"'(refs/[^']+)' exists; cannot create '(refs/[^']+)'")
_REJECTED = re.compile(r"^ ! \[(?P<side>(?:remote )?rejected)\] .*? -> .*?\((?P<why>.*)\)$")
_CLOBBERED = re.compile(r"^ ! \[rejected\] .*\(would clobber existing tag\)$")
_LOCKED = ("cannot lock ref", "unable to update local ref", ".lock': File exists")
# https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets
_RULE = re.compile(r"\bGH\d{3}\b")
_DECLINED = re.compile(
    r"hook declined|declined due to|deny updating a hidden ref|directory file conflict", re.IGNORECASE
)
_NOISE = re.compile(
    r"^(?:Review all repository rules at|Resolving deltas|Compressing objects|Total |Create a pull request)"
)


def is_locked(stderr: str) -> bool:
    """Whether another git writes the same references of this clone at this moment."""
    return any(word in stderr for word in _LOCKED) and _in_the_way(stderr) is None


def only_tags_moved(stderr: str) -> bool:
    """Whether a fetch failed for nothing else than tags that are here and moved there: those here stay as they are."""
    lines = [line for line in stderr.splitlines() if line.startswith((" ! ", "fatal:", "error:"))]
    return bool(lines) and all(_CLOBBERED.match(line) for line in lines)


def lost_race(stderr: str) -> bool:
    """Whether a push failed because somebody else moved the branch meanwhile, so that trying again makes sense."""
    if _in_the_way(stderr) is not None:
        return False
    for line in stderr.splitlines():
        found = _REJECTED.match(line)
        if found is None:
            continue
        why = found["why"]
        if found["side"] == "rejected" or "cannot lock ref" in why or why in ("failed to update ref", "stale info"):
            return True
    return False


def fetch_error(stderr: str) -> UserError | WorldError:
    """Why a fetch failed; code `ref_missing` when origin answers and does not have it."""
    taken = _in_the_way(stderr)
    if taken is not None:
        return _taken_here(*taken)
    if is_locked(stderr):
        hint = "Run this again; when no git runs in this clone any more, remove the lock file."
        return WorldError(f"another git works in this clone: {_first(stderr)}", hint=hint)
    if any(_MISSING.match(line) for line in stderr.splitlines()):
        return UserError(f"origin does not have it: {_last(stderr)}", code="ref_missing")
    return _access("fetch from origin", stderr) or WorldError(f"cannot fetch from origin: {_last(stderr)}")


def push_error(what: str, stderr: str) -> UserError | WorldError:
    """Why `what` (`branch mlbot/ledger`) could not be pushed; code `push_refused` when a rule of the server forbids."""
    taken = _in_the_way(stderr)
    if taken is not None:
        return _taken_there(what, *taken)
    access = _access(f"push {what}", stderr)
    if access is not None:
        return access
    said = server_words(stderr)
    if _RULE.search(said) or _DECLINED.search(said):
        hint = f"A rule of the repository forbids it. Let the bot pass it, or take {what} out of what it covers."
        return UserError(f"cannot push {what}: {said}", hint=hint, code="push_refused")
    return WorldError(f"cannot push {what}: {said or _last(stderr)}")


def server_words(stderr: str) -> str:
    """What the server itself said, on one line: rule numbers, the rules that were broken, why a push is refused."""
    lines = stderr.splitlines()
    said = [line.removeprefix("remote:").strip() for line in lines if line.startswith("remote:")]
    said = [line.removeprefix("error:").removeprefix("- ").strip() for line in said if line and not _NOISE.match(line)]
    why = [found["why"] for line in lines if (found := _REJECTED.match(line))]
    words = [line for line in said[:MOST_LINES] if line]
    words += [one for one in dict.fromkeys(why) if not any(one in line for line in words)]
    return " ".join(word if word.endswith((".", ":", "!", "?")) else f"{word}." for word in words)


def _in_the_way(stderr: str) -> tuple[str, str] | None:
    """(the reference that is there, the one that cannot be made beside it): one name is a folder of the other's."""
    found = _IN_THE_WAY.search(stderr)
    return (found[1], found[2]) if found else None


def _taken_there(what: str, there: str, wanted: str) -> UserError:
    name = _short(there)
    hint = (
        f"Git cannot hold both `{name}` and `{_short(wanted)}`. Rename the branch: Branches page of the repository, or "
        f"git push origin origin/{name}:refs/heads/{name}-old :refs/heads/{name}"
    )
    return UserError(f"cannot push {what}: a branch called {name} is in the way", hint=hint, code="name_taken")


def _taken_here(there: str, wanted: str) -> UserError:
    name = _short(there)
    hint = f"git remote prune origin. If origin still has a branch `{name}`, somebody must rename it there."
    message = f"this clone remembers a branch {name}, which is in the way of {_short(wanted)}"
    return UserError(message, hint=hint, code="name_taken")


def _short(ref: str) -> str:
    return re.sub(r"^refs/(?:heads|tags|remotes/origin)/", "", ref)


def _access(what: str, stderr: str) -> UserError | None:
    lines = stderr.splitlines()
    statuses = {found[1] for line in lines if (found := _STATUS.match(line))}
    if "401" in statuses or any(_NO_TOKEN.match(line) for line in lines):
        return UserError(
            f"cannot {what}: the token is missing, wrong or expired (401)",
            hint="Run the workflow again for a fresh token, or set GITHUB_TOKEN.",
            code="token_refused",
        )
    if "403" in statuses or any(_NOT_ALLOWED.match(line) for line in lines):
        said = server_words(stderr)
        message = f"cannot {what}: the token may not (403)" + (f": {said}" if said else "")
        return UserError(message, hint="The job needs `contents: write`.", code="forbidden")
    if "404" in statuses or any(_GONE.match(line) for line in lines):
        message = f"cannot {what}: there is no such repository (404)"
        return UserError(message, hint="Check `git remote -v`.", code="not_found")
    return None


def _first(stderr: str) -> str:
    return next((line for line in stderr.strip().splitlines() if line.strip()), "no message")


def _last(stderr: str) -> str:
    """The line that says why: the last that git calls fatal or an error, else the last at all."""
    lines = [line for line in stderr.strip().splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:", " ! "))]
    return next(iter(reversed(told or lines)), "no message").strip()
