"""Engines on real artifacts, as the tests of the server have them."""

from tests.sandbox.conftest import standing, world  # noqa: F401
from tests.serve.conftest import client, engines, serving  # noqa: F401
