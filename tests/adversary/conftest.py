"""Engines on real artifacts, as the tests of the server have them."""

from tests.serve.conftest import client, engines, serving  # noqa: F401
