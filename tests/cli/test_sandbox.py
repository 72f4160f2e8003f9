"""`mlbot sandbox` as a process: says where everything is, goes on after a stop, explains what it cannot do."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import requests

from bot.cli import run


def start(folder: Path, template: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """The process and its address, once it listens."""
    process, text = started(folder, template, *options)
    address = re.search(r"Pages +(\S+)", text)
    assert address is not None, text
    return process, address[1]


def started(folder: Path, template: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """The process and what it said, once it listens."""
    line = [sys.executable, "-c", "from bot.cli import main; main()", "sandbox", "--dir", str(folder)]
    line += ["--template", str(template), "--no-workflows", *options]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    text = ""
    for text_line in process.stdout:
        text += text_line
        if "Ctrl-C" in text_line:
            break
    return process, text


def test_it_serves_stops_and_goes_on(tmp_path: Path) -> None:
    """A comment written before a stop is there after it; both stops end with 0."""
    template = tmp_path / "template"
    template.mkdir()
    (template / "README.md").write_text("# x\n")
    process, address = start(tmp_path / "w", template)
    api = address.partition("?")[0].replace("/acme/models", "/repos/acme/models")
    people = json.loads((tmp_path / "w/github.json").read_text())["people"]
    token = {"Authorization": f"Bearer {people['dana']['token']}"}
    assert requests.get(address.partition("?")[0], timeout=30).status_code == 403
    made = requests.post(f"{api}/issues", json={"title": "Remember me"}, headers=token, timeout=30)
    assert made.status_code == 201
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    process, address = start(tmp_path / "w", template)
    assert "Remember me" in requests.get(address, timeout=30).text
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_with_tls_it_prints_what_clients_need(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t/README.md").write_text("# x\n")
    process, text = started(tmp_path / "w", tmp_path / "t", "--tls")
    known = dict(re.findall(r"export (\w+)=(\S+)", text))
    header = {"Authorization": f"Bearer {known['GH_ENTERPRISE_TOKEN']}"}
    query = {"query": "{viewer {login}}"}
    url, authority = f"https://{known['GH_HOST']}/api/graphql", known["REQUESTS_CA_BUNDLE"]
    answer = requests.post(url, json=query, headers=header, verify=authority, timeout=30)
    assert answer.json() == {"data": {"viewer": {"login": "dana"}}}
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
