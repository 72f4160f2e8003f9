"""The assumptions of docs/github-assumptions.md against a real repository: `make smoke-github REPO=owner/name`.

GITHUB_TOKEN is whom it asks as, GITHUB_API_URL where. It reads only; with `--write` it also pushes a branch and a tag
of its own name and sets a status on a commit that only that branch holds, with `--issue N` it comments there. All of
that is deleted again; the status stays with a commit that nothing leads to. Prints one line an assumption, and exits 1
when one is not as assumed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence

import requests

from tests.smoke_github.place import Different, NotCheckable, Place
from tests.smoke_github.reads import READS
from tests.smoke_github.writes import WRITES

SEEN, DIFFERENT, NOT_CHECKABLE = "seen", "not as assumed", "not checkable"


def outcome(check: Callable[[Place], str], at: Place) -> tuple[str, str]:
    """What became of one check, and what was seen."""
    try:
        return SEEN, check(at)
    except Different as error:
        return DIFFERENT, str(error)
    except NotCheckable as error:
        return NOT_CHECKABLE, str(error)
    except (KeyError, TypeError, IndexError) as error:  # an answer of another shape
        return DIFFERENT, f"{type(error).__name__}: {error}"
    except requests.RequestException as error:
        return NOT_CHECKABLE, f"no answer: {type(error).__name__}"


def main(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """0 when nothing is otherwise than assumed, 2 when it cannot begin."""
    parser = argparse.ArgumentParser(prog="python -m tests.smoke_github", description=__doc__)
    parser.add_argument("repository", metavar="OWNER/NAME")
    parser.add_argument("--write", action="store_true", help="also what only a change shows; each is undone")
    parser.add_argument("--issue", type=int, metavar="N", help="an issue or pull request to comment in, with --write")
    asked = parser.parse_args(arguments)
    token = environ.get("GITHUB_TOKEN", "")
    if not token:
        print("GITHUB_TOKEN is not set", file=sys.stderr)
        return 2
    api_url = environ.get("GITHUB_API_URL") or "https://api.github.com"
    at = Place(api_url, asked.repository, token, asked.issue)
    checks = READS | (WRITES if asked.write else {})
    found = {name: outcome(check, at) for name, check in checks.items()}
    at.close()
    for name in sorted(found, key=lambda one: (one[0], int(one[1:]))):
        what, seen = found[name]
        print(f"{name:<4} {what:<15} {seen.replace(token, '***')}")
    counts = {word: sum(one == word for one, _ in found.values()) for word in (SEEN, DIFFERENT, NOT_CHECKABLE)}
    print(f"{api_url} {asked.repository}: " + ", ".join(f"{n} {word}" for word, n in counts.items()))
    return 1 if counts[DIFFERENT] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
