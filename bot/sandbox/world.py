"""A whole rehearsal in one folder: the local GitHub, its repository made from a template, a DVC remote, an engine."""

from __future__ import annotations

import functools
import json
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from bot.chatops.grammar import FORMS
from bot.errors import UserError, WorldError
from bot.sandbox import desks, merge_queue, processes, rulesets, stale_reviews, store
from bot.sandbox import template as templates
from bot.sandbox import tls as certificates
from bot.sandbox.apps import add_app
from bot.sandbox.engine import Engine, Settings
from bot.sandbox.http import ApiError, Reply
from bot.sandbox.hub import Hub
from bot.sandbox.merge_queue import MergeGroup
from bot.sandbox.pages.site import Site
from bot.sandbox.people import DEFAULT_PEOPLE, Person, Team
from bot.sandbox.population import Population
from bot.sandbox.runs import run_folder
from bot.sandbox.server import Api, Server
from bot.sandbox.store import Repository, Run
from bot.sandbox.troubles import Troubles

if TYPE_CHECKING:
    from github import Github


class Sandbox(Population, Troubles):
    """Made by `start` (a new folder) or `resume` (one that was left). A context manager; else call `stop`."""

    def __init__(self, directory: Path, hub: Hub, repository: str, settings: Settings, port: int = 0) -> None:
        self.directory = directory
        self.hub = hub
        self.repository = repository
        self.settings = settings
        self.api = Api(hub)
        self.api.reads_need_token = True
        self.server = Server(self.api, port)
        self.engine = Engine(hub, settings)
        hub.listeners += [functools.partial(one.happened, hub) for one in (stale_reviews, merge_queue)]
        self.site = Site(hub, self._act, directory / "clone")
        self.site.commands = list(dict.fromkeys(f"/{form.words[0]}" for form in FORMS))
        self.api.pages = self.site.answer
        self._settled = len(hub.data.runs)
        self.tls: Server | None = None

    @classmethod
    def start(
        cls,
        directory: Path,
        *,
        template: Path,
        people: Iterable[Person] = DEFAULT_PEOPLE,
        repository: str = "acme/models",
        extra_files: Mapping[str, bytes | None] | None = None,
        teams: Iterable[Team] = (),
        labels: Iterable[str] = (),
        extra_env: Mapping[str, str] | None = None,
        secrets: Mapping[str, Mapping[str, str]] | None = None,
        skip_workflows: Iterable[str] = ("ci.yml",),
        default_branch: str | None = None,
        rulesets: Iterable[Mapping[str, Any]] | None = None,
        port: int = 0,
        tls: bool = False,
    ) -> Sandbox:
        """Make DIR/{origin.git, remote/, runs/, clone/} and serve it.

        `template` is a git checkout (its tracked files as they are on disk) or a plain folder; `extra_files` are laid
        over it (empty bytes are kept, as empty files; None leaves a file out). `labels` are runner labels that no
        workflow file names but a matrix may; `skip_workflows` are file names that do not run (a repository's own tests
        are no rehearsal); `secrets` are by environment name, "" for the repository's own; `default_branch` None is the
        template's; `rulesets` None are those that the template keeps as files, () are none; with `tls` it is served
        over TLS, too. Raises UserError when the folder already holds a sandbox, or lies in a Git repository.
        """
        if (directory / "github.json").exists():
            raise UserError(f"{directory}: there is a sandbox already", hint="Name another folder, or resume this one.")
        if any((directory / name).exists() for name in ("origin.git", "clone")):
            raise UserError(f"{directory}: holds a repository already", hint="Name an empty folder, or a new one.")
        _need_git()
        if outer := templates.enclosing(directory):
            hint = "A sandbox makes repositories of its own. Name a folder outside, or leave --dir out."
            raise UserError(f"{directory} lies in the Git repository {outer}", hint=hint, code="inside_repository")
        laid = dict(templates.files(template)) | dict(extra_files or {})
        files = {name: data for name, data in laid.items() if data is not None}
        fresh = not directory.exists()
        directory.mkdir(parents=True, exist_ok=True)
        settings = Settings(set(labels), dict(extra_env or {}), skip=set(skip_workflows))
        hub = Hub(directory.resolve())
        hub.add_people(people)
        hub.add_teams(teams)
        try:
            branch = default_branch or templates.default_branch(template)
            hub.add_repository(repository, default_branch=branch)
            sandbox = cls._make(hub, repository, files, template, settings, port)
            sandbox._add_rulesets(templates.rulesets(files) if rulesets is None else rulesets)
            for name, values in (secrets or {}).items():
                sandbox.set_secrets(name, values)
            if tls:
                sandbox.serve_tls()
            return sandbox
        except BaseException:
            if fresh:
                shutil.rmtree(directory, ignore_errors=True)
            raise

    @classmethod
    def _make(
        cls, hub: Hub, repository: str, files: Mapping[str, bytes], template: Path, settings: Settings, port: int
    ) -> Sandbox:
        sandbox = cls(hub.directory, hub, repository, settings, port)
        remote = hub.directory / "remote"
        everybody = list(hub.data.people.values())
        author = next((one for one in everybody if one.role == "release manager"), everybody[0])
        given = templates.with_local_remote(files, remote, template)
        templates.first_commit(hub, hub.repository(repository), given, author)
        sandbox._serve()
        templates.clone(sandbox.clone, sandbox.clone_url(), remote, hub.reader())
        return sandbox

    def _add_rulesets(self, bodies: Iterable[Mapping[str, Any]]) -> None:
        """Raises UserError for a ruleset that GitHub would not take."""
        for body in bodies:
            try:
                rulesets.check(self.hub, dict(body), self.repo.rulesets)
            except ApiError as error:
                said = "; ".join([str(error), *map(str, error.body.get("errors", ()))])
                raise UserError(f"ruleset {body.get('name')!r}: {said}", hint="Mend it in the template.") from None
            self.repo.rulesets.append(rulesets.document(self.hub, body, self.repository))

    @classmethod
    def resume(cls, directory: Path, *, settings: Settings | None = None, port: int = 0) -> Sandbox:
        """Serve a folder that an earlier sandbox left. Raises UserError when it is none."""
        if not (directory / "github.json").exists():
            raise UserError(f"{directory}: no sandbox", hint="`mlbot sandbox --dir DIR` makes one in an empty folder.")
        try:
            hub = Hub.open(directory.resolve())
        except ValueError as error:
            hint = "It was written by another version, or edited. Start a new sandbox in another folder."
            raise UserError(f"{directory / 'github.json'} cannot be read: {error}", hint=hint, code="broken") from None
        processes.end_in(directory.resolve() / "runs")
        first = next(iter(hub.data.repositories))
        for run in hub.data.runs:
            if run.status != "completed":
                run.status, run.conclusion, run.problem = "completed", "cancelled", "the sandbox was stopped"
        sandbox = cls(directory.resolve(), hub, first, settings or Settings(skip={"ci.yml"}), port)
        sandbox._serve()
        templates.point_clone(sandbox.clone, sandbox.clone_url(), hub.reader())
        return sandbox

    def _serve(self) -> None:
        (self.directory / "runs").mkdir(exist_ok=True)
        (self.directory / "remote").mkdir(exist_ok=True)
        self.server.start()
        self.hub.save()

    def serve_tls(self) -> None:
        """Serve the same over TLS as an enterprise host, besides."""
        self.tls = Server.over_tls(self.api, self.directory)

    def client_environment(self, login: str) -> dict[str, str]:
        """What `gh` and other clients need to act as somebody over TLS. Raises UserError without `tls`."""
        if self.tls is None:
            raise UserError("this sandbox does not speak TLS", hint="Start it with `--tls`.")
        return certificates.environment(self.tls.url, self.token(login), self.directory / "tls/ca.pem")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- where things are

    @property
    def url(self) -> str:
        """The pages' address; `{url}/{repository}/pull/{number}` shows a pull request."""
        return self.server.url

    @property
    def api_url(self) -> str:
        """What GITHUB_API_URL is."""
        return self.server.url

    @property
    def clone(self) -> Path:
        """An ordinary clone with its DVC remote configured."""
        return self.directory / "clone"

    @property
    def origin(self) -> Path:
        """The bare repository."""
        return self.directory / "origin.git"

    @property
    def repo(self) -> Repository:
        return self.hub.repository(self.repository)

    def clone_url(self, login: str | None = None) -> str:
        """The address to clone from; with a login it carries that person's token, so that a push works."""
        plain = f"{self.url}/{self.repository}.git"
        return plain.replace("//", f"//x-access-token:{self.token(login)}@", 1) if login else plain

    @property
    def pages(self) -> str:
        """The address of the pages, with the key that opens them."""
        return f"{self.url}/{self.repository}?key={self.hub.data.key}"

    @property
    def read_url(self) -> str:
        """The address to clone from with a token that reads only."""
        return self.clone_url().replace("//", f"//x-access-token:{self.hub.reader()}@", 1)

    # --- acting as somebody

    def token(self, login: str) -> str:
        """A person's token."""
        return self.hub.person(login).secret

    def github(self, login: str) -> Github:
        """A PyGithub client that acts as a person, without PyGithub's own pauses."""
        import github

        return github.Github(
            base_url=self.api_url,
            auth=github.Auth.Token(self.token(login)),
            seconds_between_requests=None,
            seconds_between_writes=None,
            retry=None,
            per_page=100,
        )

    def git(self, login: str, *arguments: str, cwd: Path | None = None) -> str:
        """Run git as a person in `clone` (or `cwd`): their name in commits, their token in pushes; its output."""
        return desks.git(self.hub.person(login), self.url, arguments, cwd or self.clone)

    def propose(
        self,
        login: str,
        branch: str,
        files: Mapping[str, bytes | None],
        title: str,
        body: str = "",
        *,
        base: str | None = None,
        draft: bool = False,
    ) -> int:
        """Push `files` (None deletes) as one commit on a new branch from `base`, open a pull request; its number.

        `base` None is the default branch.
        """
        base = base or self.repo.default_branch
        self.commit(login, branch, files, title, base=base)
        repository = self.github(login).get_repo(self.repository)
        return int(repository.create_pull(base=base, head=branch, title=title, body=body, draft=draft).number)

    def commit(
        self, login: str, branch: str, files: Mapping[str, bytes | None], message: str, *, base: str | None = None
    ) -> str:
        """Commit on the branch as it is at the server (or anew from `base`) and push; the commit."""
        desk = desks.Desk(self.hub.person(login), self.directory / "people" / login, self.url, self.clone_url())
        return desk.commit(branch, files, message, base)

    def _act(self, login: str, method: str, path: str, body: dict[str, Any]) -> Reply:
        """One API call of the page, as a person."""
        known = self.hub.data.people.get(login)
        header = f"Bearer {known.secret}" if known else None
        return self.api.answer(method, path, header, json.dumps(body).encode())[0]

    def export_pull_request(self, number: int, path: Path) -> Path:
        """Write the page of a pull request as one file that needs nothing else. Raises UserError for no such number."""
        with self.hub.lock:
            issue = self.repo.issues.get(number)
            if issue is None:
                raise UserError(f"#{number}: no such pull request in {self.repository}", hint=f"See {self.url}.")
            path.write_text(self.site.conversation(self.repo, issue, live=False))
        return path

    def add_app(self, slug: str, permissions: Mapping[str, str]) -> tuple[int, str, int]:
        """A GitHub App installed in the repository: (app id, private key PEM, installation id)."""
        app, key = add_app(self.hub, slug, permissions)
        return app.id, key, app.installation

    def protect(self, branch: str | None = None, **rules: Any) -> None:
        """A ruleset for a branch, or the default one: pull requests only, no force-push, no deletion.

        `checks` are statuses that must be green (set by `app`, when one is named), `approvals` how many writers must
        approve, `bypass` logins that it does not hold back.
        """
        with self.hub.lock:
            self.repo.rulesets.append(rulesets.ruleset(self.hub, self.repo, branch=branch, **rules))
            self.hub.save()

    def set_secrets(self, environment: str, values: Mapping[str, str]) -> None:
        """Secrets of an environment that only the default branch may use; of the repository itself for ""."""
        with self.hub.lock:
            limited = store.Environment(environment, self.hub.clock(), True, [self.repo.default_branch])
            kept = self.repo.environments.setdefault(environment, limited).secrets if environment else self.repo.secrets
            kept.update(values)
            self.hub.save()

    def merge_group(self, *numbers: int) -> MergeGroup:
        """What the merge queue makes of these pull requests; its checks are asked for. Raises UserError on conflict."""
        with self.hub.lock:
            return merge_queue.form(self.hub, self.repo, numbers, self.repo.issues[numbers[0]].author)

    def finish_merge_group(self, group: MergeGroup, required: Iterable[str] = ()) -> bool:
        """Merge the group when the required statuses are green on it, else throw it away; whether it was merged."""
        with self.hub.lock:
            sender = self.repo.issues[group.numbers[0]].author
            return merge_queue.finish(self.hub, self.repo, group, sender, tuple(required))

    # --- workflow runs

    @property
    def runs(self) -> list[Run]:
        """Every run so far, oldest first."""
        return list(self.hub.data.runs)

    def settle(self, timeout_s: float = 300) -> list[Run]:
        """Wait until no run waits or goes; the runs since the last call. Raises WorldError when it takes longer."""
        self.engine.settle(timeout_s)
        fresh = self.hub.data.runs[self._settled :]
        self._settled = len(self.hub.data.runs)
        return list(fresh)

    def folder(self, run: Run) -> Path:
        """Where a run keeps log.txt, act.jsonl, event.json and artifacts/."""
        return run_folder(self.directory, run)

    def wait_for(self, what: str, timeout_s: float = 60, **fields: Any) -> Run:
        """The first run with these field values, as soon as there is one; `what` names it in the WorldError."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            for run in self.hub.data.runs[self._settled :]:
                if all(getattr(run, name) == value for name, value in fields.items()):
                    return run
            time.sleep(0.05)
        raise WorldError(f"{what}: no such run after {timeout_s:.0f} s", code="not_settled")

    def wait_for_log(self, run: Run, text: str, timeout_s: float = 60) -> None:
        """Until the text is in the log of the run's present attempt. Raises WorldError when it does not come."""
        end = time.monotonic() + timeout_s
        path = self.folder(run) / "log.txt"
        while not (path.exists() and text in path.read_text()):
            if time.monotonic() > end:
                raise WorldError(f"run {run.id}: no {text!r} in {path} after {timeout_s:.0f} s", code="not_settled")
            time.sleep(0.05)

    def wait_for_request(self, run: Run, path: str, timeout_s: float = 60) -> None:
        """Until a run has asked for something below a path. Raises WorldError when it does not."""
        end = time.monotonic() + timeout_s
        while not any(path in asked for _, asked, _ in self.requests(run)):
            if time.monotonic() > end:
                raise WorldError(f"run {run.id}: no request of {path} after {timeout_s:.0f} s", code="not_settled")
            time.sleep(0.005)

    # --- what calls cost

    def requests(self, run: Run | None = None) -> list[tuple[str, str, int]]:
        """(method, path, status) of the API calls so far, or of those that a run made with its token."""
        return [entry[:3] for entry in self.api.log if run is None or entry[3] == run.id]

    def bots_asked(self, since: int = 0) -> list[str]:
        """`METHOD path` of the API calls from the n-th on that no person made; an app's are among them."""
        return [f"{entry[0]} {entry[1]}" for entry in self.api.log[since:] if not entry[4]]

    def stop(self) -> None:
        """End runs and server; the folder stays and can be resumed. `clone` then follows the repository on disk."""
        self.engine.stop()
        for server in filter(None, (self.server, self.tls)):
            server.stop()
        self.hub.save()
        templates.point_clone(self.clone, str(self.origin), self.hub.reader())

    def remove(self) -> None:
        """Stop, and delete the folder."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def _need_git() -> None:
    if shutil.which("git") is None:
        raise WorldError("git is not installed", hint="Install git, version 2.31 or newer.", code="git_missing")
