"""GitHub's published schema, read when the first query comes (half a second), and never before."""

from __future__ import annotations

import functools
import lzma
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphql import GraphQLSchema


@functools.cache
def schema() -> GraphQLSchema:
    """The whole schema, unchanged. It was checked when it was published, so nothing checks it here."""
    from graphql import build_schema

    text = lzma.decompress((Path(__file__).parent / "schema.graphql.xz").read_bytes()).decode()
    return build_schema(text, assume_valid=True, assume_valid_sdl=True, no_location=True)
