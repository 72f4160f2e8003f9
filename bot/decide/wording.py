"""Words of verdicts: lists, numbers, and why an approval does not count."""

from __future__ import annotations

from collections.abc import Iterable

REFUSALS: dict[str, str] = {
    "voided": "closing or retargeting the pull request made it void; approve again.",
    "method_not_allowed": "the policy does not take approvals given in this way.",
    "tampered": "the text is not the one that was first recorded; approve again.",
    "edited": "the comment was edited; post a new one.",
    "future_dated": "it is dated in the future.",
    "app_not_listed": "an app's approval counts only when a role lists it.",
    "self_approval": "the author's own approval does not count.",
    "contributor_approval": "the approval of somebody who built the change does not count.",
    "expired": "it is older than the policy allows; approve again.",
    "withdrawn": "it was withdrawn, dismissed or followed by a rejection.",
    "out_of_scope": "it names other models or another environment.",
    "target_missing": "it does not name the evaluation or the commit that it approves.",
    "target_unknown": "it names no evaluation or commit of this pull request.",
    "stale_head": "it was given for other content; approve again.",
    "evaluation_unseen": "it was given before the evaluation was there; look at it and approve again.",
    "role_missing": "the person does not hold the role.",
    "role_lost": "the person held the role then and does not any more.",
    "role_unknown": "GitHub did not say whether the person holds the role.",
    "recent_contributor": "the person built this model too recently to be independent.",
}


def listed(words: Iterable[str], limit: int = 8) -> str:
    """`a, b and c`; a long list ends with how many more there are."""
    words = list(words)
    if len(words) > limit:
        return f"{', '.join(words[:limit])} and {len(words) - limit} more"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def plural(count: int, noun: str) -> str:
    """`1 model-owner`, `2 x model-owner`."""
    return f"1 {noun}" if count == 1 else f"{count} x {noun}"


def short(digest: str) -> str:
    """The first 12 hexadecimal digits, for display only."""
    return digest.removeprefix("sha256:")[:12]


def span(seconds: float) -> str:
    """`1 d 2 h`, `59 s`: the two largest units, rounded up to whole ones."""
    whole = int(-(-seconds // 1))
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if whole >= size:
            parts.append(f"{whole // size} {unit}")
            whole %= size
    return " ".join(parts[:2]) or "0 s"
