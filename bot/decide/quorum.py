"""Approvals and places to fill -> which places stay empty: a matching, so that nobody is counted in two places."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One place of a rule's requirement line: `group` names the set within which one person fills one place."""

    rule: str
    line: int
    group: Hashable


def empty_places(places: Sequence[Place], people: Iterable[int], may_fill: Callable[[int, Place], bool]) -> list[Place]:
    """Places that stay empty in a largest matching of people to places (augmenting paths)."""
    people = list(people)
    taken: dict[tuple[Hashable, int], int] = {}  # (group, person) -> index of the place
    candidates: dict[Place, list[int]] = {}
    for place in places:
        if place not in candidates:
            candidates[place] = [person for person in people if may_fill(person, place)]

    def fill(index: int, tried: set[int]) -> bool:
        place = places[index]
        for person in candidates[place]:
            if person in tried:
                continue
            tried.add(person)
            holder = taken.get((place.group, person))
            if holder is None or fill(holder, tried):
                taken[(place.group, person)] = index
                return True
        return False

    return [place for index, place in enumerate(places) if not fill(index, set())]
