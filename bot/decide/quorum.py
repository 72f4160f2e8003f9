"""Approvals and places to fill -> which places stay empty: a matching, so that nobody is counted in two places."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

MAX_TRIES = 1024  # ways to use lent roles that several people want


@dataclass(frozen=True)
class Place:
    """One place of a rule's requirement line: `group` names the set within which one person fills one place."""

    rule: str
    line: int
    group: Hashable


# In whose name a person may fill a place: None for the person's own, else who lent the role; empty when not at all.
Names = Callable[[int, Place], Collection[int | None]]


@dataclass(frozen=True)
class Seating:
    """Places that stay empty, and who speaks for the lenders whose word more than one person wanted to give.

    A lender of whom nothing is said speaks through whoever borrowed; one without speakers fills a place in person.
    """

    empty: list[Place]
    speakers: Mapping[int, frozenset[int]]

    def may_speak(self, person: int, lender: int | None) -> bool:
        """Whether the person's word counts for the lender's, too."""
        return lender is None or person in self.speakers.get(lender, {person})


def seating(places: Sequence[Place], people: Iterable[int], names: Names) -> Seating:
    """The places that stay empty when as many as can be are filled.

    Nobody sits twice in a group, and who lent a role sits there through one person or not at all. Every way to use
    the loans is tried, up to a limit: more would only leave places empty that could be filled.
    """
    people = list(people)
    groups = dict.fromkeys(place.group for place in places)
    found = [_group([one for one in places if one.group == group], people, names) for group in groups]
    speakers: dict[int, frozenset[int]] = {}
    for one in found:
        for lender, who in one.speakers.items():
            speakers[lender] = speakers.get(lender, frozenset()) | who
    return Seating([place for one in found for place in one.empty], speakers)


def _group(places: Sequence[Place], people: Sequence[int], names: Names) -> Seating:
    able = {(person, place): frozenset(names(person, place)) for place in dict.fromkeys(places) for person in people}
    best: Seating | None = None
    for speakers in islice(_ways(able), MAX_TRIES):
        way = Seating([], {lender: frozenset({who} - {None}) for lender, who in speakers.items()})  # type: ignore[arg-type]
        silent = {lender for lender, who in speakers.items() if who is not None}
        candidates = {
            place: [
                person
                for person in people
                if person not in silent and any(way.may_speak(person, one) for one in able[person, place])
            ]
            for place in dict.fromkeys(places)
        }
        empty = _unfilled(places, candidates)
        if best is None or len(empty) < len(best.empty):
            best = Seating(empty, way.speakers)
        if not empty:
            break
    assert best is not None  # there is always the way without a loan
    return best


def _ways(able: Mapping[tuple[int, Place], frozenset[int | None]]) -> Iterator[dict[int, int | None]]:
    """Who speaks for each lender whom several want, or who could sit in person; None: the lender, if anybody."""
    borrowers: dict[int, dict[int, None]] = {}
    for (person, _), options in able.items():
        for lender in sorted(one for one in options if one is not None and None not in options):
            borrowers.setdefault(lender, {})[person] = None
    present = {person for (person, _), options in able.items() if options}
    wanted = [one for one, who in sorted(borrowers.items()) if len(who) > 1 or one in present]
    for choice in product(*((None, *borrowers[one]) for one in wanted)):
        yield dict(zip(wanted, choice, strict=True))


def _unfilled(places: Sequence[Place], candidates: Mapping[Place, Sequence[int]]) -> list[Place]:
    """Places of a group that stay empty in a largest matching of people to places (augmenting paths)."""
    taken: dict[int, int] = {}  # person -> index of the place

    def fill(index: int, tried: set[int]) -> bool:
        for person in candidates[places[index]]:
            if person in tried:
                continue
            tried.add(person)
            if person not in taken or fill(taken[person], tried):
                taken[person] = index
                return True
        return False

    return [place for index, place in enumerate(places) if not fill(index, set())]
