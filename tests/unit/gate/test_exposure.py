"""Sums that run along with the orders stay those of the orders; any order of events ends alike."""

from collections import defaultdict
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.gate.book import approve, end, fill, keep_working, open_book, refer, stop_working
from interlock.model.instrument import Instrument
from interlock.model.order import WorkingOrder
from interlock.model.values import ZERO, Side
from interlock.testkit.decisions import approved
from interlock.testkit.desk_messages import fill as filled

QUANTITIES = st.decimals(min_value=Decimal("1E-9"), max_value=Decimal("1E18"), allow_nan=False)
NAMES = st.sampled_from(["SPY", "GOOG", "GOOGL"])
SIDES = st.sampled_from(Side)
INSTRUMENTS = [
    Instrument(instrument_id="SPY", venue="paper", bucket="core", sector="index"),
    Instrument(
        instrument_id="GOOG", venue="paper", bucket="tech", sector="media", aliases=("GOOGL",)
    ),
]
STEPS = st.lists(st.tuples(st.integers(0, 5), NAMES, SIDES, QUANTITIES, st.booleans()), max_size=40)


def book_of(instruments=INSTRUMENTS):
    return open_book(instruments, "USD", Decimal(30_000), 4, None, None)


def order_of(number, name, side, quantity):
    return WorkingOrder(
        client_order_id=str(number), intent_id="", instrument_id=name, side=side, quantity=quantity
    )


@given(STEPS)
def test_the_sums_are_those_of_the_orders_and_never_round(steps):
    book = book_of()
    for number, name, side, quantity, stops in steps:
        if stops:
            stop_working(book, str(number))
        else:
            keep_working(book, order_of(number, name, side, quantity))
    wanted: dict[tuple[str, Side], list[Decimal]] = defaultdict(list)
    for order in book.working.values():
        wanted[order.instrument_id, order.side].append(order.leaves)
    for line in book.exposures.lines.values():
        for side, total in ((Side.BUY, line.buying), (Side.SELL, line.selling)):
            if not wanted[line.name, side]:
                assert total == ZERO
            if len(wanted[line.name, side]) == 1:
                assert total == wanted[line.name, side][0]


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("price"), NAMES, st.integers(1, 500)),
        st.tuples(st.just("bad"), NAMES, st.just(0)),
        st.tuples(st.just("order"), NAMES, st.integers(1, 50)),
        st.tuples(st.just("sell"), NAMES, st.integers(1, 50)),
        st.tuples(st.just("fill"), NAMES, st.integers(1, 50)),
        st.tuples(st.just("end"), NAMES, st.integers(0, 50)),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(MOVES)
def test_i4_every_running_sum_is_what_adding_it_up_anew_gives(moves):
    book = book_of()
    for number, (what, name, amount) in enumerate(moves):
        act(book, number, what, name, amount)
    lines = book.exposures.lines.values()
    for line in lines:
        unit = line.unit or ZERO
        most, least = line.held + line.buying, line.held - line.selling
        assert line.gross == max(abs(most), abs(least)) * unit
        assert line.worth == line.held * (line.mark or ZERO)
    assert book.exposures.gross == sum(line.gross for line in lines)
    assert book.exposures.worth == sum(line.worth for line in lines)
    assert book.exposures.high == sum(line.high for line in lines)
    assert book.exposures.low == sum(line.low for line in lines)
    assert book.exposures.buckets.get("tech", 0) == book.exposures.lines["GOOG"].gross
    assert book.exposures.sectors.get("index", 0) == book.exposures.lines["SPY"].gross
    assert book.reserved == sum(book.reserves.values())
    assert book.reserves.keys() <= book.working.keys()
    assert set(book.exposures.unvalued) == {
        line.name for line in lines if line.unit is None and not line.is_flat
    }


def act(book, number, what, name, amount):
    open_orders = list(book.working.values())
    match what:
        case "price":
            refer(book, name, float(amount), number)
        case "bad":
            refer(book, name, float("nan"), number)
        case "order" | "sell":
            side = Side.BUY if what == "order" else Side.SELL
            order = approved(
                number, instrument_id=name, quantity=Decimal(amount), side=side,
                client_order_id=f"il-{number}",
            )  # fmt: skip
            approve(book, order)
        case "fill" if open_orders:
            order = open_orders[amount % len(open_orders)]
            fill(book, fill_of(number, order, min(order.leaves, Decimal(amount))))
        case "end" if open_orders:
            order = open_orders[amount % len(open_orders)]
            end(book, order.client_order_id, None if amount % 2 else order.leaves)


def fill_of(number, order, quantity):
    return filled(
        number, order.side, quantity, instrument_id=order.instrument_id,
        client_order_id=order.client_order_id,
    )  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.permutations(["approve", "first", "second", "cancel"]), st.lists(st.integers(0, 3)))
def test_i11_events_in_any_order_and_number_come_to_the_same_book(order, again):
    """An order of 40, two fills of 10, and a cancel of the 20 that are left."""
    book = book_of()
    refer(book, "SPY", 100.0, 0)
    asked = approved(1, quantity=Decimal(40), client_order_id="il-1")
    events = {
        "approve": lambda: approve(book, asked) if "il-1" not in book.unit_costs else None,
        "first": lambda: fill(book, filled(1, Side.BUY, 10, trade_id="a")),
        "second": lambda: fill(book, filled(1, Side.BUY, 10, trade_id="b")),
        "cancel": lambda: end(book, "il-1", Decimal(20)),
    }
    seen = []
    for name in [*order, *(order[index] for index in again)]:
        events[name]()
        seen.append(name)
        line = book.exposures.line("SPY")
        if "approve" in seen and not {"first", "second"} <= set(seen):
            assert line.held + line.buying >= 20, "a fill that is on its way is still exposure"
    assert (line.held, line.buying, book.reserved, book.working) == (20, 0, 0, {})
    assert book.cash == Decimal(30_000) - 2_000 - 1


def test_i11_fills_and_ends_of_protective_orders_move_the_position_and_open_nothing():
    """Exec sends them without an approval: the gate has never heard of their ids."""
    book = book_of()
    fill(book, filled(1, Side.BUY, 10, trade_id="entry"))
    stop = filled(2, Side.SELL, 4, trade_id="stop")
    fill(book, stop)
    fill(book, stop)
    end(book, stop.client_order_id, Decimal(6))
    line = book.exposures.line("SPY")
    assert (line.held, line.buying, line.selling) == (6, 0, 0)
    assert book.working == {}
