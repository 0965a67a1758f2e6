"""What the policy service asks of its shell, and what it is told."""

from msgspec import field

from interlock.wire.base import Effect, Report
from interlock.wire.policy import PolicyChanged, TradingStateChanged
from interlock.wire.system import AlertRaised


class SignRules(Effect, frozen=True, kw_only=True):
    """Sign rules that are to be put in force; `alerts` go out with them, never before."""

    rules: PolicyChanged | TradingStateChanged
    alerts: list[AlertRaised] = field(default_factory=list[AlertRaised])


class RulesSigned(Report, frozen=True, kw_only=True):
    """The rules with their signature."""

    rules: PolicyChanged | TradingStateChanged
    alerts: list[AlertRaised]


class SaveRules(Effect, frozen=True, kw_only=True):
    """Put rules where the gate can ask which are in force."""

    rules: PolicyChanged | TradingStateChanged


class RulesNotSaved(Report, frozen=True, kw_only=True):
    """Something else stands where the rules should: newer ones, or others of the same number."""

    rules: PolicyChanged | TradingStateChanged
    found: str
