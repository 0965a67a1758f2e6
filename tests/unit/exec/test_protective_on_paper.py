"""What protects a position on paper: exec and the paper venue together, through restarts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.exec.app import build, venue_of
from interlock.exec.config import ExecConfig
from interlock.model.values import OrderType, Side
from interlock.runtime.clock import DataClock
from interlock.runtime.signing import Verifier, throwaway_signer
from interlock.testkit.cells import begin, cell_of, react
from interlock.testkit.decisions import approved, desk, trading, venue_bar, wide_bar
from interlock.testkit.desk_messages import SECOND
from interlock.venues.paper import PaperConfig
from interlock.wire.orders import OrderFilled, OrderMoved, OrderSubmitted, Protection
from interlock.wire.signing import canonical_bytes
from msgspec.structs import replace

SIGNER = throwaway_signer()
FREE = {"spread_bps": Decimal(0), "slippage_bps": Decimal(0), "fee_bps": Decimal(0)}
TRAIL = Protection(trail=Decimal(5))
ALL = Protection(stop=Decimal(9), trail=Decimal(6), profit=Decimal("12.5"))


class OnPaper:
    """An exec that dies together with its venue; the bus keeps what it said and heard."""

    def __init__(self, protection, participation="1", **more):
        self.config = PaperConfig(participation=Decimal(participation), **FREE)
        self.log = []
        self.start()
        self.take(trading(), 0)
        order = approved(1, protection=protection, key_id=SIGNER.key_id, **more)
        self.take(replace(order, signature=SIGNER.sign(canonical_bytes(order))), SECOND)

    def start(self):
        venue = venue_of(desk(), ExecConfig(paper=self.config))
        self.venue = venue
        self.cell = cell_of(build(desk(), venue, Verifier(SIGNER.public_key), DataClock()))
        for message, own in self.log:
            self.cell.recover(message, own=own)
        now = self.log[-1][0].ts_event if self.log else 0
        self.log += [(said, True) for said in begin(self.cell, now)]

    def take(self, message, now):
        said = react(self.cell, message, now)
        self.log += [(message, False), *((one, True) for one in said)]
        return said

    def bar(self, n, **prices):
        bar = venue_bar(wide_bar(n, **prices))
        said = react(self.cell, bar, n * SECOND)
        # Of the bars the bus tells a new exec only the last: they are not what it lives on.
        self.log += [(one, True) for one in said]
        return said

    def of(self, kind):
        return [message for message, _ in self.log if isinstance(message, kind)]

    @property
    def trades(self):
        return [(one.side, float(one.last_qty), float(one.last_px)) for one in self.of(OrderFilled)]


def flat(price):
    return {"open": price, "high": price, "low": price, "close": price}


@pytest.mark.parametrize("restarts", [False, True])
def test_a_trailing_stop_keeps_its_best_price_through_a_restart(restarts):
    desk_on_paper = OnPaper(TRAIL)
    for n, price in enumerate((100.0, 101.0, 108.0, 106.0, 104.0, 102.0), 2):
        desk_on_paper.bar(n, **flat(price))
        if restarts:
            desk_on_paper.start()
    assert desk_on_paper.trades == [(Side.BUY, 10, 100), (Side.SELL, 10, 102)]
    assert [one.stop_price for one in desk_on_paper.of(OrderMoved)] == [96, 103]
    assert desk_on_paper.cell.state.orders == {}


def test_a_gap_over_the_stop_fills_at_the_open():
    desk_on_paper = OnPaper(Protection(stop=Decimal(5)))
    desk_on_paper.bar(2, **flat(100.0))
    desk_on_paper.bar(3, open=80.0, high=82.0, low=75.0, close=81.0)
    assert desk_on_paper.trades == [(Side.BUY, 10, 100), (Side.SELL, 10, 80)]


def test_a_trailing_stop_for_more_goes_on_from_where_the_one_before_it_was():
    desk_on_paper = OnPaper(TRAIL, quantity=Decimal(10))
    desk_on_paper.bar(2, **flat(100.0), volume=4.0)
    desk_on_paper.bar(3, **flat(110.0), volume=0.0)
    desk_on_paper.bar(4, **flat(107.0), volume=100.0)
    kept = [one for one in desk_on_paper.of(OrderSubmitted) if one.parent]
    assert [one.order_type for one in kept] == [OrderType.TRAILING_STOP] * 2
    assert [(one.quantity, one.stop_price) for one in kept] == [(4, None), (10, 105)]
    desk_on_paper.bar(5, **flat(104.0))
    assert desk_on_paper.trades[-1] == (Side.SELL, 10, 104)


PRICES = st.integers(8_500, 11_500).map(lambda cents: cents / 100)
MARKET = st.lists(
    st.tuples(st.lists(PRICES, min_size=4, max_size=4), st.integers(0, 400)), max_size=12
)


@given(st.sampled_from([TRAIL, ALL, Protection(stop=Decimal(3))]), st.sampled_from(Side), MARKET)
def test_the_venues_book_is_execs_and_nothing_is_closed_twice(protection, side, market):
    desk_on_paper = OnPaper(protection, participation="0.05", side=side, limit_price=None)
    for n, (prices, volume) in enumerate(market, 2):
        opened, closed = prices[:2]
        desk_on_paper.bar(
            n, open=opened, close=closed, high=max(prices), low=min(prices), volume=float(volume)
        )
        state, book = desk_on_paper.cell.state, desk_on_paper.venue.open([], {}, set())
        assert book.leaves == {name: one.leaves for name, one in state.orders.items()}
        assert {name: held for name, held in book.positions.items() if held} == {
            name: held for name, held in state.positions.items() if held
        }
        assert state.positions.get("SPY", Decimal(0)) * side.sign >= 0
