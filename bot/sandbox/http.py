"""One API call and its answer, as values: what the routes read and write. GitHub's own error shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from bot.sandbox.people import RANKS, Permission

if TYPE_CHECKING:
    from bot.sandbox.hub import Hub
    from bot.sandbox.shapes.basics import Links
    from bot.sandbox.store import Repository, Token

DOCS = "https://docs.github.com/rest"
MAX_BODY = 65_536


class ApiError(Exception):
    """An answer that is an error, with GitHub's body."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[Any] = (),
        headers: Mapping[str, str] | None = None,
        docs: str = DOCS,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: dict[str, Any] = {"message": message, "documentation_url": docs, "status": str(status)}
        if errors:
            self.body["errors"] = list(errors)


class MovedError(ApiError):
    """A redirect to where a repository is now: 301 for GET, 307 for what is not to become a GET on the way."""

    def __init__(self, status: int, address: str) -> None:
        super().__init__(status, "Moved Permanently", headers={"Location": address})
        del self.body["status"]
        self.body["url"] = address


def not_found() -> ApiError:
    return ApiError(404, "Not Found")


def invalid(resource: str, name: str, code: str = "invalid", message: str | None = None) -> ApiError:
    """422 for one field, in GitHub's words."""
    error = {"resource": resource, "field": name, "code": code} | ({"message": message} if message else {})
    return ApiError(422, "Validation Failed", [error])


@dataclass(frozen=True)
class Reply:
    """`body` None means an answer without content; bytes go out as they are, anything else as JSON.

    `broken` tells how the connection ends without any answer.
    """

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    broken: Literal["", "reset", "hang"] = ""


@dataclass(frozen=True)
class Page:
    """A list that the server cuts into pages. `key` wraps it in an object with its total count."""

    items: Sequence[Any]
    shape: Callable[[Any], Any]
    key: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Call:
    """A request that was routed and authenticated. `root` is the API's address as the caller knows it.

    `web` is the pages' address, `headers` are the request's, in lower case, `raw` is its body as it came.
    """

    hub: Hub
    method: str
    params: dict[str, str]
    query: dict[str, str]
    body: Any
    token: Token | None
    root: str
    header: str | None = None
    web: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""

    @property
    def repo(self) -> Repository:
        """The repository in the path. Raises 404."""
        return self.hub.repository(f"{self.params['owner']}/{self.params['repo']}")

    @property
    def links(self) -> Links:
        return self.hub.links(self.root, self.web)

    @property
    def by_run(self) -> bool:
        """Whether a workflow run's token acts: what it causes starts no further workflow."""
        return self.token is not None and self.token.run is not None

    @property
    def app(self) -> int | None:
        """The GitHub App behind the token, None for a person's."""
        return self.token.app if self.token is not None else None

    @property
    def login(self) -> str:
        """Who acts. Raises 401 for an anonymous call."""
        if self.token is None:
            raise ApiError(401, "Requires authentication")
        return self.token.login

    def number(self, name: str = "number") -> int:
        """A number in the path."""
        text = self.params[name]
        if not text.isdigit():
            raise not_found()
        return int(text)

    def text(self, name: str, *, resource: str, limit: int = MAX_BODY, default: str | None = None) -> str:
        """A text field of the body; `default` None means that it must be there. Raises 422."""
        value = self.body.get(name) if isinstance(self.body, dict) else None
        if value is None and default is not None:
            return default
        if value is None:
            raise invalid(resource, name, "missing_field")
        if not isinstance(value, str):
            raise ApiError(422, f"Invalid request.\n\nFor 'properties/{name}', {value!r} is not a string.")
        if len(value) > limit:
            raise invalid(resource, name, "custom", f"{name} is too long (maximum is {limit} characters)")
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """A field of the body, `default` when it is not there."""
        return self.body.get(name, default) if isinstance(self.body, dict) else default

    def role(self) -> Permission:
        """What the caller may do in the repository, by person. A run's token counts as write."""
        if self.token is None:
            return "none" if self.repo.private else "read"
        return "write" if self.token.permissions is not None else self.hub.permission(self.repo, self.token.login)

    def is_shut_out(self, locked: bool) -> bool:
        """Whether a locked conversation keeps the caller from speaking: all but people who may push, so every app."""
        return locked and (self.app is not None or not self.at_least("write"))

    def at_least(self, permission: Permission) -> bool:
        """Whether the caller's role in the repository is this or higher."""
        return RANKS.index(self.role()) >= RANKS.index(permission)


Handler = Callable[[Call], "Reply | Page"]


@dataclass(frozen=True)
class Route:
    """`needs` are run-token permissions, any of which will do, at `level`; `role` is what a person must have.

    `needs` empty means that every token will do; `("never",)` that no app's token will. `signed_by_app` tells that the
    caller is a GitHub App itself, with a JSON Web Token; `saves` is False when the handler saves for itself,
    `takes_bytes` tells that the body is a file and no JSON.
    """

    method: str
    pattern: str
    handler: Handler
    needs: tuple[str, ...] = ()
    role: Permission = "read"
    level: str | None = None
    signed_by_app: bool = False
    saves: bool = True
    takes_bytes: bool = False

    def required_level(self) -> str:
        return self.level or ("read" if self.method == "GET" else "write")
