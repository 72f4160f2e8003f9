"""A role that is lent, and a promotion past the policy, through comments: each with its end."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from tests.stories.world import BIKES, ROOT, bikes, bot_said, evaluation_id, live, merge, rehearsal, say, verdict

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600)]
FREEZE = """freeze_windows:
  - name: always
    kind: deny
    environments: [production]
    dtstart: "2026-01-01T00:00:00"
    rrule: FREQ=DAILY
    duration: 24h
    time_zone: UTC

break_glass:"""


def test_a_lent_role_counts_until_it_is_taken_back_and_break_glass_takes_two_people_and_a_review(
    tmp_path: Path,
) -> None:
    policy = (ROOT / "policies/environments.yaml").read_text().replace("break_glass:", FREEZE)
    with rehearsal(tmp_path / "world", protected=False) as sandbox:
        sandbox.commit("rhea", "main", {"policies/environments.yaml": policy.encode()}, "Freeze production")
        number = sandbox.propose("dana", "bikes", {BIKES: bikes(7)}, "Fewer iterations")
        sandbox.settle()
        target = evaluation_id(sandbox, number)

        def told(login: str, body: str) -> str:
            before = len(bot_said(sandbox, number))
            say(sandbox, login, number, body)
            return html.unescape(re.sub(r"<[^>]+>", "", "\n".join(bot_said(sandbox, number)[before:])))

        # owen is away: rhea speaks for him, until he is back
        assert "speaks as model-owner for owen" in told(
            "owen",
            "/delegate @rhea role=model-owner for=2d --reason holiday",
        )
        told("rhea", f"/approve {target}")
        told("vera", f"/approve {target}")
        assert verdict(sandbox, number) == "success"
        assert "no more" in told("owen", "/undelegate @rhea")
        assert verdict(sandbox, number) == "pending"
        told("owen", f"/approve {target}")
        merge(sandbox, "rhea", number)
        assert [path for path in live(sandbox) if path.startswith("staging/")]

        # production is frozen: one person is not enough, nor is one twice
        assert "frozen" in told("rhea", f"/promote {target} to production")
        asked = told("rhea", f"/break-glass promote {target} to production --reason outage")
        request = re.findall(r"/break-glass confirm (B-[a-z2-7]{10})", asked)[0]
        assert "needs 2 people" in told("rhea", f"/break-glass confirm {request}")
        assert not [path for path in live(sandbox) if path.startswith("production/")]
        done = told("owen", f"/break-glass confirm {request}")
        assert "is live in production by owen" in done and f"{request} must be reviewed by" in done
        assert [path for path in live(sandbox) if path.startswith("production/")]

        # and somebody else looks at it afterwards
        assert "cannot review" in told("owen", f"/break-glass confirm {request}")
        assert "was reviewed by vera" in told("vera", f"/break-glass confirm {request}")
