"""What the policy service asks of its shell."""

from interlock.wire.base import Effect
from interlock.wire.policy import PolicyChanged


class SavePolicy(Effect, frozen=True, kw_only=True):
    """Put a policy where the gate can ask which version is in force."""

    policy: PolicyChanged
