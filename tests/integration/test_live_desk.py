"""`interlock up` on live data: shipped desks, unmodified SDKs, and stubs of Alpaca and Binance."""

import time
from collections import Counter

import pytest
from interlock.model.values import OrderType, Side, TimeInForce
from interlock.runtime.config import load_desk_file
from interlock.wire.accounts import AccountUpdated
from interlock.wire.base import root_ids
from interlock.wire.build import build_of
from interlock.wire.catalogue import STRATEGY
from interlock.wire.market import Bar, ClockTicked, FeedStatusChanged, NewsArrived
from interlock.wire.orders import (
    OrderFilled,
    OrderIntent,
    Protection,
    ReconciliationCompleted,
)
from interlock.wire.policy import PolicyChanged

from tests.integration import live_market
from tests.integration.live_desk import live_desk, run_to_its_end, verified
from tests.integration.live_market import DOWN, MINUTE, MONEY, SYMBOLS, UP, news

# Half a minute of a desk, and many times that on a machine with other work.
pytestmark = [pytest.mark.servers, pytest.mark.stack, pytest.mark.timeout(300)]

MARKETS = pytest.mark.parametrize(
    "market_of", [live_market.alpaca, live_market.exchange], ids=["alpaca", "ccxt"]
)
ENTRY_NOTIONAL = 1_000


def minutes(desk, symbol="SPY"):
    return [
        one.ts_event // (MINUTE * 10**9) - 1
        for one in desk.journaled(Bar)
        if one.instrument_id == symbol
    ]


def told_once_and_without_a_hole(desk):
    told = [minutes(desk, symbol) for symbol in SYMBOLS]
    return all(one == list(range(one[0], one[0] + len(one))) for one in told)


async def test_a_desk_lives_through_a_cut_a_kill_and_a_second_start(tmp_path):
    async with live_market.alpaca() as alpaca:
        paper = {"INTERLOCK__DESK__VENUE": "paper"}
        async with live_desk(alpaca, tmp_path / "state", **paper) as desk:
            assert (desk.told["source"], desk.told["venue"]) == ("alpaca", "paper")
            await desk.hears_quotes()
            await alpaca.stub.data.tell(news(1))
            async with alpaca.moving(UP):
                await desk.until(lambda: len(desk.journaled(OrderFilled)) == len(SYMBOLS))
            await desk.until(lambda: desk.journaled(NewsArrived))
            assert desk.journaled(NewsArrived)[0].headline == "Up again"

            await alpaca.stub.data.cut()
            await alpaca.next_bar(told=False)
            await desk.returned("feed", desk.kill("feed"))
            await desk.until(lambda: minutes(desk)[-1] == alpaca.newest)
            conditions = [one.condition.value for one in desk.journaled(FeedStatusChanged)]
            assert set(conditions) == {"stale", "ok"}
            ticks = desk.journaled(ClockTicked)
            assert max(Counter(one.index for one in ticks).values()) == 1
            assert abs(ticks[-1].ts_event / 1e9 - time.time()) < MINUTE
            assert desk.journaled(AccountUpdated)
        async with live_desk(alpaca, tmp_path / "state", **paper) as desk:
            before = len(desk.journaled(ClockTicked))
            await desk.until(lambda: len(desk.journaled(ClockTicked)) > before + 1)
            assert told_once_and_without_a_hole(desk)
            assert len(desk.journaled(OrderFilled)) == len(SYMBOLS)


@MARKETS
async def test_i1_i11_i13_the_books_are_equal_after_a_cut_and_a_kill_and_flat_at_the_end(
    tmp_path, market_of
):
    state = tmp_path / "state"
    async with market_of() as market:
        async with live_desk(market, state, INTERLOCK__DESK__VENUE=market.venue) as desk:
            count, guarded = len(market.instruments), market.instruments[0]
            await desk.hears_quotes()
            await desk.say(STRATEGY, guarded_entry(desk, market, guarded))
            (entry,) = await desk.until(lambda: market.open_orders("buy"))
            await market.fill([entry], 0.5)
            await desk.until(lambda: market.stops(guarded) == [market.held[guarded]])
            async with market.moving(UP):
                await desk.until(lambda: len(market.open_orders("buy")) == count)

            first, second, *_ = [one for one in market.open_orders("buy") if one != entry]
            await market.fill([first, second], 0.5)
            await market.cut()
            await market.fill([second], 0.5, tell=False)
            dead = desk.kill("exec")
            assert market.stops(guarded) == [market.held[guarded]]
            await market.fill([entry], 0.5)
            await desk.returned("exec", dead)
            await market.fill(market.open_orders("buy"))
            await desk.until(lambda: held(desk) == market.held)
            await desk.until(lambda: market.stops(guarded) == [market.held[guarded]])

            async with market.moving(DOWN):
                await desk.until(lambda: len(market.open_orders("sell")) == count)
            assert market.stops(guarded) == []
            await market.fill(market.open_orders("sell"), 0.5)
            await market.fill(market.open_orders("sell"))
            await flat(desk)
            await market.cut()
            await reconciled(desk, after=time.time_ns())

            trades = [one.trade_id for one in desk.journaled(OrderFilled)]
            assert len(trades) == len(set(trades))
            assert desk.journaled(AccountUpdated)[-1].cash == market.cash
        assert market.held == {}
        assert len(market.sent) == len(set(market.sent))
        assert market.cash != MONEY
    found = await verified(state)
    assert (found["ok"], found["reason"]) == (True, "")
    assert found["approvals"] == 2 * count


def guarded_entry(desk, market, instrument_id):
    """Return what a strategy says that wants a stop beside its entry."""
    file = load_desk_file(market.desk_file, {})
    instrument = file.desk.instrument(instrument_id)
    price = market.price(instrument_id)
    message_id, decision_id = root_ids(OrderIntent, instrument_id)
    bars = [one for one in desk.journaled(Bar) if one.instrument_id == instrument_id]
    return OrderIntent(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=time.time_ns(),
        desk=file.desk.name,
        intent_id=message_id,
        account=file.desk.account,
        venue=market.venue,
        strategy="guarded",
        instrument_id=instrument_id,
        side=Side.BUY,
        order_type=OrderType.MARKET,
        quantity=instrument.quantity(ENTRY_NOTIONAL / price),
        limit_price=None,
        time_in_force=TimeInForce.GTC,
        reduce_only=False,
        reference_price=instrument.price(price),
        ts_market=bars[-1].ts_event,
        policy_version=desk.journaled(PolicyChanged)[-1].version,
        reasons=["entry"],
        currency=instrument.currency,
        build=build_of(),
        protection=Protection(stop=instrument.price(price / 20)),
    )


def held(desk):
    """Return what the desk's fills come to."""
    totals = Counter()
    for one in desk.journaled(OrderFilled):
        totals[one.instrument_id] += one.last_qty * one.side.sign
    return {name: quantity for name, quantity in totals.items() if quantity}


async def flat(desk):
    """Return when the ledger's account of after the last fill holds nothing."""
    await desk.until(lambda: held(desk) == {})
    since = time.time_ns()

    def is_flat():
        account = desk.journaled(AccountUpdated)[-1]
        return account.ts_event > since and not any(one.quantity for one in account.positions)

    await desk.until(is_flat)


async def reconciled(desk, after):
    """Return when exec has held its empty book against the venue's, and found no difference."""

    def is_equal():
        last = desk.journaled(ReconciliationCompleted)[-1]
        fine = (last.breaks, last.positions, last.open_orders) == ([], 0, 0)
        return last.ts_event > after and fine

    await desk.until(is_equal)


@MARKETS
@pytest.mark.parametrize("trouble", ["absent keys", "revoked keys", "no network"])
async def test_what_cannot_be_reached_is_one_line_and_nothing_is_started(
    tmp_path, market_of, trouble
):
    state = tmp_path / "state"
    async with market_of() as market:
        changes, why = {
            "absent keys": ({market.secret_name: ""}, market.secret_name),
            "revoked keys": ({market.secret_name: "revoked-revoked"}, "look at the network"),
            "no network": (market.no_network, "look at the network"),
        }[trouble]
        changes["INTERLOCK__DESK__VENUE"] = market.venue
        done = await run_to_its_end(market, state, changes)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert why in line
    assert "revoked-revoked" not in line
    assert market.secret not in line
    assert not state.exists()
