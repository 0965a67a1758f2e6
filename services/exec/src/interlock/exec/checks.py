"""What makes exec refuse an order that claims to be approved."""

from interlock.exec.state import ExecState
from interlock.wire.orders import SubmitOrder


def refusal(state: ExecState, order: SubmitOrder, now: int) -> tuple[str, str] | None:
    """Return the code and the detail of why `order` is not sent, none where it may be.

    The signature is not looked at here: it is asked for once nothing else speaks against it.
    """
    if state.read_only:
        return "read_only", "the desk runs read-only"
    if (order.desk, order.account, order.venue) != (state.desk, state.account, state.venue):
        return "account", f"{order.desk}: {order.account} at {order.venue}"
    if order.key_id != state.key_id:
        return "key", f"signed with {order.key_id}, not {state.key_id}"
    if order.epoch < state.epoch:
        return "epoch", f"epoch {order.epoch} is older than {state.epoch}"
    if order.expires_at <= now:
        return "expired", f"{(now - order.expires_at) / 1e9:.3f} s ago"
    return None
