"""The sandbox of the story: started anew without models, or taken up again."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bot.adapters.signing import VARIABLE, generate
from bot.errors import UserError
from bot.records.base import canonical_json, sha256
from bot.sandbox import rulesets
from bot.sandbox import template as templates
from bot.sandbox.rehearsal.evidence import Evidence
from bot.sandbox.rehearsal.programs import Programs
from bot.sandbox.rehearsal.scene import Scene
from bot.sandbox.rehearsal.teller import Teller
from bot.sandbox.world import Sandbox

TOLD = "demo.json"  # written when the first story has come to its end
# A team's repository: what people write, and what the workflows read. The bot itself is installed beside it, as it is
# where a team uses the reusable workflows; its data objects lie in the DVC remote.
KEPT = (
    ".dvc/config",
    ".dvc/.gitignore",
    ".dvcignore",
    ".github/",
    ".gitignore",
    "data.dvc",
    "policies/",
    "pyproject.toml",
    "uv.lock",
)
PUBLIC_KEY = "policies/keys/sandbox.pub"


def is_told(directory: Path) -> bool:
    """Whether a whole story lies in the folder already."""
    return (directory / TOLD).exists()


def broke_off(directory: Path) -> bool:
    """Whether a story began in the folder and did not come to its end."""
    return (directory / "github.json").exists() and not is_told(directory)


def open_scene(directory: Path, template: Path, teller: Teller) -> Scene:
    """A new sandbox in the folder, or the one that an earlier story left there.

    Raises UserError when the folder holds something else, or a story that broke off.
    """
    if broke_off(directory):
        raise UserError(
            f"{directory}: a demo broke off here",
            hint="Remove the folder, or name another with --dir.",
            code="broke_off",
        )
    given = dict(templates.files(template))
    if not {"data.dvc", "policies/roles.yaml"} <= given.keys():
        raise UserError(f"{template} is not a repository with models", hint="Pass --template CHECKOUT.")
    sandbox = Sandbox.resume(directory) if is_told(directory) else _started(directory, template, given)
    try:
        return Scene(sandbox, teller, Programs(sandbox.directory / "home"), Evidence(sandbox.clone), given)
    except BaseException:
        sandbox.stop()
        raise


def fingerprint(template: Path) -> str:
    """Eight characters that change with what a team's repository would hold."""
    digest = hashlib.sha256(str(template).encode())
    for name, data in sorted(templates.files(template)):
        if name.startswith((*KEPT, "models/")):
            digest.update(canonical_json([name, sha256(data)]))
    return digest.hexdigest()[:8]


def models_of(given: dict[str, bytes]) -> dict[str, bytes]:
    """The template's models, which the first pull request brings."""
    return {name: data for name, data in given.items() if name.startswith("models/")}


def _started(directory: Path, template: Path, given: dict[str, bytes]) -> Sandbox:
    """Nothing is deployed yet, and nothing is there that could be: the models come with the first pull request."""
    private, public = generate()
    left_out = [name for name in given if not name.startswith(KEPT)]
    return Sandbox.start(
        directory,
        template=template,
        extra_files={PUBLIC_KEY: public, **dict.fromkeys(left_out)},
        secrets={"mlbot": {VARIABLE: private.decode()}},
        rulesets=templates.rulesets(given) or [rulesets.default()],
    )
