"""An order that waited is sent only where nothing that was stored since forbids it."""

import pytest
from interlock.exec.adapters.kill_switch import KillSwitch
from interlock.exec.adapters.sending import place
from interlock.exec.app import build
from interlock.exec.checks import FRESH_NS, overtaken
from interlock.exec.config import ExecConfig
from interlock.exec.ports import LookedAgain
from interlock.model.values import TradingState
from interlock.runtime.clock import DataClock
from interlock.runtime.signing import Verifier
from interlock.testkit.cells import cell_of, react
from interlock.testkit.decisions import desk, trading
from interlock.testkit.desk_messages import DESK, SECOND
from interlock.venues.port import TOO_LATE
from interlock.wire.base import root_ids
from interlock.wire.orders import OrderRefused, OrderSubmitted
from interlock.wire.policy import HaltTrading, ResumeTrading

from tests.unit.exec.test_orders import SIGNER, SpyVenue, kinds, signed

FRESH, LATE = SECOND + FRESH_NS, SECOND + FRESH_NS + 1


def person(kind, ts, by="ada", of=DESK):
    message_id, decision_id = root_ids(kind, ts, by, of)
    return kind(
        message_id=message_id, decision_id=decision_id, ts_event=ts, desk=of, by=by, reason="so"
    )


def sent_at(now, *stored, venue=None, **order):
    """Return what exec says to an order it is given at `now`, with this in the stream by then."""

    async def latest(_kinds):
        return stored

    verifier = Verifier(SIGNER.public_key)
    venue = SpyVenue() if venue is None else venue
    cell = cell_of(build(desk(), venue, verifier, DataClock(), latest=latest))
    react(cell, trading(), 0)
    return react(cell, signed(**order), now), venue


@pytest.mark.parametrize(
    ("stored", "code"),
    [
        ([trading(TradingState.HALTED, 2)], "epoch"),
        ([trading(TradingState.ACTIVE, 3)], "epoch"),
        ([trading(TradingState.HALTED, 1)], "halted"),
        ([trading(), person(HaltTrading, 5)], "halted"),
        ([trading(), person(ResumeTrading, 4), person(HaltTrading, 5)], "halted"),
        ([trading(), person(HaltTrading, 5), person(ResumeTrading, 6, by=" ")], "halted"),
    ],
)
def test_i7_an_order_that_waited_is_refused_for_a_halt_that_waits_behind_it(stored, code):
    said, venue = sent_at(LATE, *stored)
    assert kinds(said) == [OrderRefused]
    assert said[0].code == code
    assert venue.sent == []


@pytest.mark.parametrize(
    "stored",
    [
        [],
        [trading()],
        [trading(), person(HaltTrading, 5), person(ResumeTrading, 6)],
        [trading(), person(HaltTrading, 5, of="another desk")],
    ],
)
def test_an_order_that_waited_is_sent_where_nothing_forbids_it(stored):
    said, venue = sent_at(LATE, *stored)
    assert kinds(said) == [OrderSubmitted]
    assert len(venue.sent) == 1


def test_i15_an_approval_from_the_future_is_refused():
    """Where our clock went back, an old approval looks fresh; the gate's may be a little ahead."""
    ahead = ExecConfig().max_clock_offset_ms * 1_000_000
    said, venue = sent_at(SECOND - ahead - 1)
    assert [one.code for one in said] == ["clock"]
    assert venue.sent == []
    assert kinds(sent_at(SECOND - ahead)[0]) == [OrderSubmitted]


def test_i15_an_approval_that_ends_while_its_row_is_written_is_never_sent():
    (report,) = place(SpyVenue(), KillSwitch(SpyVenue()), signed(), signed().expires_at)
    assert report.reason == TOO_LATE
    venue = SpyVenue()
    place(venue, KillSwitch(venue), signed(), signed().expires_at - 1)
    assert len(venue.sent) == 1


def test_a_fresh_order_asks_nobody():
    said, _ = sent_at(FRESH, trading(TradingState.HALTED, 2))
    assert kinds(said) == [OrderSubmitted]


def test_i14_an_order_that_only_reduces_is_refused_for_its_epoch_only():
    def code(standing):
        order = signed(reduce_only=True)
        seen = LookedAgain(order=order, standing=standing, halted_at=5, resumed_at=0)
        why = overtaken(order, seen)
        return why and why[0]

    assert code(trading(TradingState.HALTED, 2)) == "epoch"
    assert code(trading(TradingState.HALTED, 1)) is None
