"""`interlock up` on live data: the shipped desk, the unmodified SDK, and a stub of Alpaca."""

import asyncio
import subprocess
import time
from collections import Counter
from decimal import Decimal

import pytest
from interlock.wire.accounts import AccountUpdated
from interlock.wire.market import Bar, ClockTicked, FeedStatusChanged, NewsArrived
from interlock.wire.orders import OrderFilled, ReconciliationCompleted

from tests.integration.live_market import MINUTE, SYMBOLS, live_desk, market, news, words

pytestmark = [pytest.mark.servers, pytest.mark.stack]


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
    async with market() as alpaca:
        async with live_desk(alpaca, tmp_path / "state") as desk:
            assert (desk.told["source"], desk.told["venue"]) == ("alpaca", "paper")
            await desk.hears_quotes()
            await alpaca.next_bar()
            await alpaca.stub.data.tell(news(1))
            await desk.until(lambda: len(desk.journaled(OrderFilled)) == len(SYMBOLS))
            await desk.until(lambda: desk.journaled(NewsArrived))
            assert desk.journaled(NewsArrived)[0].headline == "Up again"

            await alpaca.stub.data.cut()
            await alpaca.next_bar(told=False)
            await desk.kill("feed")
            await desk.until(lambda: minutes(desk)[-1] == alpaca.newest)
            conditions = [one.condition.value for one in desk.journaled(FeedStatusChanged)]
            assert set(conditions) == {"stale", "ok"}
            ticks = desk.journaled(ClockTicked)
            assert max(Counter(one.index for one in ticks).values()) == 1
            assert abs(ticks[-1].ts_event / 1e9 - time.time()) < MINUTE
            assert desk.journaled(AccountUpdated)
        async with live_desk(alpaca, tmp_path / "state") as desk:
            before = len(desk.journaled(ClockTicked))
            await desk.until(lambda: len(desk.journaled(ClockTicked)) > before + 1)
            assert told_once_and_without_a_hole(desk)
            assert len(desk.journaled(OrderFilled)) == len(SYMBOLS)


async def test_i13_the_books_equal_the_venues_after_a_cut_and_a_kill_and_flat_at_the_end(tmp_path):
    async with (
        market() as alpaca,
        live_desk(alpaca, tmp_path / "state", INTERLOCK__DESK__VENUE="alpaca") as desk,
    ):
        book, money = alpaca.stub.book, alpaca.stub.book.cash
        await desk.hears_quotes()
        await alpaca.next_bar()
        await desk.until(lambda: len(alpaca.open_orders("buy")) == len(SYMBOLS))
        first, second, *others = alpaca.open_orders("buy")
        await alpaca.fill([first, second], 0.5)
        await alpaca.stub.cut()
        await alpaca.fill([second], 0.5, tell=False)
        await desk.kill("exec")
        await alpaca.fill([first, second, *others])
        await desk.until(lambda: sum(bought(desk)) == sum(book.positions.values()))

        alpaca.level = 0.99
        await asyncio.sleep(1)
        await alpaca.next_bar()
        await desk.until(lambda: len(alpaca.open_orders("sell")) == len(SYMBOLS))
        await alpaca.fill(alpaca.open_orders("sell"))
        assert set(book.positions.values()) == {0}
        flat_since = time.time_ns()
        await desk.until(lambda: desk.journaled(AccountUpdated)[-1].ts_event > flat_since)

        account = desk.journaled(AccountUpdated)[-1]
        assert [one for one in account.positions if one.quantity] == []
        assert account.cash - Decimal(30_000) == book.cash - money
        assert len(alpaca.stub.placed) == 2 * len(SYMBOLS)
        trades = [one.trade_id for one in desk.journaled(OrderFilled)]
        assert len(trades) == len(set(trades))
        assert desk.journaled(ReconciliationCompleted)[-1].breaks == []


def bought(desk):
    return [one.last_qty * one.side.sign for one in desk.journaled(OrderFilled)]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ALPACA_SECRET_KEY": "revoked-revoked"}, "not authorized"),
        ({"INTERLOCK__ALPACA__DATA_URL": "http://127.0.0.1:1"}, "look at the network"),
    ],
    ids=["revoked keys", "no network"],
)
async def test_what_cannot_be_reached_is_one_line_and_nothing_is_started(tmp_path, changes, why):
    async with market() as alpaca:
        state = tmp_path / "state"
        done = await asyncio.to_thread(
            subprocess.run,
            words(state),
            env=alpaca.environment(**changes),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "alpaca" in line
    assert why in line
    assert "revoked-revoked" not in line
    assert alpaca.stub.secret not in line
    assert not state.exists()
