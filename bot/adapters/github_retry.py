"""Which requests are made again when GitHub fails: not those that make something new and may have taken effect."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from github.GithubRetry import GithubRetry
from urllib3.exceptions import MaxRetryError, ResponseError

T = TypeVar("T")
TIMES, PAUSE_S = 4, 1.0
# What a second request would make twice. Statuses, reactions and queries may be sent again.
MAKES_NEW = re.compile(r"/(?:comments|deployments|dispatches|issues|pulls)(?:\?.*)?$")


class CarefulRetry(GithubRetry):
    """Waits as GithubRetry does; a POST that makes something is repeated only when GitHub certainly did not do it.

    That is after a rate limit or without a connection. For any other failure the caller looks whether it is there.
    """

    def increment(
        self, method: str | None = None, url: str | None = None, response: Any = None, error: Exception | None = None,
        _pool: Any = None, _stacktrace: Any = None,
    ) -> Any:  # fmt: skip
        """The next try. Raises MaxRetryError when there must be none."""
        is_new = (method or "").upper() == "POST" and bool(MAKES_NEW.search(url or ""))
        was_heard = response.status >= 500 if response is not None else not self._is_connection_error(error)  # type: ignore[arg-type]
        if is_new and was_heard:
            reason = error or ResponseError(f"GitHub answered {response.status}")
            raise MaxRetryError(_pool, url or "", reason)
        return super().increment(method, url, response, error, _pool, _stacktrace)


def made_once(post: Callable[[], list[T]], look: Callable[[], list[T]]) -> list[T]:
    """What `post` makes; when it does not answer, `look` says whether it is there, and only then it is asked again."""
    for left in range(TIMES, 0, -1):
        try:
            return post()
        except requests.RequestException:
            found = look()
            if found:
                return found
            if left == 1:
                raise
            time.sleep(PAUSE_S)
    raise AssertionError("unreachable")
