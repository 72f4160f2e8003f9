"""The written list of drift tests. To add one, write its file and put it here."""

from bot.monitor.drift import g_test, kolmogorov_smirnov, missing, stability
from bot.monitor.drift.interface import Test

TESTS: tuple[Test, ...] = tuple(module.test for module in (kolmogorov_smirnov, stability, g_test, missing))
