"""`mlbot sandbox` as a process: says where everything is, goes on after a stop, explains what it cannot do."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import requests

from bot.cli import run


def start(folder: Path, template: Path) -> tuple[subprocess.Popen[str], str]:
    """The process and its address, once it listens."""
    line = [sys.executable, "-c", "from bot.cli import main; main()", "sandbox", "--dir", str(folder)]
    line += ["--template", str(template), "--no-workflows"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    text = ""
    for text_line in process.stdout:
        text += text_line
        if "Ctrl-C" in text_line:
            break
    address = re.search(r"Pages +(\S+)", text)
    assert address is not None, text
    return process, address[1]


def test_it_serves_stops_and_goes_on(tmp_path: Path) -> None:
    """A comment written before a stop is there after it; both stops end with 0."""
    template = tmp_path / "template"
    template.mkdir()
    (template / "README.md").write_text("# x\n")
    token = {"Authorization": "Bearer ghp_sandbox_dana"}
    process, address = start(tmp_path / "w", template)
    api = address.replace("/acme/models", "/repos/acme/models")
    made = requests.post(f"{api}/issues", json={"title": "Remember me"}, headers=token, timeout=30)
    assert made.status_code == 201
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    process, address = start(tmp_path / "w", template)
    assert "Remember me" in requests.get(address, timeout=30).text
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_what_it_cannot_do_is_said_with_the_next_step(tmp_path: Path, capsys: object) -> None:
    import socket

    taken = socket.create_server(("127.0.0.1", 0))
    port = str(taken.getsockname()[1])
    (tmp_path / "t").mkdir()
    (tmp_path / "full/clone").mkdir(parents=True)
    nothing, full, fresh = (str(tmp_path / name) for name in ("nothing", "full", "fresh"))
    template = ["--template", str(tmp_path / "t")]
    assert run(["sandbox", "--dir", fresh, "--template", nothing]) == 1
    assert run(["sandbox", "--dir", full, *template]) == 1
    assert run(["sandbox", "--dir", fresh, "--port", port, *template]) == 1
    assert not Path(fresh).exists(), "what failed leaves nothing behind"
    err = capsys.readouterr().err  # type: ignore[attr-defined]
    for words in ("the template is not a folder", "holds a repository already", f"port {port} cannot be used"):
        assert words in err
    assert "Traceback" not in err
    taken.close()
