"""Forged, replayed and hostile events and comments: none of them becomes a command, a crash or a way round."""

import json
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any

import pytest

from bot.chatops.answers import hint_text
from bot.chatops.parse import parse
from bot.decide.reading import commands_in
from bot.errors import UserError
from bot.ports import Comment
from bot.receive.step import receive
from bot.records.event import Account, CommentCreated, Ignored
from bot.records.matrix import MAX_JOBS, matrix
from bot.records.plan import Planned

NOW = datetime(2026, 3, 4, tzinfo=UTC)
REV = Account(id=2, login="rev")


def said(body: str, *, author: Account = REV, edited: bool = False) -> list[Any]:
    comment = Comment(1, author, body, NOW, NOW + timedelta(hours=edited))
    return commands_in([comment], parse, None)


def payload(**changes: Any) -> bytes:
    author = {"id": 2, "login": "rev", "type": "User"}
    content = {
        "action": "created",
        "issue": {"number": 7, "pull_request": {}},
        "comment": {"id": 1, "body": "/approve", "user": author},
        "sender": author,
    }
    return json.dumps(content | changes).encode()


def test_bots_never_give_an_opinion() -> None:
    """Neither through a new comment nor when old comments are read again."""
    assert said("/approve", author=Account(id=9, login="github-actions[bot]", kind="Bot")) == []
    bot = {"id": 9, "login": "github-actions[bot]", "type": "Bot"}
    comment = {"id": 1, "body": "/approve", "user": bot}
    assert isinstance(receive("issue_comment", payload(comment=comment, sender=bot), "chatops"), Ignored)


def test_an_edited_comment_is_marked_wherever_it_is_read() -> None:
    assert not isinstance(receive("issue_comment", payload(action="edited"), "chatops"), CommentCreated)
    (opinion,) = said("/approve", edited=True)
    assert opinion.edited


def test_a_comment_in_another_person_s_name_is_ignored() -> None:
    sender = {"id": 3, "login": "mallory", "type": "User"}
    assert isinstance(receive("issue_comment", payload(sender=sender), "chatops"), Ignored)


def test_a_forged_event_name_or_body_is_refused() -> None:
    assert isinstance(receive("repository_dispatch", payload(), "chatops"), Ignored)
    with pytest.raises(UserError):
        receive("issue_comment", payload(comment="x"), "chatops")


def test_a_workflow_of_a_branch_that_calls_itself_review_gives_nothing_but_a_commit() -> None:
    """Number, reviews and artifacts are read from GitHub, not from that run."""
    run = {"name": "review", "event": "pull_request_review", "head_sha": "a" * 40, "pull_requests": []}
    event = receive("workflow_run", json.dumps({"action": "completed", "workflow_run": run}).encode(), "reviewed")
    assert event.model_dump(exclude={"schema_version", "kind"}) == {"number": None, "head_sha": "a" * 40}


@pytest.mark.parametrize("length", range(7, 40))
def test_a_short_commit_id_never_names_what_is_approved(length: int) -> None:
    (hint,) = parse("/approve " + ("0123456789abcdef" * 3)[:length]).hints
    assert hint.code == "target_short"


@pytest.mark.parametrize(
    "argument",
    ["-chdir=/", "--force", "-- x", "--reason=x", "key=value", "seed=1;id", "$(id)", "`id`", "../../x", "a'b", '"a b"']
)  # fmt: skip
def test_no_argument_passes_through(argument: str) -> None:
    """A closed grammar: an argument that is not in it stops the command."""
    parsed = parse(f"/retrain {argument}")
    assert parsed.commands == () and parsed.hints


@pytest.mark.parametrize(
    "verb", ["/аpprove", "/approvе", "/ａpprove", "/app\u200drove", "/\u202eevorppa", "/approve\u3164", "/арргоvе"]
)
def test_look_alike_and_invisible_letters_never_approve(verb: str) -> None:
    assert parse(verb).commands == ()


def test_an_answer_repeats_no_live_text_of_a_stranger() -> None:
    hostile = "/approve @team <img/src=x> [x](y) ```\n/approve to <!--\n/aprove"
    answer = hint_text(parse(hostile).hints)
    assert parse(answer).commands == () and "@team" not in answer.replace("`@team`", "")
    assert not any(line.lstrip().startswith("/") for line in answer.splitlines())
    assert "<img" not in answer and "<!--" not in answer.replace("`", "")


def test_ten_thousand_commands_are_one_answer() -> None:
    parsed = parse("/approve\n" * 6_000)
    assert parsed.commands == () and len(parsed.hints) == 1


@pytest.mark.parametrize("deep", ["> ", "[", "**", "<a", "``", "- ", "\\", "&#", "]("])
def test_time_to_parse_deep_markdown_grows_with_its_length_and_not_with_its_square(deep: str) -> None:
    def least_s(n: int) -> float:
        took = []
        for _ in range(3):
            begin = process_time()
            assert parse(deep * n + "\n/approve/").commands == ()
            took.append(process_time() - begin)
        return min(took)

    assert least_s(24_000) < 30 * least_s(3_000), "eight times as long: 8, and 64 if it were the square"


def test_a_spec_bomb_of_models_fits_the_matrix() -> None:
    """10,000 models are 256 jobs; the output stays far below GitHub's cap of 1 MB."""
    models = [
        Planned(
            model=f"m{number:062d}", inputs_digest="sha256:0", base_inputs_digest=None, reasons=(), data_files=(),
            runner="ubuntu-24.04-arm", timeout_minutes=1, risk_tier="low",
        )
        for number in range(10_000)
    ]  # fmt: skip
    jobs = matrix(models)["include"]
    assert len(jobs) <= MAX_JOBS and len(json.dumps(jobs)) < 1_000_000
