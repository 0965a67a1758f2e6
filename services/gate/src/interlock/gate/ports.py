"""What the gate asks of its shell, and what it is told."""

from typing import ClassVar

from interlock.model.counting import Counted
from interlock.wire.base import Effect, Report
from interlock.wire.orders import OrderIntent, SubmitOrder


class AskPolicyStore(Effect, frozen=True, kw_only=True):
    """Ask which rules are in force and what is counted in `scope`, on behalf of an intent.

    `epoch` is the gate's: what it counts under an older one than stands is not taken.
    """

    harmless: ClassVar[bool] = True

    intent: OrderIntent
    scope: str = ""
    epoch: int = 0


class PolicyStoreAnswered(Report, frozen=True, kw_only=True):
    """The numbers of the rules in force, and the counters of the day.

    A number is none where no record stands. `error` says why the store is not to be believed: it
    is away, or a record in it is not one that the policy service signed for this desk.
    """

    intent: OrderIntent
    version: int | None
    epoch: int | None = None
    approvals: int = 0
    notional_micros: int = 0
    error: str = ""


class SignOrder(Effect, frozen=True, kw_only=True):
    """Sign an approved order; its `signature` is still empty."""

    harmless: ClassVar[bool] = True

    order: SubmitOrder


class OrderSigned(Report, frozen=True, kw_only=True):
    """The order with its signature."""

    order: SubmitOrder


class CountApproval(Effect, frozen=True, kw_only=True):
    """Count an approval that is durable: at the latest when the store is asked the next time."""

    put_off: ClassVar[bool] = True

    scope: str
    epoch: int
    approval: Counted


class SettleCounters(Effect, frozen=True, kw_only=True):
    """At start: count again all that was approved in `scope`, and say what the store holds then.

    What was counted before stays as it is, what a crash left out is added, and a scope that is
    missing is restored.
    """

    scope: str
    epoch: int
    approvals: list[Counted]


class CountersSettled(Report, frozen=True, kw_only=True):
    """What the store shows for `scope` once all approvals are in; `error` where it is away."""

    scope: str
    approvals: int = 0
    notional_micros: int = 0
    error: str = ""
