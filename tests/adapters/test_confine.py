"""A confined process reads what it was given, Python and the system's libraries, and nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

START = "import sys; from pathlib import Path; from bot.adapters.confine import confine\n"
HERE = "print(confine([Path(sys.argv[1])])); "


def confined(code: str, given: Path, *more: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """What a process says that confines itself to `given` and then runs the code."""
    command = [sys.executable, "-P", "-c", START + HERE + "\n" + code, str(given), *more]
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2]), **(env or {})}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=60)


@pytest.fixture(autouse=True)
def _landlock(tmp_path: Path) -> None:
    if confined("", tmp_path).stdout.strip() != "True":
        pytest.skip("this kernel has no Landlock")


def test_what_it_was_given_is_read_and_libraries_still_import(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("fine")
    code = "import numpy, sklearn, onnxruntime, skops.io; print(open(sys.argv[1] + '/file').read())"
    done = confined(code, tmp_path)
    assert done.stdout.split() == ["True", "fine"], done.stderr


@pytest.mark.parametrize("what", ["secret", "environ", "listing", "writing", "connecting", "starting"])
def test_nothing_else_is(tmp_path: Path, what: str) -> None:
    given, other = tmp_path / "given", tmp_path / "other"
    given.mkdir()
    other.mkdir()
    (other / "secret").write_text("the key")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        code = {
            "secret": f"print(open({str(other / 'secret')!r}).read())",
            "environ": f"print(open('/proc/{os.getpid()}/environ').read())",
            "listing": f"import os; print(os.listdir({str(other)!r}))",
            "writing": "open(sys.argv[1] + '/new', 'w')",
            "connecting": f"import socket; socket.create_connection({address!r}, 5)",
            "starting": "import subprocess; subprocess.run(['/bin/ls'], check=True)",
        }[what]
        done = confined(code, given)
    assert done.returncode != 0 and "PermissionError" in done.stderr, (done.stdout, done.stderr)
    assert "the key" not in done.stdout
