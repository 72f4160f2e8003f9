"""What only a change shows, each undone: a branch and a tag of its own name, comments that are deleted again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.smoke_github.place import NotCheckable, Place, expect


@contextmanager
def branch(at: Place) -> Iterator[str]:
    """A branch of this run's own with an empty commit on the default branch's, which is nowhere else; its commit."""
    at.git("fetch", "-q", "--depth=1", "origin", at.head)
    who = ("-c", "user.name=mlbot smoke", "-c", "user.email=smoke@example.com")
    tree = at.git("rev-parse", f"{at.head}^{{tree}}").stdout.strip()
    made = at.git(*who, "commit-tree", tree, "-p", at.head, "-m", at.word).stdout.strip()
    done = at.git("push", "-q", "origin", f"{made}:refs/heads/{at.word}")
    if done.returncode:
        raise NotCheckable(f"no branch can be pushed: {done.stderr.strip().splitlines()[-1]}")
    try:
        yield made
    finally:
        at.git("push", "-q", "origin", f":refs/heads/{at.word}")


@contextmanager
def comment(at: Place, body: str) -> Iterator[tuple[int, Any]]:
    """A comment; status and answer."""
    if at.number is None:
        raise NotCheckable("name an issue with --issue")
    status, _, made = at.ask(f"{at.url}/issues/{at.number}/comments", "POST", {"body": body})
    try:
        yield status, made
    finally:
        if status < 400:
            at.ask(f"{at.url}/issues/comments/{made['id']}", "DELETE")


def compare_and_swap(at: Place) -> str:
    with branch(at) as tip:
        ref = f"refs/heads/{at.word}"
        stale = at.git("push", "--porcelain", f"--force-with-lease={ref}:{at.head}", "origin", f"{at.head}:{ref}")
        expect(stale.returncode != 0 and "stale info" in stale.stdout, stale.stdout + stale.stderr)
        there = at.git("ls-remote", "origin", ref).stdout.partition("\t")[0]
        expect(there == tip, there)
    return "a lease that is not met moves nothing"


def tag(at: Place) -> str:
    with branch(at) as tip:
        name = f"{at.word}@v1.0.0"
        done = at.git("push", "-q", "origin", f"{tip}:refs/tags/{name}")
        expect(done.returncode == 0, done.stderr[-200:])
        there = at.git("ls-remote", "origin", f"refs/tags/{name}").stdout.partition("\t")[0]
        at.git("push", "-q", "origin", f":refs/tags/{name}")
        expect(there == tip, there)
    return f"{name} was there, and is gone"


def long_description(at: Place) -> str:
    with branch(at) as tip:
        asked = {
            size: at.ask(
                f"{at.url}/statuses/{tip}",
                "POST",
                {"state": "success", "context": at.word, "description": "x" * size},
            )[0]
            for size in (140, 141)
        }
    if asked[140] in (403, 404):
        raise NotCheckable("the token may set no status")
    expect(asked == {140: 201, 141: 422}, asked)
    return "140 characters fit, 141 do not"


def long_comment(at: Place) -> str:
    asked = {}
    for size in (65_536, 65_537):
        with comment(at, "x" * size) as (status, _):
            asked[size] = status
    expect(asked == {65_536: 201, 65_537: 422}, asked)
    return "65,536 characters fit, 65,537 do not"


def unedited(at: Place) -> str:
    with comment(at, at.word) as (status, made):
        expect(status == 201 and made["created_at"] == made["updated_at"], status)
    return "created_at is updated_at"


def reaction(at: Place) -> str:
    with comment(at, at.word) as (_, made):
        path = f"{at.url}/issues/comments/{made['id']}/reactions"
        asked = [at.ask(path, "POST", {"content": "eyes"})[0] for _ in range(2)]
    expect(asked == [201, 200], asked)
    return "201, then 200"


WRITES: dict[str, Callable[[Place], str]] = {
    "R9": unedited, "R11": long_comment, "R12": reaction, "R14": long_description, "G2": compare_and_swap, "G3": tag,
}  # fmt: skip
