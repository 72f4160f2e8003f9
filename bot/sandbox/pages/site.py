"""Pages by address, and what a form does: it calls the same API that everybody calls, as the person that was chosen."""

from __future__ import annotations

import base64
import functools
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from bot.sandbox import mergeability
from bot.sandbox.http import ApiError, Reply
from bot.sandbox.hub import Hub
from bot.sandbox.pages import diff, markdown, views
from bot.sandbox.people import BOT, Person
from bot.sandbox.store import Issue, Repository, Run

HERE = Path(__file__).parent
_HUES = (210, 150, 20, 280, 340, 180, 45, 250)
_LOG_BYTES = 400_000


@dataclass(frozen=True)
class Request:
    """A request for a page. `form` is empty but for a form's POST; `headers` have lower-case names."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


Act = Callable[[str, str, str, dict[str, Any]], Reply]


@functools.cache
def _templates() -> Any:
    import jinja2

    loader = jinja2.FileSystemLoader(HERE / "templates")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)


@functools.cache
def avatar(person: Person) -> str:
    """A small picture as a data address: the first letter on the account's own colour."""
    hue = _HUES[person.id % len(_HUES)]
    letter = "⚙" if person == BOT else person.login[:1].upper()
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">'
        f'<rect width="40" height="40" fill="hsl({hue} 45% 38%)"/>'
        f'<text x="20" y="27" font-family="sans-serif" font-size="19" fill="#fff" text-anchor="middle">{letter}</text>'
        "</svg>"
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


_ADDRESS = re.compile(r"^/([^/]+/[^/]+?)(?:/(.*))?$")
LOCKED = (
    "<!doctype html><meta charset=utf-8><title>403</title><p>Open the address that was printed at the start of the "
    "sandbox: it has the key of these pages."
)


class Site:
    """Answers what is neither API nor git. `act` calls the API: login, method, path, body."""

    def __init__(self, hub: Hub, act: Act, clone: Path) -> None:
        self.hub = hub
        self.act = act
        self.clone = clone
        self.commands: list[str] = []

    def answer(self, request: Request) -> Reply | None:
        """None when the address is no page's."""
        if not _is_page(request.path, self.hub):
            return None
        if (refused := self._let_in(request)) is not None:
            return refused
        if request.path == "/-/version":
            return Reply(views.version(self.hub), 200, {"Content-Type": "text/plain"})
        if request.path == "/":
            return _to("/" + next(iter(self.hub.data.repositories)))
        match = _ADDRESS.match(request.path)
        repository = self.hub.data.repositories.get(match[1]) if match else None
        if match is not None and repository is None and (moved := self.hub.moved(match[1])):
            return _to(f"/{moved.full_name}/{match[2] or ''}".rstrip("/"))
        if match is None or repository is None:
            return None
        try:
            with self.hub.lock:
                return self._page(request, repository, (match[2] or "").strip("/"))
        except ApiError as error:
            return Reply(f"<!doctype html><meta charset=utf-8><title>{error.status}</title><p>{error}", error.status)

    def _let_in(self, request: Request) -> Reply | None:
        """None for who has the key; it comes once in the address that is printed, and then as a cookie."""
        given = request.query.get("key", "")
        if given and secrets.compare_digest(given.encode(), self.hub.data.key.encode()):
            cookie = f"key={self.hub.data.key}; Path=/; SameSite=Strict; HttpOnly"
            rest = {name: value for name, value in request.query.items() if name != "key"}
            place = quote(request.path) + (f"?{urlencode(rest)}" if rest else "")
            return Reply(None, 303, {"Location": place, "Set-Cookie": cookie})
        if secrets.compare_digest(_cookie(request, "key").encode(), self.hub.data.key.encode()):
            return None
        return Reply(LOCKED, 403)

    def _page(self, request: Request, repository: Repository, rest: str) -> Reply | None:
        for pattern, method in _PAGES:
            match = re.fullmatch(pattern, rest)
            if match:
                reply: Reply = method(self, request, repository, **match.groupdict())
                return reply
        return None

    def render(self, name: str, repository: Repository, *, live: bool = True, me: str = "", **values: Any) -> str:
        """A template with what every page has."""
        home = f"/{repository.full_name}"

        def sha(full: str) -> Any:
            from markupsafe import Markup

            plain = Markup("<code>{}</code>").format(full[:7])
            return Markup('<a href="{}/commit/{}">{}</a>').format(home, full, plain) if live else plain

        common = {
            "repo": repository,
            "home": home,
            "live": live,
            "me": me,
            "sha": sha,
            "avatars": avatar,
            "actors": views.actors(self.hub),
            "style": (HERE / "style.css").read_text(),
            "version": views.version(self.hub),
            "flash": "",
        }
        text: str = _templates().get_template(name).render(common | values)
        return text

    # --- pages

    def index(self, request: Request, repository: Repository) -> Reply:
        if request.method == "POST":
            return self._open(request, repository)
        return Reply(self._index(request, repository))

    def _index(self, request: Request, repository: Repository, flash: str = "") -> str:
        issues = sorted(repository.issues.values(), key=lambda one: one.number, reverse=True)
        taken = {one.pull.head_ref for one in issues if one.pull and one.state == "open"}
        refs = self.hub.bare(repository).refs()
        names = [name.removeprefix("refs/heads/") for name in refs if name.startswith("refs/heads/")]
        branches = [name for name in names if name not in taken and self._is_ahead(repository, name)]
        me = _me(request)
        push_url = f"{self.hub.url}/{repository.full_name}.git".replace("//", f"//x-access-token:{self._token(me)}@", 1)
        return self.render(
            "home.html",
            repository,
            me=me,
            heading=repository.full_name,
            branches=branches,
            issues=[(one, views.state(one)) for one in issues],
            runs=self.hub.data.runs[-25:][::-1],
            state_of=views.state_of,
            clone=self.clone,
            push_url=push_url,
            flash=flash,
        )

    def _is_ahead(self, repository: Repository, branch: str) -> bool:
        """Whether a branch has commits, and a history, that a pull request could bring to the default branch."""
        bare = self.hub.bare(repository)
        head, base = bare.branch(branch), bare.branch(repository.default_branch)
        return bool(head and base) and bare.merge_base(str(head), str(base)) not in (None, head)

    def _token(self, login: str) -> str:
        known = self.hub.data.people.get(login)
        return known.secret if known else ""

    def _open(self, request: Request, repository: Repository) -> Reply:
        me = _me(request)
        body = {name: request.form.get(name, "") for name in ("title", "head")} | {"base": repository.default_branch}
        done = self.act(me, "POST", f"/repos/{repository.full_name}/pulls", body)
        if done.status >= 400:
            return _remember(Reply(self._index(request, repository, _why(done)), done.status), me)
        return _remember(_to(f"/{repository.full_name}/pull/{done.body['number']}"), me)

    def pull(self, request: Request, repository: Repository, number: str) -> Reply:
        issue = repository.issues.get(int(number))
        if issue is None:
            raise ApiError(404, "There is no such pull request.")
        me = _me(request)
        if request.method != "POST":
            return Reply(self.conversation(repository, issue, me=me))
        done = self._do(request, repository, issue, me)
        if done is not None and done.status >= 400:
            text = self.conversation(repository, issue, me=me, flash=_why(done), draft=request.form.get("body", ""))
            return _remember(Reply(text, done.status), me)
        return _remember(_to(request.path), me)

    def _do(self, request: Request, repository: Repository, issue: Issue, me: str) -> Reply | None:
        """What the pressed button means; a text beside `Close` or `Merge` is posted first, as GitHub does."""
        word, text = request.form.get("do", "comment"), request.form.get("body", "").replace("\r\n", "\n").strip()
        pull, talk = (
            f"/repos/{repository.full_name}/pulls/{issue.number}",
            f"/repos/{repository.full_name}/issues/{issue.number}",
        )
        if word in ("approve", "request_changes"):
            return self.act(me, "POST", f"{pull}/reviews", {"event": word.upper(), "body": text})
        if text or word == "comment":
            said = self.act(me, "POST", f"{talk}/comments", {"body": text})
            if word == "comment" or said.status >= 400:
                return said
        if word == "merge" and issue.pull:
            methods = mergeability.allowed_methods(self.hub, repository, issue.pull.base_ref)
            body = {"sha": issue.pull.head_sha, "merge_method": next(iter(methods), "merge")}
            return self.act(me, "PUT", f"{pull}/merge", body)
        if word == "ready":
            return self.act(me, "POST", f"/repos/{repository.full_name}/pulls/{issue.number}/ready_for_review", {})
        state = {"close": "closed", "reopen": "open"}.get(word)
        return self.act(me, "PATCH", talk, {"state": state}) if state else None

    def conversation(
        self, repository: Repository, issue: Issue, *, live: bool = True, me: str = "", flash: str = "", draft: str = ""
    ) -> str:
        """The page of a pull request or issue. With `live` False it stands alone: no forms, no links into the site."""
        home = f"{self.hub.url}/{repository.full_name}"
        return self.render(
            "pull.html",
            repository,
            live=live,
            me=me,
            flash=flash,
            draft=draft,
            issue=issue,
            pull=issue.pull,
            state=views.state(issue),
            author=views.person(self.hub, issue.author),
            body=markdown.render(issue.body, home) if issue.body else "",
            entries=views.conversation(self.hub, repository, issue, home),
            checks=views.checks(self.hub, repository, issue),
            blockers=mergeability.blockers(self.hub, repository, issue) if issue.pull else [],
            reviewers=views.reviewers(self.hub, repository, issue),
            files=views.files(self.hub, repository, issue),
            environments=views.environments(repository),
            commands=self.commands,
        )

    def run(self, request: Request, repository: Repository, number: str) -> Reply:
        run: Run | None = next((one for one in self.hub.data.runs if one.id == int(number)), None)
        if run is None:
            raise ApiError(404, "There is no such run.")
        me = _me(request)
        if request.method == "POST":
            word = request.form.get("do", "")
            done = self.act(me, "POST", f"/repos/{repository.full_name}/actions/runs/{run.id}/{quote(word)}", {})
            if done.status < 400:
                return _remember(_to(request.path), me)
            return Reply(self._run(repository, run, me, _why(done)), done.status)
        return Reply(self._run(repository, run, me))

    def _run(self, repository: Repository, run: Run, me: str, flash: str = "") -> str:
        path = Path(run.log) if run.log else None
        log = path.read_text(errors="replace")[-_LOG_BYTES:] if path and path.exists() else ""
        summary = markdown.render(run.summary, f"/{repository.full_name}") if run.summary else ""
        return self.render(
            "run.html", repository, me=me, flash=flash, run=run, state=views.state_of(run), log=log, summary=summary
        )

    def commit(self, request: Request, repository: Repository, sha: str) -> Reply:
        bare = self.hub.bare(repository)
        found = bare.commit(sha)
        if found is None:
            raise ApiError(404, "There is no such commit.")
        subject, _, message = found.message.partition("\n")
        parent = str(found.parent_ids[0]) if found.parent_ids else None
        files = [diff.read(entry) for entry in bare.files(parent, str(found.id))[:300]]
        values = {"commit": found, "subject": subject, "message": message.strip(), "files": files}
        return Reply(self.render("commit.html", repository, me=_me(request), **values))

    def files(self, request: Request, repository: Repository, kind: str, place: str) -> Reply:
        """`place` is a ref, which may hold slashes, then a path."""
        bare = self.hub.bare(repository)
        parts = place.split("/")
        for cut in range(1, len(parts) + 1):
            ref, path = "/".join(parts[:cut]), "/".join(parts[cut:])
            if bare.commit(ref) is not None:
                break
        else:
            raise ApiError(404, "There is no such branch, tag or commit.")
        data = bare.read(ref, path) if path else None
        if kind == "raw" and data is not None:
            return Reply(data.decode(errors="replace"), 200, {"Content-Type": "text/plain; charset=utf-8"})
        folder = bare.folder(ref, path) if data is None else {}
        if data is None and not folder:
            raise ApiError(404, "There is no such file.")
        kinds = {name: "tree" if one.type_str == "tree" else "blob" for name, one in folder.items()}
        listed = sorted(kinds.items(), key=lambda pair: (pair[1] != "tree", pair[0]))
        text = (data or b"").decode(errors="replace")
        rendered = markdown.render(text, f"/{repository.full_name}") if path.endswith(".md") else ""
        values: dict[str, Any] = {"ref": ref, "path": path, "entries": listed if data is None else None, "text": text}
        return Reply(self.render("files.html", repository, me=_me(request), rendered=rendered, **values))

    def deployments(self, request: Request, repository: Repository) -> Reply:
        found = list(reversed(repository.deployments.values()))
        return Reply(self.render("environments.html", repository, me=_me(request), deployments=found))


_PAGES: tuple[tuple[str, Callable[..., Reply]], ...] = (
    (r"(?:pulls|issues|actions)?", Site.index),
    (r"(?:pull|issues)/(?P<number>\d+)", Site.pull),
    (r"actions/runs/(?P<number>\d+)(?:/.*)?", Site.run),
    (r"commit/(?P<sha>[0-9a-f]{4,40})", Site.commit),
    (r"(?P<kind>tree|blob|raw)/(?P<place>.+)", Site.files),
    (r"deployments(?:/.*)?", Site.deployments),
)


def _me(request: Request) -> str:
    """Who was chosen last: by this form, else by a cookie."""
    return request.form.get("as") or _cookie(request, "as")


def _cookie(request: Request, name: str) -> str:
    cookies = (part.strip().partition("=") for part in request.headers.get("cookie", "").split(";"))
    return {key: value for key, _, value in cookies}.get(name, "")


def _is_page(path: str, hub: Hub) -> bool:
    match = _ADDRESS.match(path)
    known = match is not None and (match[1] in hub.data.repositories or hub.moved(match[1]) is not None)
    return known or path in ("/", "/-/version")


def _remember(reply: Reply, me: str) -> Reply:
    cookie = {"Set-Cookie": f"as={quote(me)}; Path=/; SameSite=Strict; HttpOnly"} if me else {}
    return Reply(reply.body, reply.status, reply.headers | cookie)


def _to(path: str) -> Reply:
    return Reply("", 303, {"Location": quote(path)})


def _why(reply: Reply) -> str:
    """An API error in one sentence."""
    errors = reply.body.get("errors", []) if isinstance(reply.body, dict) else []
    said = [_error(one) for one in errors]
    return ": ".join([str(reply.body.get("message", "")), *said])


def _error(given: Any) -> str:
    if isinstance(given, dict):
        return str(given.get("message") or f"{given.get('field')}: {given.get('code')}")
    return str(given)
