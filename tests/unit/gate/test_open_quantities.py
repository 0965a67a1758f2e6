"""The sums of open quantities run along with the orders; they must stay those of the orders."""

from collections import defaultdict
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from interlock.gate.config import GateConfig
from interlock.gate.state import GateState, keep_working, stop_working
from interlock.model.order import WorkingOrder
from interlock.model.values import ZERO, Side, TradingMode

QUANTITIES = st.decimals(min_value=Decimal("1E-9"), max_value=Decimal("1E18"), allow_nan=False)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["SPY", "GOOG"]),
        st.sampled_from(Side),
        QUANTITIES,
        st.booleans(),
    ),
    max_size=40,
)


def nothing_known() -> GateState:
    return GateState(
        desk="d", account="a", venue="paper", mode=TradingMode.DEMO, config=GateConfig(),
        config_hash="", key_id="", instruments={},
    )  # fmt: skip


@given(STEPS)
def test_the_sums_are_those_of_the_orders_and_never_round(steps):
    state = nothing_known()
    for number, name, side, quantity, stops in steps:
        if stops:
            stop_working(state, str(number))
        else:
            order = WorkingOrder(
                client_order_id=str(number), intent_id="", instrument_id=name, side=side,
                quantity=quantity,
            )  # fmt: skip
            keep_working(state, order)
    wanted: dict[tuple[str, Side], list[Decimal]] = defaultdict(list)
    for order in state.working.values():
        wanted[order.instrument_id, order.side].append(order.leaves)
    for where, total in state.leaves.items():
        if not wanted[where]:
            assert total == ZERO
        if len(wanted[where]) == 1:
            assert total == wanted[where][0]
