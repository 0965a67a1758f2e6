"""What the Alpaca venue makes of a venue that misbehaves (F13, F14), and of an order's doubt."""

import asyncio
import itertools
import logging
from decimal import Decimal

import pytest
from interlock.model.order import WorkingOrder
from interlock.model.values import Side
from interlock.testkit.alpaca_stub import Answer, HangUp, Silence
from interlock.testkit.decisions import approved
from interlock.venues.alpaca.venue import AlpacaVenue
from interlock.venues.port import (
    VenueAccepted,
    VenueCanceled,
    VenueExpired,
    VenueFilled,
    VenueLinkMoved,
    VenueLost,
    VenueNeverSeen,
    VenueRejected,
    VenueUnavailableError,
)

from tests.integration.alpaca_desk import INSTRUMENTS, config_for, desk

HTML = "<html><head><title>504 Gateway Time-out</title></head><body>nginx</body></html>"
NO_ANSWER = [
    Silence(),
    HangUp(),
    Answer(504, HTML, content_type="text/html"),
    Answer(503, ""),
    Answer(500, '{"code":50010000,"message":"internal server error occurred"}'),
    Answer(429, '{"code":42910000,"message":"rate limit exceeded"}'),
    Answer(403, HTML, content_type="text/html"),
    Answer(200, HTML, content_type="text/html"),
    Answer(200, ""),
    Answer(200, "{}"),
    Answer(200, "[]"),
]


def label(fault):
    return (
        f"{type(fault).__name__} {getattr(fault, 'status', '')} {getattr(fault, 'body', '')[:12]}"
    )


def also_accepted(fault):
    if isinstance(fault, Answer):
        return Answer(fault.status, fault.body, accept=True, content_type=fault.content_type)
    return fault


@pytest.mark.parametrize("fault", NO_ANSWER, ids=label)
async def test_an_order_without_an_answer_is_lost_and_then_found(fault):
    """F13: the venue has it. One POST, one order, and the look-up ends the doubt."""
    async with desk(listen=False) as at:
        at.stub.faults.append(also_accepted(fault))
        name, (lost,) = await at.place()
        assert isinstance(lost, VenueLost)
        await at.stub.fill(name, 10, 100)
        reports = await at.venue.look_up(name)
        assert isinstance(reports[0], VenueAccepted)
        assert at.filled(*reports) == 10
        assert len(at.stub.placed) == 1


@pytest.mark.parametrize("fault", NO_ANSWER, ids=label)
async def test_an_order_without_an_answer_that_never_came_there(fault):
    if isinstance(fault, Silence | HangUp):
        fault = type(fault)(accept=False)
    async with desk(listen=False) as at:
        at.stub.faults.append(fault)
        name, (lost,) = await at.place()
        assert isinstance(lost, VenueLost)
        assert await at.venue.look_up(name) == [VenueNeverSeen(client_order_id=name)]
        assert len(at.stub.placed) == 1


async def test_a_refused_duplicate_is_our_own_order():
    """F13: 422 after a time-out. The order is there once, and its fills are told."""
    async with desk(listen=False) as at:
        at.stub.faults.append(Silence())
        name, _ = await at.place()
        await at.stub.fill(name, 4, 100)
        again, reports = await at.place()
        assert again == name
        assert isinstance(reports[0], VenueAccepted)
        assert at.filled(*reports) == 4
        assert len(at.stub.book.orders) == 1


async def test_a_duplicate_that_cannot_be_seen_yet_stays_in_doubt():
    async with desk(listen=False) as at:
        words = '{"code":40010001,"message":"client_order_id must be unique"}'
        at.stub.faults.append(Answer(422, words))
        _, (lost,) = await at.place()
        assert isinstance(lost, VenueLost)


REFUSALS = {
    "insufficient_funds": (403, "insufficient buying power"),
    "market_closed": (422, "market is closed"),
    "halted": (422, "asset SPY is not tradable"),
    "unknown_symbol": (422, 'asset "SPY" not found'),
    "wash_trade": (403, "potential wash trade detected. use complex orders"),
    "precision": (422, "invalid limit_price 1.123. sub-penny increment"),
    "unauthorized": (401, "request is not authorized"),
}


@pytest.mark.parametrize("code", REFUSALS)
async def test_refusals_keep_the_venues_words(code):
    status, words = REFUSALS[code]
    async with desk(listen=False) as at:
        at.stub.faults.append(
            Answer(status, f'{{"message": {words.replace(chr(34), "")!r}}}'.replace("'", '"'))
        )
        _, (refused,) = await at.place()
        assert isinstance(refused, VenueRejected)
        assert refused.reason == f"{code}: {words.replace(chr(34), '')}"


async def test_the_stubs_own_refusals_have_codes():
    async with desk(listen=False) as at:
        book = at.stub.book
        book.prices["SPY"] = Decimal(100)
        for n, (spoil, code) in enumerate(
            (
                (lambda: book.unknown.add("SPY"), "unknown_symbol"),
                (lambda: (book.unknown.clear(), book.halted.add("SPY")), "halted"),
                (lambda: (book.halted.clear(), setattr(book, "cash", Decimal(1))), "insufficient"),
            )
        ):
            spoil()
            _, (refused,) = await at.place(n)
            assert refused.reason.startswith(code)


async def test_no_answer_to_a_question_is_no_evidence():
    async with desk(listen=False) as at:
        name, _ = await at.place()
        for fault in (
            Answer(500, ""),
            Answer(404, HTML),
            Answer(401, '{"message":"unauthorized."}'),
        ):
            at.stub.question_faults += [fault] * 3
            (lost,) = await at.venue.look_up(name)
            assert isinstance(lost, VenueLost)
            at.stub.question_faults.clear()


async def test_a_question_is_asked_again_within_bounds():
    async with desk(listen=False) as at:
        name, _ = await at.place()
        at.stub.question_faults += [Answer(429, ""), Answer(502, HTML)]
        assert isinstance((await at.venue.look_up(name))[0], VenueAccepted)
        asked = len(at.stub.asked)
        at.stub.question_faults += [Answer(429, "")] * 9
        assert isinstance((await at.venue.look_up(name))[0], VenueLost)
        assert len(at.stub.asked) - asked == 3


async def test_an_order_that_may_still_be_on_its_way_is_not_called_unseen():
    async with desk(listen=False) as at:
        at.stub.faults.append(Silence(accept=False))
        order = approved(1, venue="alpaca")
        sending = asyncio.create_task(at.venue.place(order, 0))
        while not at.stub.placed:
            await asyncio.sleep(0.005)
        (lost,) = await at.venue.look_up(order.client_order_id)
        assert isinstance(lost, VenueLost)
        (unsure,) = await at.venue.cancel(order.client_order_id)
        assert isinstance(unsure, VenueLost)
        await sending
        found = await at.venue.look_up(order.client_order_id)
        assert found == [VenueNeverSeen(client_order_id=order.client_order_id)]


async def test_a_cancel_without_an_answer_is_in_doubt():
    async with desk(listen=False) as at:
        name, _ = await at.place()
        await at.stub.__aexit__()
        (lost,) = await at.venue.cancel(name)
        assert isinstance(lost, VenueLost)


@pytest.mark.parametrize("turn", [list(each) for each in itertools.permutations(range(3))], ids=str)
async def test_fills_out_of_order_and_twice(turn):
    async with desk() as at:
        name, _ = await at.place()
        told = [await at.stub.fill(name, n, 100 + n, tell=False) for n in (2, 3, 5)]
        for n in turn:
            await at.stub.tell(told[n])
            await at.stub.tell(told[n])
        await at.until(lambda _: at.filled() == 10)
        assert {each.price: each.quantity for each in at.fills().values()} == {
            102: 2,
            103: 3,
            105: 5,
        }
        assert len([each for each in at.said if isinstance(each, VenueFilled)]) == 3


async def test_a_fill_that_was_never_told_is_told_before_the_orders_end():
    """F13: partial fill, then drop."""
    async with desk(watch_seconds=60.0) as at:
        name, _ = await at.place()
        await at.stub.fill(name, 4, "100.07", tell=False)
        await at.stub.end(name, "canceled")
        await at.until(lambda each: isinstance(each, VenueCanceled))
        fill, canceled = at.said[-2:]
        assert (fill.trade_id, fill.price) == (f"{name}:0-4", Decimal("100.07"))
        assert isinstance(canceled, VenueCanceled)


async def test_without_the_accounts_history_the_orders_own_totals_do():
    async with desk(listen=False) as at:
        name, _ = await at.place()
        await at.stub.fill(name, 4, 100)
        await at.stub.fill(name, 6, 110)
        at.stub.book.executions.clear()
        reports = await at.venue.look_up(name)
        (fill,) = at.fills(*reports).values()
        assert (fill.quantity, fill.price) == (10, 106)
        book = await at.venue.open([], {}, set())
        assert book.positions == {"SPY": 10}


@pytest.mark.parametrize("pongs", [True, False], ids=["alive but mute", "half-open"])
async def test_a_mute_stream_is_noticed_and_what_was_missed_is_told(pongs):
    """F14. The stub is mute for two seconds; fills of that time are told once."""
    async with desk() as at:
        name, _ = await at.place()
        await at.stub.fill(name, 1, 100)
        await at.until(lambda _: at.filled() == 1)
        before = len(at.said)
        at.stub.mute(pongs=pongs)
        began = asyncio.get_running_loop().time()
        await at.stub.fill(name, 2, 101)
        down = await at.moved(up=False, after=before)
        assert asyncio.get_running_loop().time() - began < 2.0
        assert "silent" in down.reason
        await at.stub.fill(name, 3, 102)
        at.stub.unmute()
        await at.until(lambda _: at.filled() == 6)
        up = await at.moved(up=True, after=before)
        last_fill = max(n for n, each in enumerate(at.said) if isinstance(each, VenueFilled))
        assert last_fill < at.said.index(up, before)
        await at.stub.fill(name, 4, 103)
        await at.until(lambda _: at.filled() == 10)


async def test_a_cut_stream_is_opened_again_with_what_was_missed():
    async with desk() as at:
        gone, _ = await at.place(1)
        filled, _ = await at.place(2)
        await at.until(lambda each: getattr(each, "client_order_id", "") == filled)
        before = len(at.said)
        at.stub.mute()
        await at.stub.end(gone, "expired")
        await at.stub.fill(filled, 10, 100)
        await at.stub.cut()
        at.stub.unmute()
        await at.moved(up=True, after=before)
        news = at.said[before:]
        assert isinstance(news[0], VenueLinkMoved)
        assert not news[0].up
        assert any(isinstance(each, VenueExpired) for each in news)
        assert at.filled() == 10
        await at.stub.cut()
        await at.moved(up=True, after=len(at.said))
        assert at.filled() == 10


async def test_the_link_is_not_up_before_what_was_missed_is_known():
    async with desk() as at:
        before = len(at.said)
        at.stub.question_faults += [Answer(500, "")] * 3
        await at.stub.cut()
        await at.moved(up=True, after=before)
        assert at.stub.question_faults == []
        assert [each.up for each in at.said[before:] if isinstance(each, VenueLinkMoved)] == [
            False,
            True,
        ]


async def test_a_long_story_of_what_was_missed_is_not_taken_for_silence():
    """While it is being told the stream is not watched, or a busy desk would never be up again."""
    async with desk(watch_seconds=0.05) as at:
        names = [(await at.place(n, quantity=Decimal(1)))[0] for n in range(40)]
        before = len(at.said)
        at.stub.mute()
        for name in names:
            await at.stub.fill(name, 1, 100, tell=False)
        at.stub.answer_seconds = 0.25
        await at.stub.cut()
        at.stub.unmute()
        await at.moved(up=True, after=before)
        assert at.filled() == 40
        moves = [each.up for each in at.said[before:] if isinstance(each, VenueLinkMoved)]
        assert moves == [False, True]


async def test_external_orders_are_seen_and_their_fills_are_not_ours():
    async with desk() as at:
        other = at.stub.foreign(symbol="SPY", side="buy", qty="5", client_order_id="by-hand")
        await at.stub.fill("by-hand", 3, 100)
        name, _ = await at.place()
        await at.stub.fill(name, 10, 100)
        await at.until(lambda _: at.filled() == 10)
        book = await at.venue.open([], {}, set(at.fills()))
        assert [(each.venue_order_id, each.leaves) for each in book.foreign] == [
            (other.order_id, Decimal(2))
        ]
        assert book.positions == {"SPY": 13}
        assert {each.client_order_id for each in at.fills().values()} == {name}


async def test_a_revoked_key_is_named_without_being_shown(caplog):
    caplog.set_level(logging.DEBUG)
    async with desk() as at:
        key, secret = at.stub.key, at.stub.secret
        name, _ = await at.place()
        before = len(at.said)
        at.stub.revoke()
        await at.stub.cut()
        with pytest.raises(VenueUnavailableError, match="unauthorized: request is not") as raised:
            await at.venue.open([], {}, set())
        down = await at.moved(up=False, after=before)
        _, (refused,) = await at.place(2)
        (lost,) = await at.venue.look_up(name)
        assert refused.reason == "unauthorized: request is not authorized"
        texts = [str(raised.value), down.reason, refused.reason, lost.reason, repr(at.said)]
        logged = [record.getMessage() for record in caplog.records]
        assert logged, "the log was looked at"
        for text in (*texts, *logged, caplog.text):
            assert key not in text
            assert secret not in text


async def test_a_venue_that_echoes_the_secret_is_not_quoted():
    async with desk(listen=False) as at:
        for status in (400, 500):
            body = f'{{"message": "bad header {at.stub.secret} of {at.stub.key}"}}'
            at.stub.faults.append(Answer(status, body))
            _, (report,) = await at.place(status)
            assert "bad header *** of ***" in report.reason


async def test_no_network_is_one_line():
    async with desk(listen=False) as at:
        config = config_for(at.stub, trading_url="http://127.0.0.1:9")
        nowhere = AlpacaVenue(config, INSTRUMENTS, at.stub.environ)
        said = []
        task = asyncio.create_task(nowhere.run(said.append))
        with pytest.raises(VenueUnavailableError) as raised:
            await nowhere.open([], {}, set())
        assert "\n" not in str(raised.value)
        assert [each.up for each in said] == [False]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await nowhere.close()


async def test_executions_of_other_orders_do_not_hide_ours():
    """The account's history comes in pages."""
    async with desk(listen=False) as at:
        at.stub.foreign(symbol="SPY", side="buy", qty="250", client_order_id="by-hand")
        name, _ = await at.place()
        for _ in range(250):
            await at.stub.fill("by-hand", 1, 100)
        await at.stub.fill(name, 10, "100.03")
        remembered = WorkingOrder(
            client_order_id=name,
            intent_id="i",
            instrument_id="SPY",
            side=Side.BUY,
            quantity=Decimal(10),
        )
        book = await at.venue.open([remembered], {}, set())
        assert [each.price for each in at.fills(*book.news).values()] == [Decimal("100.03")]
        assert len([path for path in at.stub.asked if "activities" in path]) == 3
