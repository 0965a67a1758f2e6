"""What the gate signs, that nothing in it can be changed, and that no history gets past a limit."""

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from interlock.model.ids import client_order_id
from interlock.model.values import OrderType, Side, TimeInForce, TradingMode
from interlock.runtime.signing import Verifier, throwaway_signer
from interlock.testkit.cells import react
from interlock.testkit.decisions import (
    approved,
    trading,
    wanted,
)
from interlock.testkit.desk_messages import SECOND, fill, ids, order_ids
from interlock.wire.codec import decode, encode
from interlock.wire.orders import OrderCanceled, Protection, SubmitOrder
from interlock.wire.signing import canonical_bytes
from msgspec.structs import replace

from tests.unit.gate import asking

NOW = 100
SIGNER = asking.SIGNER
VERIFIER = Verifier(SIGNER.public_key)
POSITION, GROSS = 5_000, 8_000
NAMES = ("SPY", "GOOG")
LIMITS = {
    "max_order_quantity": Decimal(40),
    "max_order_notional": Decimal(4_000),
    "min_order_notional": Decimal(1),
    "max_position_notional": Decimal(POSITION),
}


def gate_cell():
    return asking.gate_cell(
        default=LIMITS, max_gross_notional=Decimal(GROSS), allow_short=True,
        max_entries_without_person=1_000, standing=trading(epoch=7),
    )  # fmt: skip


def signed_order(**more):
    (order,) = react(gate_cell(), wanted(NOW, **more), NOW * SECOND)
    assert isinstance(order, SubmitOrder)
    return order


def genuine(order):
    return VERIFIER.verify(canonical_bytes(order), order.signature)


def test_i3_an_approval_has_the_fields_of_its_intent():
    intent = wanted(
        NOW, side=Side.SELL, order_type=OrderType.LIMIT, limit_price=Decimal("99.9"),
        time_in_force=TimeInForce.IOC, quantity=Decimal(7), instrument_id="GOOGL",
    )  # fmt: skip
    (order,) = react(gate_cell(), intent, NOW * SECOND)
    for name in ("intent_id", "account", "venue", "strategy", "side", "order_type", "quantity",
                 "limit_price", "time_in_force", "reduce_only", "policy_version", "reasons",
                 "decision_id", "desk"):  # fmt: skip
        assert getattr(order, name) == getattr(intent, name)
    assert order.instrument_id == "GOOG"
    assert order.client_order_id == client_order_id(intent.intent_id)
    assert (order.epoch, order.config_hash, order.mode) == (7, "c0ffee", TradingMode.DEMO)
    assert order.expires_at == (NOW + 2) * SECOND
    assert order.reference_price == 100


def test_i2_a_signature_holds_over_the_wire():
    order = signed_order(order_type=OrderType.LIMIT, limit_price=Decimal("99.90"))
    assert genuine(order)
    assert genuine(decode(encode(order)))


def test_i17_the_same_intent_is_signed_with_the_same_bytes():
    assert encode(signed_order()) == encode(signed_order())


OTHER = {
    "desk": "crypto",
    "decision_id": "0" * 32,
    "intent_id": "0" * 32,
    "client_order_id": "il-0",
    "account": "other",
    "venue": "other",
    "mode": TradingMode.LIVE,
    "instrument_id": "GOOG",
    "side": Side.SELL,
    "order_type": OrderType.LIMIT,
    "quantity": Decimal(11),
    "limit_price": Decimal(1),
    "build": "other",
    "time_in_force": TimeInForce.DAY,
    "reduce_only": True,
    "policy_version": 4,
    "config_hash": "decaf",
    "epoch": 8,
    "expires_at": (NOW + 3) * SECOND,
    "nonce": "0" * 32,
    "key_id": "0" * 16,
    "post_only": True,
    "protection": Protection(stop=Decimal(2)),
}
MOVE_NO_MONEY = {
    "message_id",
    "ts_event",
    "requested_quantity",
    "strategy",
    "reference_price",
    "reasons",
    "signature",
}


def test_i2_every_field_of_an_order_is_signed_or_named_here_as_moving_no_money():
    assert set(OTHER) | MOVE_NO_MONEY == set(SubmitOrder.__struct_fields__)
    assert not set(OTHER) & MOVE_NO_MONEY


@pytest.mark.parametrize("name", sorted(OTHER))
def test_i2_altering_one_field_breaks_the_signature(name):
    order = signed_order()
    assert getattr(order, name) != OTHER[name]
    assert not genuine(replace(order, **{name: OTHER[name]}))


def test_i2_what_protects_a_position_cannot_be_loosened_or_taken_away():
    order = signed_order(protection=Protection(stop=Decimal(2), profit=Decimal(3)))
    for other in (None, Protection(stop=Decimal(3)), Protection(trail=Decimal(2))):
        assert not genuine(replace(order, protection=other))


def test_i2_a_limit_price_cannot_be_taken_away_or_added():
    order = signed_order(order_type=OrderType.LIMIT, limit_price=Decimal(100))
    assert not genuine(replace(order, limit_price=None))
    assert not genuine(replace(signed_order(), limit_price=Decimal(100)))


@pytest.mark.parametrize("signature", ["", "AAAA", "no base64!", "é", "A" * 88])
def test_i2_what_is_no_signature_verifies_nothing(signature):
    assert not genuine(replace(signed_order(), signature=signature))


def test_i2_another_gates_signature_verifies_nothing():
    order = signed_order()
    other = throwaway_signer().sign(canonical_bytes(order))
    assert not genuine(replace(order, signature=other))


TEXTS = st.text(alphabet="a\n", max_size=3)


@example("a\na", "a", "a", "a\na")
@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_i2_no_two_orders_share_their_canonical_bytes(a, b, c, d):
    """Moving characters from one field into its neighbour changes the bytes."""
    one = approved(1, account=a, venue=b)
    two = approved(1, account=c, venue=d)
    assert (canonical_bytes(one) == canonical_bytes(two)) is ((a, b) == (c, d))


def test_a_denial_is_no_order_and_carries_no_signature():
    (denial,) = react(gate_cell(), wanted(NOW, quantity=Decimal(41)), NOW * SECOND)
    assert not hasattr(denial, "signature")
    assert denial.requested_quantity == "41"
    assert denial.epoch == 7


SIDES = st.sampled_from(Side)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(
            st.just("ask"),
            st.sampled_from(["SPY", "GOOG", "GOOGL"]),
            SIDES,
            st.integers(1, 45),
            st.booleans(),
        ),
        st.tuples(st.just("again"), st.integers(0, 60)),
        st.tuples(st.just("other"), st.integers(0, 60)),
        st.tuples(st.just("fill"), st.integers(0, 60), st.integers(1, 40)),
        st.tuples(st.just("cancel"), st.integers(0, 60)),
    ),
    max_size=60,
)


class World:
    """A gate and a venue that does what it likes with the orders it was given."""

    def __init__(self):
        self.cell = gate_cell()
        self.asked = []
        self.orders = []
        self.open = {}
        self.positions = dict.fromkeys(NAMES, 0)
        self.n = 0

    def hear(self, intent):
        for answer in react(self.cell, intent, NOW * SECOND):
            if isinstance(answer, SubmitOrder):
                assert genuine(answer)
                self.orders.append(answer)
                self.open[answer.client_order_id] = int(answer.quantity)

    def act(self, action):
        self.n += 1
        match action:
            case ("ask", name, side, quantity, reduce_only):
                intent = wanted(
                    self.n, instrument_id=name, side=side, quantity=Decimal(quantity),
                    reduce_only=reduce_only, ts_market=NOW * SECOND,
                )  # fmt: skip
                self.asked.append(intent)
                self.hear(intent)
            case ("again", index) if self.asked:
                self.hear(self.asked[index % len(self.asked)])
            case ("other", index) if self.asked:
                intent = self.asked[index % len(self.asked)]
                self.hear(replace(intent, message_id=f"other-{self.n}"))
            case ("fill", index, quantity) if self.open:
                self.fill(self.pick(index), quantity)
            case ("cancel", index) if self.open:
                order = self.pick(index)
                name = order.client_order_id
                names = {**order_ids(1), "client_order_id": name}
                end = {"reason": "", "leaves_qty": Decimal(self.open[name]), "ts_event": 0}
                del self.open[name]
                react(self.cell, OrderCanceled(**ids("end", self.n), **names, **end), 0)

    def pick(self, index):
        name = list(self.open)[index % len(self.open)]
        return next(order for order in self.orders if order.client_order_id == name)

    def fill(self, order, most):
        name = order.client_order_id
        traded = min(self.open[name], most)
        self.open[name] -= traded
        self.positions[order.instrument_id] += traded * order.side.sign
        leaves = self.open[name]
        if not leaves:
            del self.open[name]
        news = fill(
            self.n, order.side, traded, instrument_id=order.instrument_id, client_order_id=name,
            leaves_qty=Decimal(leaves), cum_qty=order.quantity - leaves,
        )  # fmt: skip
        react(self.cell, news, 0)
        react(self.cell, replace(news, message_id=f"twice-{self.n}"), 0)

    def exposure(self, instrument_id):
        """Return the larger of what may come to be held and to be owed, in units."""
        held = self.positions[instrument_id]
        sides = {Side.BUY: held, Side.SELL: held}
        for order in self.orders:
            leaves = self.open.get(order.client_order_id, 0)
            if order.instrument_id == instrument_id:
                sides[order.side] += leaves * order.side.sign
        return max(abs(units) for units in sides.values())


@settings(max_examples=200, deadline=None)
@given(ACTIONS)
def test_i1_i4_no_history_of_intents_fills_and_cancels_gets_past_a_limit(actions):
    world = World()
    for action in actions:
        world.act(action)
        exposures = [world.exposure(name) for name in NAMES]
        assert max(exposures) * 100 <= POSITION
        assert sum(exposures) * 100 <= GROSS
        intents = [order.intent_id for order in world.orders]
        assert len(set(intents)) == len(intents)
    lines = world.cell.state.book.exposures.lines
    assert {name: lines[name].held for name in NAMES} == world.positions
    again = gate_cell()
    for order in world.orders:
        again.recover(order, own=True)
    for intent in world.asked:
        if intent.intent_id in {order.intent_id for order in world.orders}:
            assert react(again, intent, NOW * SECOND) == []
