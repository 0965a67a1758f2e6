"""What holds at the paper venue whatever is ordered and however the market moves."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from interlock.model.order import WorkingOrder
from interlock.model.values import ZERO, OrderType, Side, TimeInForce
from interlock.testkit.decisions import quote, wide_bar
from interlock.venues.paper import PaperConfig, PaperVenue
from interlock.venues.port import (
    VenueAccepted,
    VenueFilled,
    VenueMoved,
    VenueReport,
)
from interlock.wire.market import Bar, Quote
from interlock.wire.orders import SubmitOrder
from msgspec.structs import replace

from tests.unit.venues.paper_orders import INSTRUMENTS, child, order

MAKER, TAKER, LEAST = Decimal(40), Decimal(60), Decimal("0.5")
CENTS = st.integers(9_500, 10_500).map(lambda cents: Decimal(cents) / 100)
PRICES = st.integers(9_500, 10_500).map(lambda cents: cents / 100)
SIZES = st.integers(0, 60)
SIDES = st.sampled_from(Side)

entries = st.builds(
    lambda side, size, limit, force, post_only, reduce_only: {
        "side": side,
        "quantity": size,
        "time_in_force": force,
        "reduce_only": reduce_only,
        **({} if limit is None else {"limit_price": limit, "post_only": post_only}),
    },
    SIDES,
    st.integers(1, 60),
    st.none() | CENTS,
    st.sampled_from(TimeInForce),
    st.booleans(),
    st.sampled_from([False, False, False, True]),
)
children = st.builds(
    lambda side, size, parent, kind: {
        "side": side,
        "quantity": size,
        "parent": f"il-{parent}",
        **kind,
    },
    SIDES,
    st.integers(1, 60),
    st.integers(1, 2),
    st.one_of(
        CENTS.map(lambda price: {"stop_price": price}),
        CENTS.map(lambda price: {"limit_price": price}),
        st.integers(1, 300).map(lambda cents: {"trail_offset": Decimal(cents) / 100}),
        st.just({}),
    ),
)
moves = st.builds(
    lambda prices, volume: {
        "open": prices[0],
        "close": prices[1],
        "high": max(prices),
        "low": min(prices),
        "volume": float(volume),
    },
    st.lists(PRICES, min_size=4, max_size=4),
    st.integers(0, 400),
)
touches = st.tuples(PRICES, st.integers(0, 20), SIZES, SIZES)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("place"), entries),
        st.tuples(st.just("protect"), children),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("bar"), moves),
        st.tuples(st.just("bar"), moves),
        st.tuples(st.just("quote"), touches),
    ),
    min_size=8,
    max_size=30,
)
LATENCIES = st.sampled_from([0, 1, 1_500])


def config(latency_ms):
    return PaperConfig(
        participation=Decimal("0.1"),
        fee_bps=TAKER,
        maker_fee_bps=MAKER,
        min_fee=LEAST,
        latency_ms=latency_ms,
    )


@dataclass
class Session:
    """A venue, and what an exec would know that hears all its reports and nothing else."""

    latency_ms: int
    venue: PaperVenue = field(init=False)
    orders: dict[str, WorkingOrder] = field(default_factory=dict)
    sent: dict[str, WorkingOrder] = field(default_factory=dict)
    positions: dict[str, Decimal] = field(default_factory=dict)
    trades: set[str] = field(default_factory=set)
    said: list[list[VenueReport]] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self):
        self.restart()

    def restart(self):
        self.venue = PaperVenue(config(self.latency_ms), INSTRUMENTS)
        self.venue.open(list(self.orders.values()), self.positions, self.trades)

    def take(self, step, n):
        """Let step `n` happen, in second `n`, and return the event where it was one."""
        kind, what = step
        event = None
        match kind:
            case "place":
                wanted = order(n, **what)
                self.remember(wanted)
                reports = self.venue.place(wanted, 0)
            case "protect":
                wanted = child(f"child-{n}", n=n, **what)
                self.remember(wanted)
                reports = self.venue.protect(wanted, 0)
            case "cancel":
                names = list(self.orders)
                reports = self.venue.cancel(names[what % len(names)]) if names else ()
            case "bar":
                event = wide_bar(n, **what)
                reports = self.venue.advance(event)
            case _:
                bid, spread, bid_size, ask_size = what
                ask = round(bid + spread / 100, 2)
                sizes = {"bid_size": float(bid_size), "ask_size": float(ask_size)}
                event = quote(n, bid, ask, **sizes)
                reports = self.venue.advance(event)
        self.said.append(list(reports))
        for report in reports:
            self.hear(report)
        return event

    def remember(self, wanted):
        name = wanted.client_order_id
        protective = not isinstance(wanted, SubmitOrder)
        self.sent[name] = self.orders[name] = WorkingOrder(
            client_order_id=name,
            intent_id="",
            instrument_id=wanted.instrument_id,
            side=wanted.side,
            quantity=wanted.quantity,
            limit_price=wanted.limit_price,
            order_type=wanted.order_type,
            ts_event=wanted.ts_event,
            reduce_only=True if protective else wanted.reduce_only,
            **(
                {
                    "parent": wanted.parent,
                    "stop_price": wanted.stop_price,
                    "trail_offset": wanted.trail_offset,
                }
                if protective
                else {"time_in_force": wanted.time_in_force, "post_only": wanted.post_only}
            ),
        )

    def hear(self, report):
        name = report.client_order_id
        standing = self.orders.get(name)
        match report:
            case VenueAccepted():
                return
            case VenueFilled():
                assert standing is not None
                filled = standing.filled + report.quantity
                assert filled <= standing.quantity
                self.trades.add(report.trade_id)
                held = self.positions.get(standing.instrument_id, ZERO)
                after = held + report.quantity * standing.side.sign
                self.positions[standing.instrument_id] = after
                self.orders[name] = replace(standing, filled=filled)
                if filled == standing.quantity:
                    self.end(name)
            case VenueMoved():
                assert standing is not None
                moved = replace(standing, stop_price=report.stop_price, live=report.live)
                self.orders[name] = moved
            case _:
                self.end(name)

    def end(self, name):
        assert self.orders.pop(name, None) is not None
        self.ends[name] += 1


def fills_of(reports):
    return [report for report in reports if isinstance(report, VenueFilled)]


@given(STEPS, LATENCIES)
def test_i4_our_book_from_the_reports_equals_the_venues(steps, latency_ms):
    session = Session(latency_ms)
    for n, step in enumerate(steps, 1):
        session.take(step, n)
        book = session.venue.open([], {}, set())
        assert book.leaves == {name: one.leaves for name, one in session.orders.items()}
        assert book.positions == session.positions
    assert set(session.ends.values()) <= {1}
    trades = fills_of(report for reports in session.said for report in reports)
    assert len({fill.trade_id for fill in trades}) == len(trades)


@given(STEPS, LATENCIES)
def test_every_fill_keeps_to_its_order_and_to_the_market(steps, latency_ms):
    session = Session(latency_ms)
    for n, step in enumerate(steps, 1):
        first = {name: one.filled == ZERO for name, one in session.orders.items()}
        event = session.take(step, n)
        traded = fills_of(session.said[-1])
        assert event is not None or not traded
        for fill in traded:
            wanted = session.sent[fill.client_order_id]
            keeps_to_its_order(wanted, fill, event, latency_ms)
            pays_its_fee(fill, first=first[fill.client_order_id])
            first[fill.client_order_id] = False
        if event is not None:
            keeps_to_what_there_is(session, traded, event)


def keeps_to_its_order(wanted, fill, event, latency_ms):
    assert event.ts_event > wanted.ts_event + latency_ms * 1_000_000
    assert fill.quantity > 0
    assert fill.price % INSTRUMENTS["SPY"].tick == 0
    if wanted.limit_price is not None:
        better = (wanted.limit_price - fill.price) * wanted.side.sign
        assert better >= 0
        assert not wanted.post_only or better == 0
    elif isinstance(event, Bar) and wanted.order_type is OrderType.MARKET:
        low, high = (Decimal(repr(price)) for price in sorted((event.open, event.close)))
        assert fill.price >= low if wanted.side is Side.BUY else fill.price <= high


def pays_its_fee(fill, *, first):
    paid = {(fill.quantity * fill.price * bps / 10_000).quantize(Decimal("0.0001"))
            for bps in (MAKER, TAKER)}  # fmt: skip
    least = LEAST if first else ZERO
    assert fill.fee in {max(fee, least) for fee in paid}


def keeps_to_what_there_is(session, traded, event):
    sides = defaultdict(Decimal)
    for fill in traded:
        sides[session.sent[fill.client_order_id].side] += fill.quantity
    if isinstance(event, Quote):
        assert sides[Side.BUY] <= Decimal(repr(event.ask_size))
        assert sides[Side.SELL] <= Decimal(repr(event.bid_size))
    else:
        assert sides[Side.BUY] + sides[Side.SELL] <= Decimal(repr(event.volume)) / 10


@given(STEPS, LATENCIES)
def test_what_only_reduces_never_grows_nor_turns_the_position(steps, latency_ms):
    session = Session(latency_ms)
    held = ZERO
    for n, step in enumerate(steps, 1):
        session.take(step, n)
        for fill in fills_of(session.said[-1]):
            wanted = session.sent[fill.client_order_id]
            after = held + fill.quantity * wanted.side.sign
            if wanted.reduce_only:
                assert abs(after) < abs(held)
                assert after * held >= 0
            held = after
        for one in session.orders.values():
            traded = any(fills_of(session.said[-1]))
            assert not (traded and one.reduce_only) or held * one.side.sign < 0


@given(STEPS)
def test_of_one_side_the_better_price_trades_first_and_then_the_older_order(steps):
    session = Session(0)
    for n, step in enumerate(steps, 1):
        before = dict(session.orders)
        session.take(step, n)
        traded = {fill.client_order_id for fill in fills_of(session.said[-1])}
        limits = [one for one in before.values() if one.limit_price and not one.reduce_only]
        for place, ahead in enumerate(limits):
            for after, behind in enumerate(limits):
                if ahead.side is not behind.side or behind.client_order_id not in traded:
                    continue
                edge = (ahead.limit_price - behind.limit_price) * ahead.side.sign
                first = edge > 0 or (edge == 0 and place < after)
                waits = ahead.client_order_id in session.orders
                assert not (first and waits)


@given(STEPS, LATENCIES)
def test_i11_the_same_steps_say_the_same_and_an_event_that_comes_again_says_nothing(
    steps, latency_ms
):
    once, twice = Session(latency_ms), Session(latency_ms)
    for n, step in enumerate(steps, 1):
        once.take(step, n)
        event = twice.take(step, n)
        assert event is None or twice.venue.advance(event) == []
    assert once.said == twice.said


@given(STEPS, LATENCIES)
def test_i11_a_restart_after_any_step_changes_nothing(steps, latency_ms):
    through, restarted = Session(latency_ms), Session(latency_ms)
    for n, step in enumerate(steps, 1):
        through.take(step, n)
        event = restarted.take(step, n)
        assert restarted.said[-1] == through.said[-1]
        restarted.restart()
        if fills_of(restarted.said[-1]):
            assert restarted.venue.advance(event) == []
    assert restarted.positions == through.positions
    assert restarted.orders == through.orders
