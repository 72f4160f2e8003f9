"""Where to look afterwards: pages, reports, and commands that go on by hand."""

from __future__ import annotations

from pathlib import Path

from bot.report.html import page
from bot.sandbox.rehearsal.acts import PRODUCTION
from bot.sandbox.rehearsal.scene import MODEL, Scene


def pages(scene: Scene) -> list[Path]:
    """Write each pull request and its report as HTML files that need nothing else."""
    folder = scene.directory / "pages"
    folder.mkdir(exist_ok=True)
    written = []
    for number, issue in sorted(scene.sandbox.repo.issues.items()):
        if issue.pull is None:
            continue
        written.append(scene.sandbox.export_pull_request(number, folder / f"pull-request-{number}.html"))
        report = folder / f"report-{number}.html"
        report.write_text(page(scene.evidence.report(number, issue.pull.head_sha)), encoding="utf-8")
        written.append(report)
    return written


def where_to_look(scene: Scene, written: list[Path]) -> list[tuple[str, list[str]]]:
    """Headings with lines to open or to paste."""
    clone, directory = scene.sandbox.clone, scene.directory
    return [
        ("Pull requests and reports, to open in a browser", [str(path) for path in written]),
        (
            "What the repository knows",
            [
                f"git -C {clone} log --oneline origin/mlbot/ledger",
                f"git -C {clone} log --oneline origin/mlbot/environments",
                f"gto show --repo {clone}",
                f"mlbot environments --repo {clone}",
                f"mlbot history --repo {clone}",
                f"mlbot verify {MODEL} --environment {PRODUCTION} --repo {clone}",
                f"dvc get --rev mlbot/environments {directory / 'origin.git'} {PRODUCTION}/{MODEL}/artifact",
            ],
        ),
        (
            "Go on by hand",
            [
                f"mlbot sandbox --dir {directory}   # approve and merge #3 as owen, vera, rhea in a browser",
                f"mlbot serve --environment {PRODUCTION} --repo {clone}",
                f"mlbot demo --dir {directory}   # again: nothing with the same inputs is trained",
            ],
        ),
    ]
