"""Workflow files as `act` reads them: without keys that only GitHub knows, with gates for groups of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import yaml

from bot.sandbox import gates

# parent key -> keys that `act`'s schema refuses; the sandbox's own queue honours `queue`
UNKNOWN = {"environment": {"deployment"}, "concurrency": {"queue"}}


@lru_cache(64)  # composing a file in Python costs 30 ms, and each run of the same commit asks for all of them
def for_act(text: str) -> str:
    """The file without those keys; every other character is kept. A file that is no YAML is kept as it is."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return text
    edits = [(start, end, "") for start, end in _spans(root, "")] + list(_gates(root))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _gates(root: yaml.Node | None) -> Iterator[tuple[int, int, str]]:
    """(at, at, step) of every job with a group of its own: its first step."""
    jobs = _child(root, "jobs")
    for _, job in jobs.value if isinstance(jobs, yaml.MappingNode) else ():
        concurrency, steps = _child(job, "concurrency"), _child(job, "steps")
        if concurrency is None or not isinstance(steps, yaml.SequenceNode) or not steps.value:
            continue
        given = yaml.constructor.SafeConstructor().construct_document(concurrency)
        at, step = steps.start_mark, gates.step(given)
        if steps.flow_style:
            yield at.index + 1, at.index + 1, f"{step}, "
        else:
            yield at.index, at.index, f"- {step}\n{' ' * at.column}"


def _child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)


def _spans(node: yaml.Node | None, parent: str) -> Iterator[tuple[int, int]]:
    """(start, end) of every key with its value that has to go."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _spans(item, parent)
    if not isinstance(node, yaml.MappingNode):
        return
    for index, (key, value) in enumerate(node.value):
        if key.value in UNKNOWN.get(parent, ()):
            following = node.value[index + 1][0].start_mark if index + 1 < len(node.value) else None
            before = node.value[index - 1][1].end_mark if index else None
            if following is not None:
                yield key.start_mark.index, following.index
            elif before is not None:
                yield before.index, value.end_mark.index
        else:
            yield from _spans(value, str(key.value))
