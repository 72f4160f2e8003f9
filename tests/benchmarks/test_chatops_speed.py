"""What a comment costs in processor time, against the tools that a team's workflows start besides: gto and dvc."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from time import process_time

import pytest
from markdown_it import MarkdownIt

from bot.chatops.parse import parse
from bot.decide.reading import commands_in
from bot.ports import Comment
from bot.records.event import Account
from bot.sandbox.world import Sandbox
from tests.decide.world import NOW, REV, facts, review

ROOT, BIN = Path(__file__).parents[2], Path(sys.executable).parent
ROUNDS = 3
HEAVY = ("sklearn", "pandas", "scipy", "pyarrow", "dvc", "gto", "matplotlib", "numpy", "skops", "onnx", "github")
COMMENT = "Thanks!\n\n> earlier text\n\n/approve E-abcdefghijklmnop churn to production\n"
JUDGE = """
import sys
from pathlib import Path
from bot.chatops.parse import parse
from bot.cli.policy_files import read_folder
from bot.decide.decide import decide
from bot.receive.step import receive
from bot.records.facts import Facts
from datetime import UTC, datetime
event = receive("issue_comment", Path(sys.argv[1]).read_bytes(), "chatops")
policies = read_folder(Path(sys.argv[3]))
assert parse(event.body, policies.commands.prefix).commands
facts = Facts.parse(Path(sys.argv[2]).read_bytes(), source="facts")
assert decide(facts, policies, datetime(2026, 3, 4, tzinfo=UTC)).status
assert not set(sys.argv[4:]) & sys.modules.keys()
"""


def cpu_s(
    commands: Mapping[str, tuple[str, ...]], environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> dict[str, float]:
    """Processor seconds of each command and its children, interleaved: the least of a few rounds, the rest is noise."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    took: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS + 1):  # the first one writes the compiled files
        for name, command in commands.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, check=True, capture_output=True, env={**kept, **(environ or {})}, cwd=cwd)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took[name].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    least = {name: min(times[1:]) for name, times in took.items()}
    print(", ".join(f"{name} {seconds:.2f} s" for name, seconds in least.items()))
    return least


def versions() -> dict[str, tuple[str, ...]]:
    return {f"{name} --version": (str(BIN / name), "--version") for name in ("gto", "dvc")}


def payload(comment: dict[str, object], number: int = 7, repository: str = "acme/models") -> bytes:
    """An `issue_comment` event, of the fields that are read."""
    issue = {"number": number, "pull_request": {"url": "x"}}
    content = {
        "action": "created", "issue": issue, "comment": comment, "sender": comment["user"],
        "repository": {"full_name": repository, "default_branch": "main"},
    }  # fmt: skip
    return json.dumps(content).encode()


def test_a_comment_is_read_parsed_and_judged_in_about_the_time_gto_takes_to_say_its_version(tmp_path: Path) -> None:
    """Process start to finished decision, all of `mlbot handle` but Git and GitHub. Nothing heavy is imported.

    Measured: 0.75 to 0.86 of it; the bound leaves room for another machine.
    """
    event, known = tmp_path / "event.json", tmp_path / "facts.json"
    event.write_bytes(payload({"id": 1, "body": COMMENT, "user": {"id": 2, "login": "rev", "type": "User"}}))
    known.write_bytes(facts(review(REV)).canonical())
    (tmp_path / "judge.py").write_text(JUDGE)
    ours = (sys.executable, str(tmp_path / "judge.py"), str(event), str(known), str(ROOT / "policies"), *HEAVY)
    least = cpu_s({"a comment judged": ours, **versions()})
    assert least["a comment judged"] < 1.3 * least["gto --version"]


def test_the_whole_job_of_a_comment_costs_less_than_four_times_gto_s_version(tmp_path: Path) -> None:
    """`mlbot handle` with PyGithub, fetching and pushing the bot's branches, eight requests, and the reply."""
    template = tmp_path / "template"
    for path in (ROOT / "policies").glob("*.yaml"):
        (template / "policies").mkdir(parents=True, exist_ok=True)
        (template / "policies" / path.name).write_bytes(path.read_bytes())
    with Sandbox.start(tmp_path / "world", template=template) as sandbox:
        number = sandbox.propose("dana", "docs", {"docs.md": b"text"}, "Docs")
        issue = sandbox.github("vera").get_repo(sandbox.repository).get_issue(number)
        comment = issue.create_comment("/status").raw_data
        (tmp_path / "event.json").write_bytes(payload(comment, number, sandbox.repository))
        environ = {
            "GITHUB_RUN_ID": "1", "GITHUB_JOB": "chatops", "GITHUB_EVENT_NAME": "issue_comment",
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"), "GITHUB_REPOSITORY": sandbox.repository,
            "GITHUB_SERVER_URL": sandbox.url, "GITHUB_API_URL": sandbox.api_url, "GITHUB_TOKEN": sandbox.token("rhea"),
        }  # fmt: skip
        least = cpu_s({"mlbot handle": (str(BIN / "mlbot"), "handle"), **versions()}, environ, sandbox.clone)
        assert len([one for one in issue.get_comments() if "plan_missing" in one.body]) == ROUNDS + 1
    assert least["mlbot handle"] < 4 * least["gto --version"]


@pytest.mark.parametrize("n", [300])
def test_reading_many_long_comments_costs_little_more_than_their_markdown(n: int) -> None:
    """Against markdown-it-py alone on the same texts, which is what finds out where a command may stand."""
    text = "text /x\n" * 20 + COMMENT
    comments = [Comment(i, Account(id=2, login="rev"), text, NOW, NOW) for i in range(1, n + 1)]
    rival = MarkdownIt("gfm-like", {"linkify": False})
    ours, theirs = [], []
    for _ in range(3):
        begin = process_time()
        assert len(commands_in(comments, parse, None)) == n
        middle = process_time()
        for one in comments:
            rival.parse(one.body)
        ours.append(middle - begin)
        theirs.append(process_time() - middle)
    print(f"{min(ours) / n * 1e3:.2f} ms a comment, markdown-it-py alone {min(theirs) / n * 1e3:.2f} ms")
    assert min(ours) < 3 * min(theirs)
