"""What a `.dvc` file or a dvc.lock tracks: any form that DVC writes is read, and none names a place to go to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.specs.pointer import is_plain_path
from bot.specs.tracked import is_pointer, pointers_among, read_tracked, with_content

A, B = "a" * 32, "b" * 32


@pytest.mark.parametrize(
    ("file", "text", "tracked"),
    [
        ("data.dvc", f"outs:\n- md5: {A}.dir\n  hash: md5\n  path: data\n", [("data", f"{A}.dir")]),
        ("data/raw.csv.dvc", f"outs:\n- md5: {A}\n  size: 3\n  hash: md5\n  path: raw.csv\n", [("data/raw.csv", A)]),
        ("data/raw.dvc", f"md5: {B}\nouts:\n- md5: {A}.dir\n  path: raw\n  desc: no\n", [("data/raw", f"{A}.dir")]),
        ("x.dvc", f"outs:\n- md5: {A}\n  path: a\n- md5: {B}\n  path: b\n", [("a", A), ("b", B)]),
        ("etc/x.dvc", f"wdir: ../data\nouts:\n- md5: {A}\n  path: a.csv\n", [("data/a.csv", A)]),
        (
            "in/x.dvc",
            f"frozen: true\ndeps:\n- path: x\n  repo:\n    url: https://elsewhere\n    rev_lock: {A}\n"
            f"outs:\n- md5: {B}\n  path: x.csv\n",
            [("in/x.csv", B)],
        ),
        (
            "svc/dvc.lock",
            f"schema: '2.0'\nstages:\n  prepare@a:\n    cmd: x\n    params:\n      p.yaml: {{a: no, b: 1e-5}}\n"
            f"    outs:\n    - path: out\n      md5: {A}.dir\n      nfiles: 2\n  none:\n    cmd: y\n",
            [("svc/out", f"{A}.dir")],
        ),
    ],
)
def test_every_form_that_dvc_writes_is_read(file, text, tracked):
    assert [(one.path, one.md5) for one in read_tracked(text.encode(), file) if not one.refusal] == tracked


def test_outputs_of_a_stage_lie_below_the_folder_that_the_pipeline_says():
    lock = f"stages:\n  prepare@x:\n    outs:\n    - path: out.csv\n      md5: {A}\n".encode()
    pipeline = b"stages:\n  prepare:\n    foreach: [x]\n    do:\n      wdir: work\n      cmd: a\n"
    (one,) = read_tracked(lock, "dvc.lock", pipeline)
    assert (one.path, one.stage) == ("work/out.csv", "prepare@x")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"outs:\n- md5: {A}\n  path: x\n  remote: other\n", "remote"),
        (f"outs:\n- md5: {A}\n  path: x\n  cloud:\n    s3:\n      version_id: v\n", "cloud"),
        ("outs:\n- etag: abc\n  path: x\n", "etag"),
        (f"outs:\n- md5: {A}\n  path: x\n  cache: false\n", "kept in Git"),
        ("outs:\n- path: x\n", "no MD5"),
        ("outs:\n- path: x\n  md5: zz\n", "no MD5"),
        (f"outs:\n- md5: {A}\n  path: x\n  hash: sha1\n", "another hash"),
    ],
)
def test_what_is_not_kept_by_content_says_why_and_what_to_do(text, reason):
    (one,) = read_tracked(text.encode(), "x.dvc")
    assert one.refusal is not None
    assert reason in one.refusal.message
    assert one.refusal.hint


@pytest.mark.parametrize(
    "text",
    [
        f"outs:\n- md5: {A}\n  path: ../x\n",
        f"outs:\n- md5: {A}\n  path: /etc/passwd\n",
        f"outs:\n- md5: {A}\n  path: .git/config\n",
        f"outs:\n- md5: {A}\n  path: .dvc/config\n",
        f"outs:\n- md5: {A}\n  path: s3://bucket/x\n",
        f"wdir: ../..\nouts:\n- md5: {A}\n  path: x\n",
        f"wdir: /tmp\nouts:\n- md5: {A}\n  path: x\n",
        f"cmd: id\nouts:\n- md5: {A}\n  path: x\n",
        "outs: []\n", "outs: 3\n", "", "- a\n", "a: &x 1\n", "outs:\n- 1\n",
    ],
)  # fmt: skip
def test_what_leaves_the_repository_or_is_no_pointer_is_an_error_with_its_place(text):
    with pytest.raises(UserError) as caught:
        read_tracked(text.encode(), "a.dvc")
    assert caught.value.place
    assert caught.value.place.file == "a.dvc"
    assert caught.value.hint


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_path_and_no_folder_gets_outside(wdir, path):
    import json

    text = json.dumps({"wdir": wdir, "outs": [{"md5": A, "path": path}]}).encode()
    try:
        found = read_tracked(text, "some/where/x.dvc")
    except UserError:
        return
    assert all(is_plain_path(one.path) for one in found)


def test_pointers_are_told_from_other_files():
    paths = ["data.dvc", "a/b.csv.dvc", "dvc.lock", "x/dvc.lock", ".dvc/config", "a/.dvc", "dvc.lock.md", "y/dvc.yaml"]
    assert [path for path in paths if is_pointer(path)] == ["data.dvc", "a/b.csv.dvc", "dvc.lock", "x/dvc.lock"]
    assert pointers_among(paths) == ["a/b.csv.dvc", "data.dvc", "dvc.lock", "x/dvc.lock", "y/dvc.lock"]


def test_a_new_content_leaves_what_else_the_file_says():
    text = (
        f"desc: rents\nouts:\n- md5: {A}\n  size: 1\n  hash: md5\n  path: a.csv\n- md5: {B}\n  path: b.csv\n".encode()
    )
    one = read_tracked(text, "d/x.dvc")[0]
    after = with_content(text, one, md5="c" * 32, size=9, files=None)
    assert [(new.path, new.md5, new.size) for new in read_tracked(after, "d/x.dvc")] == [
        ("d/a.csv", "c" * 32, 9),
        ("d/b.csv", B, None),
    ]
    assert b"desc: rents" in after
