"""The GitHub Actions job that we run in: its environment, its event, its outputs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import UserError
from bot.ports import Run
from bot.words import Markdown

MAX_EVENT_BYTES = 25 * 1024 * 1024  # GitHub's own cap on a webhook payload
MAX_SUMMARY_BYTES = 1024 * 1024  # a step's job summary


@dataclass(frozen=True)
class Actions:
    """What GitHub sets for a job. `token` None means that the job was given none."""

    run: Run
    event_name: str
    event_path: Path
    api_url: str
    server_url: str
    token: str | None
    workspace: Path
    output: Path | None
    summary: Path | None

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Actions:
        """Raises UserError naming the variable that is missing."""

        def need(name: str) -> str:
            if not environ.get(name):
                raise UserError(
                    f"{name} is not set",
                    hint="`mlbot handle` runs inside GitHub Actions; `mlbot sandbox` rehearses that on this machine.",
                )
            return environ[name]

        run_id, server, repository = need("GITHUB_RUN_ID"), need("GITHUB_SERVER_URL"), need("GITHUB_REPOSITORY")
        run = Run(
            id=int(run_id),
            attempt=int(environ.get("GITHUB_RUN_ATTEMPT") or 1),
            url=f"{server}/{repository}/actions/runs/{run_id}",
            job=need("GITHUB_JOB"),
            workflow=environ.get("GITHUB_WORKFLOW", ""),
            repository=repository,
            actor=environ.get("GITHUB_ACTOR", ""),
            sha=environ.get("GITHUB_SHA", ""),
        )
        return cls(
            run=run,
            event_name=need("GITHUB_EVENT_NAME"),
            event_path=Path(need("GITHUB_EVENT_PATH")),
            api_url=need("GITHUB_API_URL"),
            server_url=server,
            token=environ.get("GITHUB_TOKEN") or None,
            workspace=Path(environ.get("GITHUB_WORKSPACE") or "."),
            output=_path(environ.get("GITHUB_OUTPUT")),
            summary=_path(environ.get("GITHUB_STEP_SUMMARY")),
        )

    def event(self) -> bytes:
        """The payload. Raises UserError when it is not there or too large."""
        try:
            size = self.event_path.stat().st_size
            if size > MAX_EVENT_BYTES:
                raise UserError(f"the event payload has {size} bytes; GitHub sends at most {MAX_EVENT_BYTES}")
            return self.event_path.read_bytes()
        except OSError as error:
            raise UserError(f"the event payload cannot be read: {error}") from None

    def set_output(self, name: str, value: str) -> None:
        """A step output. The delimiter is random, so that no value can end it and set another (attack A11)."""
        if self.output:
            mark = f"mlbot-{secrets.token_hex(16)}"
            with self.output.open("a", encoding="utf-8") as file:
                file.write(f"{name}<<{mark}\n{value}\n{mark}\n")

    def add_summary(self, markdown: Markdown) -> None:
        """Appended to the job summary, cut at a line when it would pass GitHub's size limit."""
        if self.summary:
            data = markdown.encode()
            if len(data) > MAX_SUMMARY_BYTES - 1024:
                data = data[: MAX_SUMMARY_BYTES - 1024].rpartition(b"\n")[0] + b"\n\n(The rest did not fit.)"
            with self.summary.open("ab") as file:
                file.write(data + b"\n")


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
