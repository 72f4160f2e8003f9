"""A pointer of a pull request names content, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.specs.pointer import is_plain_path, read_listing, read_pointer, write_pointer

GOOD = "outs:\n- md5: {md5}.dir\n  size: 1\n  nfiles: 1\n  hash: md5\n  path: data\n".format(md5="a" * 32)


def test_what_is_written_is_read_again():
    out = read_pointer(write_pointer("a" * 32 + ".dir", 12, 3, "data").encode(), "data.dvc", path="data")
    assert (out.md5, out.size, out.nfiles) == ("a" * 32 + ".dir", 12, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("path: data", "path: ../data"), "path"),
        (GOOD.replace("path: data", "path: /data"), "path"),
        (GOOD.replace("path: data", "path: other"), "tracks 'other'"),
        (GOOD + "wdir: ..\n", "unknown key `wdir`"),
        (GOOD + "deps:\n- url: s3://evil/x\n  path: x\n", "unknown key `deps`"),
        (GOOD.replace("  path: data", "  remote: evil\n  path: data"), "remote"),
        (GOOD.replace("  path: data", "  cloud: {s3: {version_id: x}}\n  path: data"), "cloud"),
        (GOOD.replace("  hash: md5\n", ""), "hash"),
        (GOOD.replace(".dir", ""), "md5"),
        (GOOD + GOOD.removeprefix("outs:\n"), "outs"),
        ("outs: []\n", "outs"),
        ("outs: &a []\n", "anchors"),
        ("", "the file is empty"),
        ("- a\n", "mapping"),
    ],
)
def test_everything_else_is_refused(text, message):
    with pytest.raises(UserError, match=message):
        read_pointer(text.encode(), "data.dvc", path="data")


@given(st.text(max_size=20))
def test_a_plain_path_stays_in_its_folder(text):
    import posixpath

    if is_plain_path(text):
        assert posixpath.normpath(posixpath.join("data", text)) == f"data/{text}"


@given(st.binary(max_size=100))
def test_no_listing_gives_a_traceback(content):
    import hashlib

    try:
        read_listing(content, hashlib.md5(content).hexdigest(), under="data", source="data.dvc")
    except UserError as error:
        assert error.hint
