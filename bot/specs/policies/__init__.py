"""What people write about who may let a model out: `policies/*.yaml`."""

from bot.specs.policies.loader import Policies, read_policies

__all__ = ["Policies", "read_policies"]
