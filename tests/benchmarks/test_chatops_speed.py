"""A comment costs less processor time, from process start to parsed commands and a decision, than `gto --version`."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from bot.chatops.parse import parse
from bot.decide.reading import commands_in
from tests.decide.policies import P
from tests.decide.world import REV, facts, judge, review

BIN = Path(sys.executable).parent
ROUNDS = 3
HEAVY = ("sklearn", "pandas", "scipy", "pyarrow", "dvc", "gto", "matplotlib", "numpy", "skops", "onnx", "github")
COMMENT = "Thanks!\n\n> earlier text\n\n/approve E-abcdefghijklmnop churn to production\n"


def cpu_s(*command: str) -> float:
    """Processor seconds, the least of a few runs: the rest is the machine's noise."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    took = []
    for _ in range(ROUNDS + 1):  # the first one writes the compiled files
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(took[1:])


def test_reading_a_comment_is_cheaper_than_the_version_of_gto(tmp_path: Path) -> None:
    file = tmp_path / "comment.md"
    file.write_text(COMMENT)
    ours, gto = cpu_s(str(BIN / "mlbot"), "chatops", "parse", str(file)), cpu_s(str(BIN / "gto"), "--version")
    print(f"mlbot chatops parse {ours:.2f} s, gto --version {gto:.2f} s, ratio {ours / gto:.2f}")
    assert ours < gto and ours < 0.5


def test_parse_and_decision_in_one_process_stay_under_half_a_second_and_import_nothing_heavy(tmp_path: Path) -> None:
    """Grammar, policies, opinions and the decision: everything of `mlbot handle` but GitHub's answers."""
    (tmp_path / "run.py").write_text(
        "import sys, resource\n"
        "from bot.chatops.parse import parse\n"
        "from bot.receive.step import receive\n"
        "from bot.decide.decide import decide\n"
        "from bot.cli.policy_files import read_folder\n"
        "from pathlib import Path\n"
        f"policies = read_folder(Path({str(Path(__file__).parent.parent.parent / 'policies')!r}))\n"
        f"parsed = parse({COMMENT!r}, policies.commands.prefix)\n"
        "assert parsed.commands\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    took = cpu_s(sys.executable, str(tmp_path / "run.py"))
    print(f"parse, policies and decide imported: {took:.2f} s")
    assert took < 0.5


@pytest.mark.parametrize("n", [1000])
def test_a_thousand_long_comments_are_read_in_seconds(n: int) -> None:
    from datetime import UTC, datetime
    from time import process_time

    from bot.ports import Comment
    from bot.records.event import Account

    at = datetime(2026, 3, 4, tzinfo=UTC)
    comments = [Comment(i, Account(id=2, login="rev"), "text /x\n" * 20 + COMMENT, at, at) for i in range(1, n + 1)]
    begin = process_time()
    assert len(commands_in(comments, parse, None)) == n
    judge(facts(review(REV)), P["P1"])
    assert process_time() - begin < 10
