"""The rule by which a fill of Alpaca is told once, whoever tells it and in whatever order."""

from decimal import Decimal
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.venues.alpaca.fills import ToldFills, interval_of, trade_id
from interlock.venues.alpaca.orders import OrderData

NAME = "il-0123"


def order(filled, average):
    return OrderData(
        id="v1",
        client_order_id=NAME,
        qty=Decimal(1000),
        filled_qty=Decimal(filled),
        filled_avg_price=Decimal(average),
    )


def tell(told, start, end, price):
    """Tell the execution that took the order from `start` to `end`."""
    total = Decimal(end)
    return told.execution(order(end, price), total - Decimal(start), Decimal(price), total)


def money(fills):
    return sum((fill.quantity * fill.price for fill in fills), Decimal(0))


def test_a_trade_id_names_its_interval():
    text = trade_id("il:odd-name", Decimal("30.50"), Decimal(100))
    assert text == "il:odd-name:30.5-100"
    assert interval_of(text) == ("il:odd-name", (Decimal("30.5"), Decimal(100)))


@pytest.mark.parametrize("other", ["", "abc", "a:b-c", "il:1", "2f63ea93-423d-4169", "x:1-"])
def test_ids_of_others_are_no_intervals(other):
    assert interval_of(other) is None


def test_an_execution_is_told_once():
    told = ToldFills()
    (fill,) = tell(told, 0, 30, 10)
    assert (fill.trade_id, fill.quantity, fill.price) == (f"{NAME}:0-30", 30, 10)
    assert tell(told, 0, 30, 10) == []
    assert told.told(NAME) == [fill]


@pytest.mark.parametrize("turn", list(permutations([(0, 30, 10), (30, 70, 11), (70, 100, 12)])))
def test_the_order_of_arrival_does_not_matter(turn):
    told = ToldFills()
    fills = [fill for each in turn for fill in tell(told, *each)]
    assert sorted(fill.trade_id for fill in fills) == sorted(
        [f"{NAME}:0-30", f"{NAME}:30-70", f"{NAME}:70-100"]
    )
    assert told.rest(order(100, "11.0")) == []


def test_a_total_tells_what_is_missing_at_the_price_that_explains_it():
    told = ToldFills()
    tell(told, 0, 30, 10)
    (fill,) = told.rest(order(100, "11.4"))
    assert (fill.trade_id, fill.quantity, fill.price) == (f"{NAME}:30-100", 70, Decimal(12))
    assert tell(told, 30, 70, 11) == []
    assert tell(told, 70, 100, 13) == []


def test_what_exec_remembers_is_not_told_again():
    told = ToldFills()
    told.remember({f"{NAME}:0-30", "another venue's"}, {NAME: Decimal(30)})
    assert tell(told, 0, 30, 10) == []
    (fill,) = told.rest(order(100, "11.4"))
    assert (fill.trade_id, fill.quantity) == (f"{NAME}:30-100", 70)


def test_a_filled_quantity_without_trade_ids_counts_as_known():
    told = ToldFills()
    told.remember(set(), {NAME: Decimal(30)})
    assert tell(told, 0, 10, 10) == []
    assert [fill.trade_id for fill in told.rest(order(40, 10))] == [f"{NAME}:30-40"]


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
    st.data(),
)
def test_every_mix_of_sources_tells_each_share_once(sizes, chance, data):
    """Executions come in any order and more than once, with totals read between them."""
    ends = [0]
    for size in sizes:
        ends.append(ends[-1] + size)
    events = [(start, end, 10 + at) for at, (start, end) in enumerate(pairwise(ends))]
    total = [0]
    for start, end, price in events:
        total.append(total[-1] + (end - start) * price)
    told, fills = ToldFills(), []
    heard = [*events, *data.draw(st.lists(st.sampled_from(events), max_size=5))]
    chance.shuffle(heard)
    for event in heard:
        if chance.random() < 0.4:
            seen = chance.randrange(1, len(ends))
            fills += told.rest(order(ends[seen], Decimal(total[seen]) / ends[seen]))
        fills += tell(told, *event)
    fills += told.rest(order(ends[-1], Decimal(total[-1]) / ends[-1]))
    assert sum(fill.quantity for fill in fills) == ends[-1]
    assert len({fill.trade_id for fill in fills}) == len(fills)
    assert abs(money(fills) - total[-1]) < Decimal("0.001")
