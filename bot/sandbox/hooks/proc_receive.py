"""Carries the refs of a push to the server that is taking it, and its answer back to git. Standard library only.

git speaks pkt-line on stdin and stdout (https://git-scm.com/docs/githooks#proc-receive); what is written to stderr is
shown to whoever pushes. SANDBOX_DOOR is the server's port on this machine, SANDBOX_PUSH the push that it knows of.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any


def read() -> bytes | None:
    """The next line, None for a flush."""
    length = int(sys.stdin.buffer.read(4) or b"0", 16)
    return sys.stdin.buffer.read(length - 4).rstrip(b"\n") if length else None


def write(line: str) -> None:
    data = line.encode(errors="surrogateescape") + b"\n"
    sys.stdout.buffer.write(b"%04x" % (len(data) + 4) + data)


def flush() -> None:
    sys.stdout.buffer.write(b"0000")
    sys.stdout.buffer.flush()


def ask(moves: list[list[str]], atomic: bool) -> dict[str, Any]:
    """{said: text for people, refused: reason by ref}."""
    asked = {"push": os.environ["SANDBOX_PUSH"], "moves": moves, "atomic": atomic}
    with socket.create_connection(("127.0.0.1", int(os.environ["SANDBOX_DOOR"]))) as connection:
        connection.sendall(json.dumps(asked).encode() + b"\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    found: dict[str, Any] = json.loads(answer)
    return found


def main() -> None:
    features = (read() or b"").decode().partition("\0")[2].split()
    while read() is not None:
        pass
    write("version=1")
    flush()
    moves = []
    while (line := read()) is not None:
        moves.append(line.decode(errors="surrogateescape").split(" ", 2))
    answer = ask(moves, "atomic" in features)
    sys.stderr.write(answer["said"])
    sys.stderr.flush()
    for _, _, ref in moves:
        reason = answer["refused"].get(ref)
        write(f"ng {ref} {reason}" if reason else f"ok {ref}")
        if not reason:
            write("option fall-through")
    flush()


if __name__ == "__main__":
    main()
