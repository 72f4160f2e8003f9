"""What every Conversation port owes: nothing said twice, nobody else's words touched, no other head merged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.adapters.github import GitHub
from bot.errors import UserError
from bot.ports import Comment, Conversation
from bot.sandbox.world import Sandbox
from tests.fakes.conversation import FakeConversation, a_comment
from tests.sandboxes import small_sandbox

MARKER = "<!-- mlbot:report:contract -->"


@dataclass
class Talk:
    """A port, a pull request to talk under, its head, and how to see what was said."""

    port: Conversation
    number: int
    head: str
    see: Any

    def said(self) -> list[Comment]:
        return list(self.see().comments(self.number))

    def mine(self) -> list[str]:
        return [one.body for one in self.said() if one.author.id == self.port.me().id]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with small_sandbox(tmp_path_factory.mktemp("conversation")) as started:
        yield started


@pytest.fixture(params=["fake", "github"])
def talk(request: Any) -> Talk:
    if request.param == "fake":
        fake = FakeConversation(heads={1: "a" * 40})
        return Talk(fake, 1, "a" * 40, lambda: fake)
    world: Sandbox = request.getfixturevalue("sandbox")
    name = request.node.name.partition("[")[0]
    number = world.propose("dana", name, {f"models/{name}.txt": b"two\n"}, "Change")

    def opened(login: str = "rhea") -> GitHub:
        return GitHub(api_url=world.api_url, repository=world.repository, token=world.token(login), account=None)

    return Talk(opened(), number, opened().get(number).head_sha, opened)


def test_the_comment_with_a_marker_is_one_and_edited_in_place(talk: Talk) -> None:
    for text in ("first", "second", "second"):
        talk.port.upsert_comment(talk.number, MARKER, f"{MARKER}\n{text}")
    assert talk.mine() == [f"{MARKER}\nsecond"]


def test_a_comment_that_was_made_twice_is_one_after_the_next_write(talk: Talk) -> None:
    """GitHub did what it was asked for and did not answer, so it was asked again."""
    for text in ("first", "first"):
        talk.port.reply(talk.number, f"{MARKER}\n{text}")
    talk.port.upsert_comment(talk.number, MARKER, f"{MARKER}\nsecond")
    assert talk.mine() == [f"{MARKER}\nsecond"]


def test_a_reply_is_a_new_comment_each_time(talk: Talk) -> None:
    talk.port.reply(talk.number, "one")
    talk.port.reply(talk.number, "one")
    assert talk.mine() == ["one", "one"]


def test_a_marker_in_the_middle_is_not_the_comment(talk: Talk) -> None:
    talk.port.reply(talk.number, f"see {MARKER}")
    talk.port.upsert_comment(talk.number, MARKER, f"{MARKER}\nreport")
    assert talk.mine() == [f"see {MARKER}", f"{MARKER}\nreport"]


def test_the_newest_status_of_a_context_counts_and_its_words_are_cut_as_github_cuts(talk: Talk) -> None:
    talk.port.set_status(talk.head, "mlbot/verdict", "pending", "wait", None)
    talk.port.set_status(talk.head, "mlbot/verdict", "success", "x" * 300, "https://example.com/run")
    assert talk.port.statuses(talk.head) == {"mlbot/verdict": ("success", "x" * 140)}


def test_only_a_comment_that_is_there_takes_a_reaction(talk: Talk) -> None:
    talk.port.reply(talk.number, "hello")
    talk.port.react(talk.said()[-1].id, "rocket")
    with pytest.raises(UserError) as caught:
        talk.port.react(987654321, "rocket")
    assert caught.value.code == "not_found"


def test_a_workflow_that_is_not_there_is_a_clear_error(talk: Talk) -> None:
    with pytest.raises(UserError) as caught:
        talk.port.dispatch("none.yml", {"number": "1"})
    assert caught.value.code == "not_found"


def test_only_the_head_that_was_judged_is_merged(talk: Talk) -> None:
    with pytest.raises(UserError) as caught:
        talk.port.merge(talk.number, "b" * 40)
    assert caught.value.code == "refused"
    assert len(talk.port.merge(talk.number, talk.head)) == 40


def test_another_persons_comment_is_never_edited(sandbox: Sandbox) -> None:
    number = sandbox.propose("dana", "quoted", {"models/q.txt": b"q\n"}, "Quoted")
    person = sandbox.github("dana").get_repo(sandbox.repository).get_issue(number).create_comment(f"{MARKER}\nforged")
    port = GitHub(api_url=sandbox.api_url, repository=sandbox.repository, token=sandbox.token("rhea"), account=None)
    port.upsert_comment(number, MARKER, f"{MARKER}\nreal")
    said = {one.id: one.body for one in port.comments(number)}
    assert said.pop(person.id) == f"{MARKER}\nforged" and list(said.values()) == [f"{MARKER}\nreal"]
    fake = FakeConversation(comments_=[a_comment(1, port.me(), f"{MARKER}\nforged")])
    fake.upsert_comment(1, MARKER, f"{MARKER}\nreal")
    assert [one.body for one in fake.comments_] == [f"{MARKER}\nforged", f"{MARKER}\nreal"]
