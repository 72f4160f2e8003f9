"""A bucket that is really asked over HTTP: moto's S3 server, in an environment of its own.

It is no development dependency: botocore would hold python-dateutil, which the bot runs with, below 3.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

HERE = Path(__file__).parent
# flask-cors is what moto's server needs; its own extra brings fifty packages more. The date pins everything else.
PACKAGES = ("--with", "moto[s3]==5.2.5", "--with", "flask-cors==6.0.5", "--exclude-newer", "2026-11-28")


@dataclass(frozen=True)
class Bucket:
    """`s3://bucket` at a port of loopback, and the key of somebody who may do everything in it."""

    port: int
    key: str
    secret: str

    @property
    def environment(self) -> dict[str, str]:
        """What a job is given."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def put(self, name: str, content: Any) -> None:
        """A table as Parquet, or bytes."""
        with self._files().open_output_stream(f"bucket/{name}") as stream:
            stream.write(content) if isinstance(content, bytes) else pq.write_table(content, stream)

    def upload(self, folder: Path, below: str) -> None:
        """The files of a folder."""
        for file in sorted(folder.iterdir()):
            self.put(f"{below}/{file.name}", file.read_bytes())

    def _files(self) -> Any:
        from pyarrow import fs

        return fs.S3FileSystem(
            access_key=self.key, secret_key=self.secret, region="us-east-1", scheme="http",
            endpoint_override=f"127.0.0.1:{self.port}",
        )  # fmt: skip


@contextmanager
def running() -> Iterator[Bucket]:
    """A server with one empty bucket. Without a network for its packages the test is skipped, but not in CI."""
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "run", "--quiet", "--no-project", "--isolated", *PACKAGES, "--python", sys.executable, "server.py"]
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryFile("w+") as heard,  # a pipe that nobody reads would fill, and stop the server
        subprocess.Popen(command, cwd=HERE, text=True, stdin=pipe, stdout=pipe, stderr=heard) as server,
    ):
        assert server.stdout is not None and server.stdin is not None
        said = server.stdout.readline().split()
        if len(said) != 3:
            heard.seek(0)
            why = f"the S3 server does not start: {heard.read()[-300:]}"
            pytest.fail(why) if "CI" in os.environ else pytest.skip(why)
        try:
            yield Bucket(int(said[0]), said[1], said[2])
        finally:
            server.stdin.close()
