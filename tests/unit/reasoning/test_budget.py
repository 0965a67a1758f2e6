from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.reasoning.budget import (
    AllOf,
    BudgetLimits,
    DaySpent,
    MemoryBudgetStore,
    reserved,
    settled,
)

LIMITS = BudgetLimits(usd_per_day=Decimal(1), calls_per_day=3)


def test_exactly_the_limit_fits_and_more_does_not():
    day = reserved(DaySpent(), LIMITS, "a", Decimal("0.6"))
    assert day is not None
    assert reserved(day, LIMITS, "b", Decimal("0.41")) is None
    assert reserved(day, LIMITS, "b", Decimal("0.4")) is not None


def test_settling_gives_back_what_was_not_needed():
    day = reserved(DaySpent(), LIMITS, "a", Decimal("0.9"))
    assert day is not None
    day = settled(day, "a", Decimal("0.1"))
    assert day == DaySpent(usd=Decimal("0.1"), calls=1)


def test_doing_it_twice_does_it_once():
    day = reserved(DaySpent(), LIMITS, "a", Decimal("0.5"))
    assert day is not None
    assert reserved(day, LIMITS, "a", Decimal("0.5")) == day
    once = settled(day, "a", Decimal("0.2"))
    assert settled(once, "a", Decimal("0.2")) == once


def test_calls_are_counted_though_they_cost_nothing():
    day = DaySpent()
    for name in "abc":
        after = reserved(day, LIMITS, name, Decimal(0))
        assert after is not None
        day = settled(after, name, Decimal(0))
    assert reserved(day, LIMITS, "d", Decimal(0)) is None


@pytest.mark.parametrize("usd", ["NaN", "-1", "Infinity"])
def test_no_money_is_no_amount(usd):
    with pytest.raises(ValueError, match="usd"):
        reserved(DaySpent(), LIMITS, "a", Decimal(usd))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["reserve", "settle"]),
            st.sampled_from("abcdef"),
            st.decimals(min_value=0, max_value=1, places=3),
        )
    )
)
def test_what_is_reserved_never_passes_the_limit(steps):
    """A call may cost at most what was reserved for it; then the day keeps its limit."""
    day = DaySpent()
    for step, call, usd in steps:
        if step == "reserve":
            day = reserved(day, LIMITS, call, usd) or day
        elif call in day.open:
            day = settled(day, call, min(usd, day.open[call]))
        assert day.usd <= Decimal(1)
        assert day.calls <= 3
        assert sum(day.open.values(), Decimal(0)) <= day.usd


async def test_a_new_day_has_a_new_budget():
    store = MemoryBudgetStore(BudgetLimits(usd_per_day=Decimal(1), calls_per_day=1))
    assert await store.reserve(call_id="a", day="2024-01-01", usd=Decimal(1))
    assert not await store.reserve(call_id="b", day="2024-01-01", usd=Decimal(0))
    assert await store.reserve(call_id="b", day="2024-01-02", usd=Decimal(1))
    await store.settle(call_id="never-reserved", day="2024-01-03", usd=Decimal(1))


async def test_all_budgets_have_to_agree_and_what_was_set_aside_is_given_back():
    money = MemoryBudgetStore(BudgetLimits(usd_per_day=Decimal(1), calls_per_day=None))
    calls = MemoryBudgetStore(BudgetLimits(usd_per_day=None, calls_per_day=1))
    both = AllOf(((money, None), (calls, "2008-10-10")))
    assert await both.reserve(call_id="a", day="today", usd=Decimal("0.4"))
    assert not await both.reserve(call_id="b", day="today", usd=Decimal("0.4"))
    assert money.days["today"].usd == Decimal("0.4")
    assert calls.days["2008-10-10"].calls == 1
    await both.settle(call_id="a", day="today", usd=Decimal("0.1"))
    assert money.days["today"].usd == Decimal("0.1")
    assert not calls.days["2008-10-10"].open
