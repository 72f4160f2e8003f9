"""The story from its beginning to its end, or its continuation in a folder that holds one already."""

from __future__ import annotations

import json
from pathlib import Path

from bot.sandbox.rehearsal import acts, answers, closing
from bot.sandbox.rehearsal.opening import TOLD, is_told, open_scene
from bot.sandbox.rehearsal.scene import MODEL, Scene
from bot.sandbox.rehearsal.teller import Teller


def tell(directory: Path, template: Path, teller: Teller) -> list[tuple[str, list[str]]]:
    """Act everything out; where to look afterwards. Raises WorldError at the first step that did not happen."""
    told = is_told(directory)
    with teller.step(
        "The sandbox is taken up again" if told else "A sandbox starts: GitHub, Git, DVC remote, people"
    ) as say:
        scene = open_scene(directory, template, teller)
        say(f"{scene.sandbox.repository} at {scene.sandbox.pages}, in {scene.directory}")
        if told:
            say("remove the folder to see the whole story again")
    try:
        with scene.sandbox:
            scene.evidence.refresh()
            _again(scene) if told else _first_time(scene)
            with teller.step("The clone is brought up to date, pages are written") as say:
                branch = scene.sandbox.repo.default_branch
                scene.programs.run(
                    "git", "pull", "--quiet", "--ff-only", "--tags", "origin", branch, cwd=scene.sandbox.clone
                )
                written = closing.pages(scene)
                say(f"{len(written)} files in {written[0].parent}")
    finally:
        scene.programs.remove()
    (scene.directory / TOLD).write_text(json.dumps({"seconds": round(teller.seconds, 1)}) + "\n")
    return closing.where_to_look(scene, written)


def _first_time(scene: Scene) -> None:
    act = scene.teller.act
    act("Prelude: the first models")
    acts.first_models(scene)
    act("Act one: a spec changes")
    acts.better_spec(scene)
    act("What users get")
    answers.served(scene, scene.sandbox.repo.last_number)
    act("Act two: the data change")
    acts.more_data(scene)


def _again(scene: Scene) -> None:
    scene.teller.act(f"Once more: the ledger knows what {MODEL} was trained on")
    acts.again(scene)
