"""The written list of drift tests. To add one, write its file and put it here."""

from bot.monitor.drift import g_test, missing, neyman, stability
from bot.monitor.drift.interface import Test

TESTS: tuple[Test, ...] = tuple(module.test for module in (neyman, stability, g_test, missing))
