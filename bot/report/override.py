"""A team's own templates, `policies/templates/*.md.j2` of the default branch: read, checked, tried on a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, meta
from jinja2.nodes import Template

from bot.errors import Place, Problems, UserError
from bot.records.decision import Decision, Node, Unblock
from bot.records.plan import Invalid, Plan, Reason, Skipped
from bot.records.report import Report, RunFacts
from bot.report.environment import environment
from bot.report.markdown import VARIABLES, render

FOLDER = "policies/templates/"
NAMES = tuple(VARIABLES)
MAX_CHARACTERS = 100_000


def read_templates(files: Mapping[str, bytes]) -> dict[str, str]:
    """Template name -> text, of the files (path -> bytes) below `policies/templates/`; other files are passed over.

    Raises UserError or Problems with file and line: an unknown name, a syntax error, a variable that does not exist,
    or a template that fails on a sample report (codes `template_unknown`, `template_invalid`).
    """
    found = {name: data for name, data in files.items() if name.startswith(FOLDER)}
    errors: list[UserError] = []
    texts: dict[str, str] = {}
    for path, data in sorted(found.items()):
        try:
            texts[path.removeprefix(FOLDER)] = _read(path, data)
        except UserError as error:
            errors.append(error)
    if not errors and texts:
        errors = _tried(texts)
    if errors:
        raise errors[0] if len(errors) == 1 else Problems(errors)
    return texts


def _read(path: str, data: bytes) -> str:
    name = path.removeprefix(FOLDER)
    if name not in NAMES:
        message = f"there is no template of the name {name}"
        raise UserError(message, hint=f"Names: {', '.join(NAMES)}.", place=Place(path), code="template_unknown")
    try:
        text = data.decode("utf-8")
        if len(text) > MAX_CHARACTERS:
            raise _invalid(f"a template may have {MAX_CHARACTERS:,} characters, not {len(text):,}", path, None)
        tree = environment().parse(text)
        environment().compile(text)
    except UnicodeDecodeError as error:
        raise _invalid(f"not UTF-8: {error.reason} at byte {error.start}", path, None) from None
    except TemplateSyntaxError as error:
        raise _invalid(error.message or "a syntax error", path, error.lineno) from None
    _check_variables(tree, name, path)
    return text


def _check_variables(tree: Template, name: str, path: str) -> None:
    unknown = sorted(meta.find_undeclared_variables(tree) - set(VARIABLES[name]))
    if unknown:
        hint = f"A template may use: {', '.join(VARIABLES[name])}."
        message = f"the variable {unknown[0]} does not exist"
        raise UserError(message, hint=hint, place=Place(path), code="template_invalid")


def _tried(texts: dict[str, str]) -> list[UserError]:
    try:
        render(sample(), texts)
    except TemplateError as error:
        return [_invalid(f"it fails on a sample report: {error}", FOLDER + next(iter(texts)), None)]
    except Exception as error:  # a template is a program: whatever it raises is its author's to mend
        return [
            _invalid(f"it fails on a sample report: {type(error).__name__}: {error}", FOLDER + next(iter(texts)), None)
        ]
    return []


def _invalid(message: str, path: str, line: int | None) -> UserError:
    hint = "The bot's own templates, to begin with: bot/report/templates/."
    return UserError(message, hint=hint, place=Place(path, line), code="template_invalid")


def sample() -> Report:
    """A small report that fills every part of the page."""
    digest = "sha256:" + "0" * 64
    reason = Reason(code="unaffected", sentence="Nothing that it reads changed.")
    broken: dict[str, Any] = {"file": "models/b/model.yaml", "line": 3, "message": "unknown key", "hint": None}
    plan = Plan(
        base_sha="0" * 40,
        head_sha="1" * 40,
        entries=(*(Invalid(model=f"b{n}", **broken) for n in range(30)), Skipped(model="c", reason=reason)),
        changed_paths=(),
        change_kinds=("spec",),
        n_models=31,
    )
    decision = Decision(
        subject="merge",
        number=1,
        head_sha="1" * 40,
        status="pending",
        reason_code="approvals_missing",
        headline="Waiting for owen.",
        risk_tier="low",
        tree=Node(name="merge", status="pending", reason_code="approvals_missing", sentence="One is missing."),
        models=(),
        unblock=(Unblock(who=("owen",), action="approve", command="/approve E-aaaaaaaaaaaaaaaa"),),
        facts_digest=digest,
        policy_digest=digest,
        decided_at="2026-01-01T00:00:00Z",
    )
    run = RunFacts(id=1, url="https://github.example/run/1")
    return Report(number=1, plan=plan, decision=decision, evaluation_id="E-aaaaaaaaaaaaaaaa", run=run)
