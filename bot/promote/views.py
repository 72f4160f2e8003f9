"""What mirrors releases for other tools: version tags and GitHub Deployments. A release is live without them.

The fact of a release says at once, in the same commit, that its views are owed; once they are there, that is written
beside it. So whatever ran next finds what is missing, also after a crash, and however long GitHub refused it.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable

from bot.errors import MlbotError
from bot.ledger import Environments, Ledger
from bot.ports import Ports
from bot.promote.reading import promotions
from bot.promote.writing import Deployment, deployments, message, tags_to_write
from bot.records.base import canonical_json
from bot.records.ledger import view_path
from bot.records.release import Release

ELSEWHERE = "port_absent"  # a clone has no token for GitHub Deployments; a job of the bot's writes them


def owed_file(release: Release) -> dict[str, bytes]:
    """The file that says so, to be written together with the fact of the release."""
    return {_path(release, "owed"): canonical_json({"release": release.digest()})}


def owed(ports: Ports) -> list[Release]:
    """Releases whose views are not all there, each model's oldest first."""
    left = Ledger(ports.ledger).owed()
    models = sorted({model for model, _, _ in left})
    known = [one for model in models for one in promotions(model, ports)]
    return [one for one in known if (one.model, one.counter, one.environment) in left]


def show(models: Iterable[str], ports: Ports) -> list[Release]:
    """Write the views that are missing; the releases that are complete now. What fails is kept in `ports.views`.

    What one commit brought to an environment is one deployment, so other models of it are completed, too. Safe to
    repeat. Tags of a model are written in order, since readers take the last one for what is live: after one that is
    refused, the model's later ones wait.
    """
    wanted, before = set(models), len(ports.views.failed)
    groups = [group for group in deployments(owed(ports)) if any(one.model in wanted for one in group.releases)]
    if groups:
        models_left = sorted({one.model for group in groups for one in group.releases})
        tags = [f"refs/tags/{model}{end}*:refs/tags/{model}{end}*" for model in models_left for end in "@#"]
        ports.views.attempt("tags", lambda: ports.git.fetch(*tags))
    if not groups or len(ports.views.failed) > before:
        return []
    left = [one for group in groups for one in group.releases]
    tagged = [one for model in dict.fromkeys(one.model for one in left) for one in _tagged(model, left, ports)]
    done = [one for group in groups for one in _deployed(group, tagged, ports)]
    if done:
        files = {_path(one, "shown"): canonical_json({"release": one.digest()}) for one in done}
        said = f"shown: {', '.join(f'{one.model} {one.version} in {one.environment}' for one in done)}"
        note = functools.partial(Ledger(ports.ledger).write, files, said)
        ports.views.attempt("the note that tags and deployments are there", note)
    return done


def _tagged(model: str, releases: Iterable[Release], ports: Ports) -> list[Release]:
    """Those of the model whose tags are all there now."""
    found: list[Release] = []
    for one in sorted(releases, key=lambda one: one.counter):
        if one.model == model:
            before = len(ports.views.failed)
            ports.views.attempt(f"tags of {_name(one)}", functools.partial(_write_tags, one, ports))
            if len(ports.views.failed) > before:
                break
            found.append(one)
    return found


def _write_tags(release: Release, ports: Ports) -> None:
    for name, target, at in tags_to_write(release, _commit_of(release, ports), ports.git.tags(release.model)):
        ports.git.push_tag(name, target, message(release), at=at)


def _commit_of(release: Release, ports: Ports) -> str:
    """The commit of the environments branch that made the release live."""
    log = Environments(ports.environments).messages(release)
    return next((sha for sha, _, text in log if text.strip() == message(release).strip()), log[0][0])


def _deployed(group: Deployment, tagged: Collection[Release], ports: Ports) -> list[Release]:
    """The releases of a deployment that is there now, if all their tags are: a deployment is repeated as a whole."""

    def act() -> bool:
        try:
            deploy = ports.conversation.deployment
            deploy(group.sha, group.environment, group.payload, group.state, group.description)
        except MlbotError as error:
            if error.code != ELSEWHERE:
                raise
            return False
        return True

    there = ports.views.attempt(f"GitHub Deployment to {group.environment} ({group.description})", act)
    return list(group.releases) if there and all(one in tagged for one in group.releases) else []


def _path(release: Release, word: str) -> str:
    return view_path(release.model, release.counter, release.environment, word)


def _name(release: Release) -> str:
    return f"{release.model} {release.version} in {release.environment}"
