"""What the policy service asks of its shell."""

from interlock.wire.base import Effect
from interlock.wire.policy import PolicyChanged, TradingStateChanged


class SaveRules(Effect, frozen=True, kw_only=True):
    """Put rules where the gate can ask which are in force."""

    rules: PolicyChanged | TradingStateChanged
