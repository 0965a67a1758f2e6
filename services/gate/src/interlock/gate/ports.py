"""What the gate asks of its shell, and what it is told."""

from interlock.wire.base import Effect, Report
from interlock.wire.orders import OrderIntent, SubmitOrder


class AskPolicyStore(Effect, frozen=True, kw_only=True):
    """Ask which policy version is in force, on behalf of an intent."""

    intent: OrderIntent


class PolicyStoreAnswered(Report, frozen=True, kw_only=True):
    """The version in force; none where there is none, `error` where the store is away."""

    intent: OrderIntent
    version: int | None
    error: str = ""


class SignOrder(Effect, frozen=True, kw_only=True):
    """Sign an approved order; its `signature` is still empty."""

    order: SubmitOrder


class OrderSigned(Report, frozen=True, kw_only=True):
    """The order with its signature."""

    order: SubmitOrder
