"""Workflow files as `act` reads them: without keys that only GitHub knows, with gates for groups of jobs.

A job of an environment that does not take the run's ref has nothing but the step that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import yaml

from bot.sandbox import environments, gates

# parent key -> keys that `act`'s schema refuses; the sandbox's own queue honours `queue`
UNKNOWN = {"environment": {"deployment"}, "concurrency": {"queue"}}


@lru_cache(64)  # composing a file in Python costs 30 ms, and each run of the same commit asks for all of them
def for_act(text: str, closed: frozenset[str] = frozenset()) -> str:
    """The file without those keys; every other character is kept. A file that is no YAML is kept as it is.

    `closed` are environments that refuse their jobs, known by their names as they are written.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return text
    jobs = set(_gates(root, closed))
    edits = jobs | {(*span, "") for span in _spans(root, "") if not any(a <= span[0] < b for a, b, _ in jobs)}
    for start, end, new in sorted(edits, reverse=True):
        rest = text[start:end].rstrip() if new else text[start:end]  # PyYAML ends a block where the next key begins
        text = text[:start] + new + text[start + len(rest) :]
    return text


def _gates(root: yaml.Node | None, closed: frozenset[str]) -> Iterator[tuple[int, int, str]]:
    """(at, at, step) of every job with a group of its own: its first step; (start, end, steps) of the refused."""
    jobs = _child(root, "jobs")
    for _, job in jobs.value if isinstance(jobs, yaml.MappingNode) else ():
        concurrency, steps, environment = _child(job, "concurrency"), _child(job, "steps"), _environment(job)
        if not isinstance(steps, yaml.SequenceNode) or not steps.value:
            continue
        if environment in closed:
            step = environments.refusal(environment)
            yield steps.start_mark.index, steps.end_mark.index, f"[{step}]" if steps.flow_style else f"- {step}"
            continue
        if concurrency is None:
            continue
        given = yaml.constructor.SafeConstructor().construct_document(concurrency)
        at, step = steps.start_mark, gates.step(given)
        if steps.flow_style:
            yield at.index + 1, at.index + 1, f"{step}, "
        else:
            yield at.index, at.index, f"- {step}\n{' ' * at.column}"


def _environment(job: yaml.Node) -> str:
    """The name as it is written, "" for a job without one."""
    named = _child(job, "environment")
    named = _child(named, "name") if isinstance(named, yaml.MappingNode) else named
    return str(named.value) if isinstance(named, yaml.ScalarNode) else ""


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
