"""Workflow files as `act` reads them: without the keys that GitHub knows, `act` does not, and that change no step."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import yaml

# parent key -> keys that `act`'s schema refuses; the sandbox's own queue honours `queue`
UNKNOWN = {"environment": {"deployment"}, "concurrency": {"queue"}}


@lru_cache(64)  # composing a file in Python costs 30 ms, and each run of the same commit asks for all of them
def for_act(text: str) -> str:
    """The file without those keys; every other character is kept. A file that is no YAML is kept as it is."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return text
    for start, end in sorted(_spans(root, ""), reverse=True):
        text = text[:start] + text[end:]
    return text


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
