"""`mlbot decide` and `mlbot policy backtest` as a person uses them, on a real clone with a real ledger."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.git import GitBranch, LocalGit
from bot.cli import run
from bot.decide.decide import decide
from bot.decide.step import read
from bot.records.base import canonical_json, sha256
from bot.records.decision import Decision
from bot.records.facts import Facts
from bot.records.ledger import LEDGER, decision_path, facts_path
from tests.decide.world import APPROVALS, COMMANDS, ENVIRONMENTS, NOW, REV, ROLES, facts, review

FILES = {"roles": ROLES, "approvals": APPROVALS, "environments": ENVIRONMENTS, "commands": COMMANDS}


def git(path: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(path), *words], check=True, capture_output=True)


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """A folder of policies, without a repository."""
    folder = tmp_path / "policies"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose ledger holds one approved decision about pull request 7."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(tmp_path / "o.git")], check=True)
    path = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(tmp_path / "o.git"), str(path)], check=True, capture_output=True)
    for key, value in {"user.name": "t", "user.email": "t@example.com"}.items():
        git(path, "config", key, value)
    (path / "policies").mkdir()
    for name, text in FILES.items():
        (path / "policies" / f"{name}.yaml").write_text(text)
    git(path, "checkout", "-qb", "main")
    git(path, "add", "-A")
    git(path, "commit", "-qm", "policies")
    git(path, "push", "-q", "origin", "main")
    repository = LocalGit(path)
    loaded = read(repository, repository.resolve("main"))
    found = facts(review(REV))
    decision = decide(found, loaded, NOW)
    names = (facts_path(7, found.digest()), decision_path(7, decision.digest()))
    ledger = GitBranch(repository, LEDGER, append_only=True)
    ledger.commit(dict(zip(names, (found.canonical(), decision.canonical()), strict=True)), "decide")
    return path


def stored(clone: Path) -> str:
    (path,) = GitBranch(LocalGit(clone), LEDGER).paths("decisions/")
    return path.rpartition("/")[2].removesuffix(".json")


def test_a_stored_decision_replays_byte_for_byte_after_the_policy_changed(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clone / "policies" / "approvals.yaml").write_text(APPROVALS.replace("count: 1", "count: 2"))
    git(clone, "commit", "-qam", "stricter")
    for digest in (f"sha256:{stored(clone)}", stored(clone)[:12]):
        assert run(["decide", "--replay", digest, "--repo", str(clone)]) == 0
        said = capsys.readouterr()
        assert "Approved: may be merged." in said.out
        assert "the same, byte for byte" in said.err


def test_a_replay_of_nothing_says_what_to_do(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decide", "--replay", "sha256:" + "0" * 64, "--repo", str(clone)]) == 1
    assert "no decision" in capsys.readouterr().err
    assert run(["decide", "--replay", stored(clone)[:4], "--repo", str(clone)]) == 1


def test_a_decision_that_is_not_what_its_name_says_is_told(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = GitBranch(LocalGit(clone), LEDGER)
    path = decision_path(7, stored(clone))
    changed = Decision.parse(ledger.get(path) or b"", source=path).model_copy(update={"headline": "forged"})
    ledger.commit({path: changed.canonical()}, "forge")
    assert run(["decide", "--replay", stored(clone), "--repo", str(clone)]) == 1
    assert "does not hold what its name says" in capsys.readouterr().err


def test_backtest_tells_whom_a_changed_policy_would_have_stopped(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["policy", "backtest", "--policies", str(clone / "policies"), "--repo", str(clone)]
    assert run(words) == 0
    assert "same verdict for the last 1 decisions" in capsys.readouterr().out
    (clone / "policies" / "approvals.yaml").write_text(APPROVALS.replace("count: 1", "count: 2"))
    assert run(words) == 1
    assert "| 7 | merge | approved (`approved`) | pending (`approvals_missing`) |" in capsys.readouterr().out


def test_decide_from_a_file_needs_no_repository(
    policies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "facts.json"
    file.write_bytes(facts(review(REV)).canonical())
    words = ["decide", "--facts", str(file), "--policies", str(policies), "--now", NOW.isoformat()]
    assert run([*words, "--json"]) == 0
    assert Decision.model_validate(json.loads(capsys.readouterr().out)).status == "approved"
    file.write_bytes(facts().canonical())
    assert run(words) == 1
    assert "rev: approve as reviewers  (/approve E-" in capsys.readouterr().out
    assert run([*words, "--explain", "--rule", "reviewed"]) == 1
    assert "~ reviewed [approvals_missing]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{}", "not a Facts record"),
        (b"[1]", "not a Facts record"),
        (b'{"subject": NaN}', "not a Facts record"),
        (b"\xff", "not a Facts record"),
    ],
    ids=["empty", "a list", "not finite", "not text"],
)
def test_facts_that_are_none_are_a_clear_error(
    text: bytes, message: str, policies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "facts.json"
    file.write_bytes(text)
    assert run(["decide", "--facts", str(file), "--policies", str(policies)]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("now", ["yesterday", "2026-03-04T12:00:00"])
def test_a_time_must_be_one(now: str, policies: Path, tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    file.write_bytes(facts().canonical())
    assert run(["decide", "--facts", str(file), "--policies", str(policies), "--now", now]) == 1


def test_nothing_to_judge(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decide"]) == 1
    assert "nothing to judge" in capsys.readouterr().err


def test_a_link_among_the_policies_is_refused(
    policies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (policies / "gates.yaml").symlink_to(tmp_path / "elsewhere")
    assert run(["policy", "lint", "--policies", str(policies)]) == 1
    assert "is a link" in capsys.readouterr().err


def test_times_of_facts_round_trip() -> None:
    found = facts(review(REV, ago=timedelta(hours=2).total_seconds() / 60))
    assert Facts.parse(found.canonical(), source="x") == found


def test_what_if_asks_the_ledger_for_the_facts_of_a_pull_request(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--policies", str(clone / "policies"), "--repo", str(clone)]
    words = ["policy", "simulate", *where, "--now", "2026-03-04T12:00:00Z"]
    assert run([*words, "--pull-request", "7"]) == 0
    assert run([*words, "--pull-request", "7", "+without=@rev"]) == 1
    assert "approvals_missing" in capsys.readouterr().out
    for wrong, said in (
        (["--pull-request", "8"], "no decision on #8"),
        ([], "name either --facts or --pull-request"),
        (["--pull-request", "7", "approve=@rev"], "is not a change"),
        (["--pull-request", "7", "+approve=@nobody-known"], "nobody knows @nobody-known"),
    ):
        assert run([*words, *wrong]) == 1
        assert said in capsys.readouterr().err


def test_a_decision_replays_when_facts_have_learnt_new_words_since(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The digest of facts is that of their bytes: a field that they did not have then does not make them others."""
    ledger = GitBranch(LocalGit(clone), LEDGER)
    old = json.loads(facts(review(REV)).canonical())
    del old["pull_request"]["pushers"], old["group"]
    data = canonical_json(old)
    decision = Decision.parse(ledger.get(decision_path(7, stored(clone))) or b"", source="d").model_copy(
        update={"facts_digest": sha256(data)}
    )
    ledger.commit({facts_path(7, sha256(data)): data, decision_path(7, decision.digest()): decision.canonical()}, "old")
    assert run(["decide", "--replay", decision.digest(), "--repo", str(clone)]) == 0
    assert "the same, byte for byte" in capsys.readouterr().err
    ledger.commit({facts_path(7, sha256(data)): data.replace(b'"draft":false', b'"draft":true')}, "forge")
    assert run(["decide", "--replay", decision.digest(), "--repo", str(clone)]) == 1
    assert "does not hold what its name says" in capsys.readouterr().err


def test_a_ledger_with_signatures_is_checked_and_one_that_others_wrote_is_told(
    clone: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.adapters.signed_branch import SignedBranch
    from bot.adapters.signing import generate, key_pair

    private, public = generate()
    (clone / "policies" / "keys").mkdir()
    (clone / "policies" / "keys" / "mlbot.pub").write_bytes(public)
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "key")
    git(clone, "push", "-q", "origin", "main")
    repository = LocalGit(clone)
    plain = GitBranch(repository, LEDGER)
    assert run(["policy", "backtest", "--policies", str(clone / "policies"), "--repo", str(clone)]) == 1
    assert "sign" in capsys.readouterr().err
    signer = key_pair({"MLBOT_SIGNING_KEY": private.decode()}, repository, repository.resolve("HEAD"))
    assert signer is not None
    signed = SignedBranch(plain, LEDGER, signer)
    signed.commit({path: plain.get(path) for path in plain.paths() if not path.endswith(".sig")}, "sign")
    assert run(["policy", "backtest", "--policies", str(clone / "policies"), "--repo", str(clone)]) == 0
    git(clone, "checkout", "-q", "HEAD~1")
    digest = signed.paths("decisions/")[0].rpartition("/")[2][:20]
    assert run(["decide", "--replay", digest, "--repo", str(clone)]) == 0


def test_history_lists_every_verdict_with_the_digest_to_replay_it_by(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["history", "churn", "--decisions", "--repo", str(clone), "--offline"]
    assert run(words) == 0
    line = capsys.readouterr().out.splitlines()[1].split()
    assert line[1:5] == ["#7", "merge", "approved", "approved"]
    assert run(["decide", "--replay", line[5], "--repo", str(clone)]) == 0
    assert run([*words, "--environment", "staging"]) == 1
    assert run([*words, "--json"]) == 0
    assert run(["history", "nothing", "--decisions", "--repo", str(clone), "--offline"]) == 1
    assert "no verdict on nothing" in capsys.readouterr().err
