"""The manifest that a cluster applies, rendered from a Jinja2 template; a team's own template replaces ours."""

from __future__ import annotations

from typing import Any

from bot.errors import Place, UserError
from bot.promote.templates import INFERENCE_SERVICE
from bot.records.release import Release


def render(release: Release, settings: dict[str, Any], template: str | None = None, *, source: str = "") -> bytes:
    """The manifest's bytes, byte-equal for equal arguments.

    `settings` are those of the environment (see docs/deployment.md), `template` a team's own text with its file name in
    `source`. Raises UserError with the template's place.
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
    try:
        text = engine.from_string(template or INFERENCE_SERVICE).render(
            release=release.model_dump(mode="json"), settings=settings
        )
    except jinja2.TemplateSyntaxError as error:
        raise _error(source, error.lineno, error.message or "syntax error") from None
    except (jinja2.TemplateError, TypeError) as error:
        raise _error(source, None, str(error)) from None
    return text.encode()


def dns_name(model: str) -> str:
    """A Kubernetes name for a model: lower case, digits and '-', beginning with a letter, 63 characters at most."""
    text = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in model.lower()).strip("-")
    return (text if text[:1].isalpha() else f"m-{text}")[:63].rstrip("-")


def _error(source: str, line: int | None, message: str) -> UserError:
    return UserError(
        f"the manifest template cannot be rendered: {message}",
        hint="docs/deployment.md lists what a template may use.",
        place=Place(source, line) if source else None,
        code="manifest_invalid",
    )
