"""The defences of docs/threat-model.md, each of which can be taken out: then the test of its row must fail.

    python -m tests.adversary.defences            all of them, in a copy of the repository each
    python -m tests.adversary.defences A13 A41    those of some rows

A defence that is taken out in vain is one that no test holds: it is printed, and the exit code is 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("bot", "tests", "policies", "models", "docs", ".github", "pyproject.toml", "README.md", "data.dvc", "uv.lock")
LIMIT_S = 300


@dataclass(frozen=True)
class Defence:
    """`there` stands once in `file`; with `instead` in its place `test` must fail. `is_long`: not in CI's rotation."""

    row: str
    file: str
    there: str
    instead: str
    test: str
    is_long: bool = False


DEFENCES: tuple[Defence, ...] = (
    Defence(
        "A05",
        ".github/workflows/chatops.yml",
        "          enable-cache: false\n",
        "          enable-cache: true\n",
        "tests/test_workflows.py::test_caches_are_for_the_tests_only",
    ),
    Defence(
        "A04",
        "bot/chatops/grammar.py",
        'DIGEST = re.compile(r"[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}")',
        'DIGEST = re.compile(r"[0-9A-Fa-f]{7,64}")',
        "tests/adversary/test_doors.py::test_a_short_commit_id_never_names_what_is_approved",
    ),
    Defence(
        "A11",
        "bot/report/annotations.py",
        'return shown.replace("%", "%25").replace("\\n", "%0A")',
        "return shown",
        "tests/adversary/test_report_text.py",
    ),
    Defence(
        "A12",
        "bot/words.py",
        "cls(inline(str(s)))",
        "cls(str(s))",
        "tests/adversary/test_words.py::test_words_of_others_are_text_and_nothing_else",
    ),
    Defence(
        "A12",
        "bot/words.py",
        'ACTED_ON.sub(lambda match: f"{match[0]} ", one_line(str(s)))',
        "one_line(str(s))",
        "tests/adversary/test_words.py::test_titles_and_messages_name_nobody_and_close_nothing",
    ),
    Defence(
        "A12",
        "bot/words.py",
        'fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", lines)), default=0))',
        'fence = "```"',
        "tests/adversary/test_words.py::test_words_of_others_are_text_and_nothing_else",
    ),
    Defence(
        "A13",
        "bot/pipeline/handover.py",
        "        if problem is not None:\n            raise UserError(problem)\n",
        "",
        "tests/adversary/test_handover.py",
    ),
    Defence(
        "A42",
        "bot/pipeline/handover.py",
        "        if ours != theirs:\n",
        "        if False:\n",
        "tests/adversary/test_handover.py",
    ),
    Defence(
        "A15",
        "bot/adapters/trusted.py",
        "        if name not in ALLOWED.get(kind, ()):\n",
        "        if False:\n",
        "tests/adapters/test_trusted.py::test_crafted_schemas_are_refused_before_anything_is_built",
    ),
    Defence(
        "A15",
        "bot/specs/onnx_session.py",
        "        if node.op_type not in OPERATORS.get(node.domain, ()):\n",
        "        if False:\n",
        "tests/adversary/test_onnx.py::test_what_no_training_exports_is_refused",
    ),
    Defence(
        "A41",
        "bot/adapters/contents.py",
        "        if not is_sound(value):\n",
        "        if False:\n",
        "tests/adversary/test_artifacts.py",
    ),
    Defence(
        "A41",
        "bot/specs/onnx_session.py",
        "if any(tensor.external_data or tensor.data_location != tensor.DEFAULT for tensor in",
        "if any(False for tensor in",
        "tests/adversary/test_onnx.py",
    ),
    Defence(
        "A18",
        ".github/workflows/chatops.yml",
        "permissions: {}\n",
        "permissions: write-all\n",
        "tests/test_workflows.py::test_no_permission_unless_a_job_says_why",
    ),
    Defence(
        "A19",
        "bot/adapters/signed_branch.py",
        "        if self._signer.verify(PAYLOAD_TYPE, signature) != self._statement(path, content):\n",
        "        if self._signer.verify(PAYLOAD_TYPE, signature) is None:\n",
        "tests/adapters/test_signing.py",
    ),
    Defence(
        "A20",
        "bot/decide/reading.py",
        'if comment.author.kind == "User" and "/" in comment.body',
        'if "/" in comment.body',
        "tests/adversary/test_doors.py::test_bots_never_give_an_opinion",
    ),
    Defence(
        "A23",
        "bot/specs/yaml.py",
        "    reader.problems.extend(_suspect_characters(text, file))\n",
        "",
        "tests/adversary/test_specs_as_code.py::test_what_hides_is_refused_as_itself_and_as_an_escape",
    ),
    Defence(
        "A23",
        "bot/specs/yaml.py",
        "            self._check_escapes(event)\n",
        "",
        "tests/adversary/test_specs_as_code.py::test_yaml_s_own_words_for_what_hides_are_refused",
    ),
    Defence(
        "A22",
        "bot/chatops/parse.py",
        '+ list(hidden_in_prose(reason or ""))\n    if hidden:',
        "\n    if False:",
        "tests/chatops/test_parse.py::test_hints",
    ),
    Defence(
        "A25",
        "bot/pipeline/chatops_job.py",
        " and not one.is_edited for one in same)",
        " for one in same)",
        "tests/pipeline/test_chatops_job.py",
        is_long=True,
    ),
    Defence(
        "A40",
        "bot/adapters/workbench.py",
        '    if scheme != "tls" and not is_here:\n',
        "    if False:\n",
        "tests/adversary/test_spec_places.py",
    ),
    Defence(
        "A43",
        "bot/serve/admission.py",
        "    if origin is not None and origin.decode(",
        "    if False and origin.decode(",
        "tests/adversary/test_serve.py",
        is_long=True,
    ),
    Defence(
        "A50",
        "bot/specs/linear.py",
        "        _compiled(pattern)\n",
        "",
        "tests/adversary/test_patterns.py::test_what_is_no_such_pattern_is_refused_with_its_place",
    ),
    Defence(
        "A51",
        "bot/sandbox/server.py",
        '    if not _LOCAL.fullmatch(host):\n        return "This address is not this site\'s.\\n"\n',
        "",
        "tests/adversary/test_sandbox.py::test_other_names_and_other_sites_are_refused_everywhere",
    ),
    Defence(
        "A51",
        "bot/sandbox/server.py",
        "    if origin is not None and urlsplit(origin).netloc != host:\n",
        "    if False:\n",
        "tests/adversary/test_sandbox.py::test_other_names_and_other_sites_are_refused_everywhere",
    ),
    Defence(
        "A51",
        "bot/sandbox/hub.py",
        'dataclasses.replace(one, token=f"ghp_{secrets.token_hex(18)}")',
        'dataclasses.replace(one, token=f"ghp_sandbox_{one.login}")',
        "tests/adversary/test_sandbox.py::test_tokens_and_keys_are_random",
    ),
    Defence(
        "A51",
        "bot/sandbox/world.py",
        "        self.api.reads_need_token = True\n",
        "",
        "tests/adversary/test_sandbox.py::test_nothing_is_read_without_a_token",
    ),
    Defence(
        "A52",
        "bot/serve/logged.py",
        "request_id, at = new_id(), now_us()",
        "request_id, at = call.id or new_id(), now_us()",
        "tests/serve/test_log.py::test_an_id_that_was_sent_before_hides_no_row",
    ),
    Defence(
        "A44",
        "bot/pipeline/dispatched.py",
        "    same = [one for one in found if one.workflow == workflow and _given(one.inputs) == given]",
        "    same = list(found)",
        "tests/adversary/test_dispatch.py::test_what_was_accepted_is_started_with_exactly_its_inputs",
    ),
    Defence(
        "A44",
        "bot/pipeline/dispatched.py",
        '        if event.inputs.get("comment_id"):\n            said',
        "        if False:\n            said",
        "tests/adversary/test_dispatch.py::test_the_number_of_somebody_elses_remark_frames_nobody_and_hides_nobody",
    ),
    Defence(
        "A44",
        "bot/pipeline/dispatched.py",
        "        checked(verb, who.id, case)\n",
        "",
        "tests/adversary/test_dispatch.py::test_more_than_a_push_starts_needs_the_role_of_retrain",
    ),
    Defence(
        "A44",
        "bot/pipeline/promote_job.py",
        "    checked(command.verb, who.id, judged.case)",
        "    pass",
        "tests/adversary/test_dispatch.py::test_a_promotion_by_hand_needs_the_role_of_promote",
    ),
    Defence(
        "A45",
        "bot/pipeline/merge_group.py",
        '    elif decision.status != "approved":\n',
        "    elif False:\n",
        "tests/pipeline/test_merge_group.py::test_each_pull_request_of_it_is_judged_again",
    ),
    Defence(
        "A45",
        "bot/pipeline/merge_group.py",
        "        elif kind_of(change.path) in ROOTS and",
        "        elif False and",
        "tests/pipeline/test_merge_group.py::test_rules_that_two_changes_give_together_are_nobodys",
    ),
    Defence(
        "A45",
        "bot/pipeline/merge_group.py",
        "    if why is None and _was_stopped(event.head_sha, job):",
        "    if False:",
        "tests/pipeline/test_merge_group.py::test_a_word_that_comes_while_the_group_is_judged_has_the_last_say",
    ),
    Defence(
        "A46",
        "bot/train/reproduced.py",
        "        if ours.get(name) != theirs.get(name):\n",
        "        if False:\n",
        "tests/pipeline/test_reproduce.py::test_a_difference_rejects_the_evaluation_and_calls_the_release_role",
        is_long=True,
    ),
    Defence(
        "A46",
        "bot/decide/evaluation.py",
        "    if odd is not None:\n",
        "    if False:\n",
        "tests/pipeline/test_reproduce.py::test_a_difference_rejects_the_evaluation_and_calls_the_release_role",
        is_long=True,
    ),
    Defence(
        "A47",
        "bot/decide/heard.py",
        "if not (one.author.id in silent and is_slow(one.body))",
        "",
        "tests/adversary/test_floods.py::test_three_hundred_comments_of_strangers_cost_less_than_two_seconds",
        is_long=True,
    ),
    Defence(
        "A47",
        "bot/pipeline/judge.py",
        "    with job.limited(LONGEST_S):\n        return rejudge(number, job)\n",
        "    return rejudge(number, job)\n",
        "tests/adversary/test_floods.py::test_a_pull_request_that_takes_for_ever_keeps_no_other_back",
        is_long=True,
    ),
    Defence(
        "A48",
        "bot/adapters/signing.py",
        "if payload is not None and kept.holds(envelope):",
        "if payload is not None:",
        "tests/adversary/test_keys.py::test_a_key_leaks_and_only_what_stood_before_is_kept_of_it",
        is_long=True,
    ),
    Defence(
        "A49",
        "bot/cli/gc.py",
        '        if release.artifact_digest == f"sha256:{wanted}":\n',
        "        if False:\n",
        "tests/promote/test_gc.py::test_what_somebody_wants_erased_goes_and_the_chain_says_so",
        is_long=True,
    ),
)  # fmt: skip


def stale(one: Defence) -> bool:
    """Whether the text is not there exactly once."""
    return (ROOT / one.file).read_text(encoding="utf-8").count(one.there) != 1


@contextmanager
def taken_out(one: Defence) -> Iterator[Path]:
    """A copy of the repository without the defence."""
    with tempfile.TemporaryDirectory(prefix="mlbot-defence-") as folder:
        copy = Path(folder)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"), symlinks=True)
            elif (ROOT / name).exists():
                shutil.copy2(ROOT / name, copy / name)
        text = (copy / one.file).read_text(encoding="utf-8")
        assert text.count(one.there) == 1, f"{one.file} does not hold once: {one.there!r}"
        (copy / one.file).write_text(text.replace(one.there, one.instead), encoding="utf-8")
        yield copy


def is_held(one: Defence, *, as_it_is: bool = False) -> bool:
    """Whether the test fails without the defence; `as_it_is` leaves it in: then it must not."""
    same = Defence(one.row, one.file, one.there, one.there, one.test)
    with taken_out(same if as_it_is else one) as copy:
        line = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", one.test]
        environ = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(line, cwd=copy, env=environ, capture_output=True, timeout=LIMIT_S, check=False)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{one.test} was not run: {done.stdout.decode(errors='replace')[-500:]}")
        return done.returncode == 1


def main(rows: list[str]) -> int:
    """Print a line a defence; 1 when one of them is held by no test."""
    missed = 0
    for one in (one for one in DEFENCES if not rows or one.row in rows):
        since, said = time.monotonic(), "held"
        try:
            if not is_held(one):
                said = "NOT HELD"
        except (RuntimeError, AssertionError, subprocess.TimeoutExpired) as error:
            said = f"NOT RUN: {error}"
        missed += said != "held"
        print(f"{one.row}  {one.file:36} {time.monotonic() - since:4.0f} s  {said}  ({one.test})", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
