"""Event name and payload bytes in, closed Event out: after this door nobody sees a dictionary of GitHub's."""

from __future__ import annotations

from bot.receive.events import EVENTS
from bot.receive.payload import Payload
from bot.records.event import Event, Ignored


def receive(event_name: str, payload: bytes, workflow: str) -> Event:
    """The Event that a payload means. `workflow` is the name of the workflow that runs.

    An event that we do not know becomes Ignored with the reason. Raises UserError (code `payload_invalid`) when the
    payload is not what GitHub documents for the event.
    """
    read = EVENTS.get(event_name)
    if read is None:
        return Ignored(reason=f"event {event_name[:80]!r} is not one that mlbot handles")
    return read(Payload.parse(payload, event_name, workflow))
