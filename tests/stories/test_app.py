"""The bot as the team's own GitHub App, with a change of five models: each event stays within what it may ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from bot.adapters.github_app import APP_ID, APP_INSTALLATION, APP_KEY
from bot.sandbox.world import Sandbox
from tests.stories.world import (
    BIKES,
    ROOT,
    approve_by_review,
    bikes,
    bot_said,
    evaluation_id,
    live,
    rehearsal,
    say,
    verdict,
)

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("app")]
BUDGET = {"push": 15, "comment": 8, "review": 8, "promotion": 12, "group": 9}
MAY = dict.fromkeys(("actions", "contents", "deployments", "issues", "pull-requests", "statuses"), "write")
APP = "acme-mlbot[bot]"
NAMES = [f"bikes-{letter}" for letter in "abcde"]


@dataclass
class Told:
    """What the bot asked of GitHub for each event, and what was seen on the way."""

    sandbox: Sandbox
    asked: dict[str, list[str]] = field(default_factory=dict)
    number: int = 0
    group: str = ""

    def note(self, name: str, before: int) -> None:
        self.sandbox.settle()
        self.asked[name] = self.sandbox.bots_asked(before)

    def now(self) -> int:
        return len(self.sandbox.requests())


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = ROOT / BIKES.removesuffix("/model.yaml")
    copies = {
        f"models/{name}/{file}": bikes(20 + index) if file == "model.yaml" else (folder / file).read_bytes()
        for index, name in enumerate(NAMES)
        for file in ("model.yaml", "schema.yaml", "README.md")
    }
    with rehearsal(tmp_path_factory.mktemp("app") / "world") as sandbox:
        number, key, installation = sandbox.add_app("acme-mlbot", MAY)
        sandbox.set_secrets("mlbot", {APP_KEY: key})
        sandbox.repo.environments["mlbot"].variables |= {APP_ID: str(number), APP_INSTALLATION: str(installation)}
        story = Told(sandbox)
        before = story.now()
        story.number = sandbox.propose("dana", "five", copies, "Five models")
        story.note("push", before)
        approved(story)
        released(story)
        yield story


def approved(story: Told) -> None:
    """The author may not, a validator approves by comment, an owner by review."""
    sandbox, number = story.sandbox, story.number
    approve = f"/approve {evaluation_id(sandbox, number)}"
    for name, login, body in (
        ("refused", "dana", approve),
        ("comment", "vera", approve),
        ("status", "rhea", "/status"),
    ):
        before = story.now()
        say(sandbox, login, number, body)
        story.note(name, before)
    before = story.now()
    approve_by_review(sandbox, "owen", number)
    story.note("review", before)


def released(story: Told) -> None:
    """The merge queue brings it in, which promotes to staging; a person brings all five to production by a comment."""
    sandbox, number = story.sandbox, story.number
    before = story.now()
    group = sandbox.merge_group(number)
    story.note("group", before)
    story.group = group.sha
    before = story.now()
    assert sandbox.finish_merge_group(group, ("mlbot/evaluation", "mlbot/verdict"))
    story.note("merge", before)
    target = evaluation_id(sandbox, number)
    before = story.now()
    say(sandbox, "rhea", number, f"/promote {target} to production")
    story.note("promotion", before)


@pytest.mark.parametrize(
    ("budget", "event"),
    [
        ("push", "push"), ("comment", "refused"), ("comment", "comment"), ("comment", "status"), ("review", "review"),
        ("promotion", "merge"),
    ],
)  # fmt: skip
def test_an_event_asks_github_no_more_often_with_an_app_and_five_models(told: Told, budget: str, event: str) -> None:
    assert len(told.asked[event]) <= BUDGET[budget], told.asked[event]


def test_a_promotion_that_a_comment_asks_for_stays_within_a_comment_and_a_promotion(told: Told) -> None:
    asked = told.asked["promotion"]
    logins = [index for index, one in enumerate(asked) if one.endswith("/access_tokens")]
    assert len(logins) == 2, asked
    assert logins[1] <= BUDGET["comment"] and len(asked) - logins[1] <= BUDGET["promotion"], asked


def test_five_models_go_live_with_one_deployment_an_environment(told: Told) -> None:
    assert len(live(told.sandbox)) == 2 * len(NAMES)
    repository = told.sandbox.github("dana").get_repo(told.sandbox.repository)
    made = {one.environment: one for one in repository.get_deployments()}
    assert sorted(made) == ["production", "staging"]
    for one in made.values():
        assert sorted(one.payload["models"]) == NAMES and one.creator.login == APP
        assert [status.state for status in one.get_statuses()] == ["success"]


def test_a_ruleset_that_takes_the_verdict_from_the_app_only_lets_the_merge_queue_through(told: Told) -> None:
    path = f"/repos/{told.sandbox.repository}/commits/{told.group}/statuses"
    _, statuses = told.sandbox.github("dana").requester.requestJsonAndCheck("GET", path)
    assert {(one["context"], one["state"], one["creator"]["login"]) for one in statuses} == {
        ("mlbot/evaluation", "success", APP), ("mlbot/verdict", "success", APP),
    }  # fmt: skip
    assert len(told.asked["group"]) <= BUDGET["group"], told.asked["group"]


def test_the_app_is_who_speaks_and_its_report_is_one_comment(told: Told) -> None:
    comments = list(told.sandbox.github("dana").get_repo(told.sandbox.repository).get_issue(told.number).get_comments())
    assert {one.user.login for one in comments if one.user.type == "Bot"} == {APP}
    assert sum("mlbot:report" in one.body for one in comments) == 1
    assert verdict(told.sandbox, told.number) == "success" and bot_said(told.sandbox, told.number)
