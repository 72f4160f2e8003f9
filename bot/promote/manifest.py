"""The manifest that a cluster applies, rendered from a Jinja2 template; a team's own template replaces ours."""

from __future__ import annotations

from typing import Any

from bot.errors import Place, UserError
from bot.promote.templates import FOLLOWED, INFERENCE_SERVICE, TRITON
from bot.records.release import Release
from bot.specs.deployment import Target


def render(
    release: Release, target: Target, *, previous: Release | None = None, template: str | None = None, source: str = ""
) -> bytes:
    """The manifest's bytes, byte-equal for equal arguments.

    `previous` is what stays on the rest of the traffic while `release` is a canary (None: no canary, all traffic).
    `template` is a team's own text with its file name in `source`. Raises UserError with the template's place.
    """
    import jinja2
    import jinja2.sandbox

    # A template comes from the default branch, but still has no way to reach Python.
    engine = jinja2.sandbox.ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # YAML, not HTML
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.filters["hex"] = lambda digest: str(digest).removeprefix("sha256:")
    engine.filters["dns"] = dns_name
    values: dict[str, Any] = {
        "release": release.model_dump(mode="json"),
        "previous": previous.model_dump(mode="json") if previous else None,
        "canary": is_canary(release, target, previous),
        "settings": target.model_dump(mode="json"),
    }
    try:
        text = engine.from_string(template or built_in(target)).render(values)
    except jinja2.TemplateSyntaxError as error:
        raise _error(source, error.lineno, error.message or "syntax error") from None
    except (jinja2.TemplateError, TypeError, ValueError) as error:
        raise _error(source, None, str(error)) from None
    return "".join(line + "\n" for line in text.splitlines() if line.strip()).encode()


def built_in(target: Target) -> str:
    """The template of a target."""
    if target.target != "kserve":
        return FOLLOWED
    return TRITON if target.runtime == "triton" else INFERENCE_SERVICE


def is_canary(release: Release, target: Target, previous: Release | None) -> bool:
    """Whether the release gets a share of the requests first. A rollback never does: it is wanted at once."""
    wants = 0 < target.canary_percent < 100 and release.action == "promote"
    return wants and previous is not None and previous.artifact_digest != release.artifact_digest


def dns_name(text: str) -> str:
    """A Kubernetes name: lower case, digits and '-', beginning with a letter, 63 characters at most."""
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower()).strip("-")
    return (name if name[:1].isalpha() else f"m-{name}")[:63].rstrip("-")


def _error(source: str, line: int | None, message: str) -> UserError:
    return UserError(
        f"the manifest template cannot be rendered: {message}",
        hint="docs/deployment.md lists what a template may use.",
        place=Place(source, line) if source else None,
        code="manifest_invalid",
    )
