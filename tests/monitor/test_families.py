"""Drift, performance and labels alarm by one rule, each with its share of the false alarms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.monitor.families import MARGIN, RELEASE, TWO_TABLES, allotted, expected, family, together
from bot.monitor.persist import Rule, chance
from bot.monitor.settings import Settings
from bot.records.health import Family, Health
from bot.report.health import page, summary
from bot.report.health_terminal import text
from tests.monitor.world import World, fresh, turned

AGREE = {"persistence": {"needed": 2, "of": 3}}


def fewer(column: Any) -> list[str]:
    return [one if number % 2 else "no" for number, one in enumerate(column.to_pylist())]


def day(live: World, seed: int, outcome=None, **changes: Any) -> Health:
    """A day's log, its labels at once, and the look at its end."""
    rows = fresh(400, seed)
    logged = live.serve(rows)
    live.label(logged, rows["outcome"].to_pylist() if outcome is None else outcome(rows["outcome"]), f"{seed}.csv")
    found = live.watch(**{**AGREE, **changes})
    live.past.append(found)
    live.clock.at += timedelta(days=1)
    return found


def of(found: Health, name: str) -> Family:
    return next(one for one in found.families if one.name == name)


TROUBLE = {
    "performance": (lambda column: turned(column, 0.3), "performance"),
    "labels": (fewer, "drift"),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_one_odd_window_is_no_alarm_where_two_of_three_must_agree(live: World, name: str) -> None:
    outcome, cause = TROUBLE[name]
    only_today = {"labels_within": "1d"}
    first = day(live, 3, outcome, **only_today)
    assert (first.status, first.causes, first.raised) == ("healthy", (), True)
    assert of(first, name).raised == 1 and not of(first, name).alarm
    second = day(live, 4, outcome, **only_today)
    assert second.status == "alarm" and cause in second.causes
    assert of(second, name).raised == 2 and of(second, name).alarm
    assert second.persistence is not None and second.persistence.raised == 2


def test_without_persistence_one_odd_window_is_an_alarm(live: World) -> None:
    assert "performance" in day(live, 3, TROUBLE["performance"][0], persistence=None).causes


def test_windows_that_are_odd_in_different_things_do_not_agree() -> None:
    settings = Settings(rule=Rule(2, 2))
    drift, performance = (allotted(name, 0.5, 0.1, settings) for name in ("drift", "performance"))
    first = [family(drift, 1e-6, settings, ()), family(performance, 0.9, settings, ())]
    past = [a_record(first)]
    second = [family(drift, 0.9, settings, past), family(performance, 1e-6, settings, past)]
    assert [one.raised for one in second] == [1, 1] and not any(one.alarm for one in second)


def test_late_labels_that_two_windows_share_do_not_agree_twice_at_a_raised_level(live: World) -> None:
    """The same rows judged again are no second witness: the level stays as for one window."""
    day(live, 3)
    found = day(live, 4)
    performance, level = of(found, "performance"), MARGIN * RELEASE["performance"] * 0.5 / 30
    assert performance.correlation > 0.6, "half of the labelled rows were there the day before"
    assert level < performance.level < of(day(live, 5, labels_within="1d"), "performance").level


def test_the_shares_add_up_and_so_do_the_false_alarms() -> None:
    for shares in (TWO_TABLES, RELEASE):
        assert sum(shares.values()) == pytest.approx(1.0)
    for rule in (Rule(1, 1), Rule(2, 3), Rule(3, 5)):
        settings = Settings(false_alarms_per_month=0.5, windows_per_month=30, rule=rule)
        judged = [family(allotted(name, part, 0.2, settings), 0.5, settings, ()) for name, part in RELEASE.items()]
        assert expected(judged, 30, rule) == pytest.approx(MARGIN * 0.5, rel=1e-3)
        for one in judged:
            assert chance(one.level, rule, 0.2) == pytest.approx(MARGIN * one.share * settings.per_window, rel=1e-3)


@pytest.mark.parametrize("p_values", [(0.001, 0.9), (0.9, 0.001), (0.02, 0.02), (None, 0.004), (0.9, None)])
def test_the_windows_own_p_value_says_whether_any_family_is_odd(p_values) -> None:
    settings = Settings(false_alarms_per_month=0.6, windows_per_month=30)
    judged = [
        family(allotted(name, share, 0.0, settings), p_value, settings, ())
        for (name, share), p_value in zip(TWO_TABLES.items(), p_values, strict=True)
    ]
    level = MARGIN * settings.per_window
    odd = any(one.p_value is not None and one.p_value <= one.level for one in judged)
    found = together(judged, level)
    assert found is not None and (found <= level) == odd
    assert together([family(allotted("drift", 1.0, 0.0, settings), None, settings, ())], level) is None


def test_what_is_odd_and_no_alarm_yet_is_called_so(live: World) -> None:
    """Nobody reads ALARM beside a model that is healthy."""
    first = day(live, 3, TROUBLE["performance"][0], labels_within="1d")
    shown = [text(first, 200), summary(first), page([first])]
    assert all("ALARM" not in one and "odd" in one for one in shown)
    assert "performance: 1 of the last 1 window odd" in shown[0] and "2 of 3 are an alarm" in shown[0]
    assert "odd, no alarm yet" in shown[2]
    second = day(live, 4, TROUBLE["performance"][0], labels_within="1d")
    assert "performance: 2 of the last 2 windows odd" in text(second, 200) and "ALARM" in text(second, 200)


def test_a_window_without_rows_does_not_say_that_no_column_drifted(live: World) -> None:
    """Nor does the line of the largest difference fall: only the labels were compared."""
    first = day(live, 3)
    live.past.append(live.watch(**AGREE))
    shown = page(live.past)
    assert "inputs were not judged" in shown and "inputs were not judged" not in page([first])
    assert "largest difference of a column" not in shown, "one window that was judged makes no line"


def a_record(families: list[Family]) -> Health:
    from tests.monitor.test_follow import BUDGET, SIDE

    return Health(
        model="small", status="healthy", reference=SIDE, current=SIDE, budget=BUDGET, least_effect=0.02,
        smallest_detectable=None, drift=(), performance=(), estimated=(), notes=(), families=tuple(families),
    )  # fmt: skip
