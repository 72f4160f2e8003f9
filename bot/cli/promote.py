"""`mlbot promote`: let an evaluated model out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.ports import Ports
    from bot.records.release import Release


@click.command(name="promote")
@click.argument("model")
@click.option("--to", "environment", required=True, metavar="ENV", help="The environment.")
@click.option("--version", metavar="VERSION", help="A version that was live somewhere before.")
@click.option("--evaluation", metavar="DIGEST", help="An evaluation in the ledger, for a first promotion.")
@click.option("--reason", default="", help="Why; it is kept for the audit.")
@click.option("--force", is_flag=True, help="Past freezes, locks and the order of environments; needs --reason.")
@click.option("--repo", default=".", type=click.Path(path_type=Path), help="A clone of the repository.")
def command(
    model: str, environment: str, version: str | None, evaluation: str | None, reason: str, force: bool, repo: Path
) -> None:
    """Promote MODEL to ENV: by default the version that is live in the environment before it.

    This is the way without GitHub, for whoever may push to mlbot/environments. `/promote` on the pull request asks for
    the approvals that the policy wants.
    """
    from bot.adapters.serving_environment import ServingEnvironment, cache_folder, prepared
    from bot.cli.clone import (
        clone_ports,
        environment_order,
        known_environment,
        serving_requirements,
        tell_views,
        typing_person,
    )
    from bot.pipeline.promotion import summarizer
    from bot.promote.step import evaluation_of, pointer_of, promote

    if force and not reason.strip():
        raise UserError("--force needs a --reason")
    by = typing_person(repo)
    ports = clone_ports(repo)
    order = environment_order(ports)
    known_environment(environment, ports)
    if not force:
        _open(environment, ports)
    chosen = _chosen(model, environment, version, evaluation, order, ports)
    judged = evaluation_of(chosen, ports)
    if not force:
        _in_order(chosen, order.get(environment, ()), ports)
    release = promote(
        model, environment, judged, pointer_of(chosen, ports), commit=chosen.commit, number=chosen.pull_request,
        approved_by=chosen.approved_by, promoted_by=by, reason=reason, ports=ports,
        probe=ServingEnvironment(prepared(serving_requirements(environment, ports), cache_folder())).check,
        summarize=summarizer(ports, ports.git.resolve("HEAD")),
    )  # fmt: skip
    click.echo(f"{release.model} {release.version} is live in {release.environment} ({release.artifact_digest}).")
    tell_views(ports)


def _chosen(
    model: str, environment: str, version: str | None, evaluation: str | None,
    order: dict[str, tuple[str, ...]], ports: Ports,
) -> Release:  # fmt: skip
    from bot.promote.step import candidate_of_evaluation, live_releases, promotions

    if evaluation is not None:
        return candidate_of_evaluation(model, environment, evaluation, ports)
    if version is not None:
        found = [release for release in promotions(model, ports) if release.version == version]
        if not found:
            raise UserError(f"{model} has no version {version}", hint=f"`mlbot history {model}` lists them.")
        return found[-1]
    before = order.get(environment, ())
    live = [one for one in live_releases(ports) if one.model == model and one.environment in before]
    if not live:
        where = " or ".join(before) if before else "an environment before it"
        raise UserError(f"{model} is not live in {where}", hint="Name what to promote with --version or --evaluation.")
    return live[0]


def _open(environment: str, ports: Ports) -> None:
    """Raises UserError (codes `frozen`, `locked`, `delivery`) while nothing may be promoted there by hand."""
    from bot.cli.clone import policies_of
    from bot.decide.conditions.freeze_windows import applying, closed
    from bot.ledger import Environments

    hint = "Wait, or pass --force with a --reason."
    if Environments(ports.environments).lock(environment) is not None:
        raise UserError(f"{environment} is locked", hint=f"`/unlock {environment}`. {hint}", code="locked")
    policies = policies_of(ports)
    if policies is None:
        return
    frozen = closed(applying(policies.environments.freeze_windows, environment, "promote"), ports.clock.now())
    if frozen is not None:
        raise UserError(f"{environment} is closed: {frozen}", hint=hint, code="frozen")
    if policies.environments.environments[environment].delivery == "pull_request":
        said = f"{environment} is delivered by pull requests into mlbot/environments"
        hint = f"Write `/promote E-... to {environment}` on the pull request, or pass --force with a --reason."
        raise UserError(said, hint=hint, code="delivery")


def _in_order(chosen: Release, before: tuple[str, ...], ports: Ports) -> None:
    from bot.promote.step import live_releases

    if before and not any(
        (one.model, one.artifact_digest) == (chosen.model, chosen.artifact_digest) and one.environment in before
        for one in live_releases(ports)
    ):
        raise UserError(
            f"{chosen.model} {chosen.version} is not live in {' or '.join(before)}, which the policy asks for first",
            hint="Promote it there, or pass --force with a --reason.",
            code="not_in_previous_environment",
        )
