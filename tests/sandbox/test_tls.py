"""The server over TLS: clients that trust its authority reach it, others do not; addresses are those that they used."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bot.errors import UserError
from bot.sandbox import tls
from bot.sandbox.world import Sandbox
from tests.sandboxes import small_sandbox


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with small_sandbox(tmp_path_factory.mktemp("tls"), tls=True) as world:
        yield world


def test_the_api_answers_as_an_enterprise_host_with_its_own_addresses(secure: Sandbox) -> None:
    known = secure.client_environment("dana")
    url = f"https://{known['GH_HOST']}"
    headers = {"Authorization": f"Bearer {known['GH_ENTERPRISE_TOKEN']}"}
    address = f"{url}/api/v3/repos/acme/models"
    answer = requests.get(address, headers=headers, verify=known["SSL_CERT_FILE"], timeout=10)
    assert answer.json()["url"] == f"{url}/api/v3/repos/acme/models"
    assert answer.json()["html_url"] == f"{url}/acme/models"


def test_a_client_that_does_not_trust_its_authority_is_not_served(secure: Sandbox) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"https://{secure.client_environment('dana')['GH_HOST']}/api/v3/meta", timeout=10)


def test_git_clones_and_pushes_over_tls(secure: Sandbox, tmp_path: Path) -> None:
    known = secure.client_environment("dana")
    address = f"https://x-access-token:{known['GH_ENTERPRISE_TOKEN']}@{known['GH_HOST']}/acme/models.git"
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "GIT_SSL_CAINFO": known["GIT_SSL_CAINFO"]}
    for line in (["clone", "-q", address, "x"], ["-C", "x", "push", "-q", "origin", "HEAD:refs/heads/side"]):
        subprocess.run(["git", *line], cwd=tmp_path, env=environ, check=True, timeout=30)
    assert secure.hub.bare(secure.repo).branch("side")


def test_the_key_stays_with_its_owner(secure: Sandbox) -> None:
    assert (secure.directory / "tls/server.pem").stat().st_mode & 0o077 == 0


def test_an_address_that_is_taken_is_passed_over(tmp_path: Path) -> None:
    with small_sandbox(tmp_path / "one", tls=True) as one:
        assert one.tls is not None
        host, port = one.tls.server_address[:2]
        assert not tls.can_listen(str(host), int(port))


def test_without_tls_there_is_no_environment_for_clients(tmp_path: Path) -> None:
    with small_sandbox(tmp_path) as world, pytest.raises(UserError, match="does not speak TLS"):
        world.client_environment("dana")
