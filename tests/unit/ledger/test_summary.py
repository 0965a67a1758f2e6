from decimal import Decimal

import pytest
from interlock.ledger.config import LedgerConfig
from interlock.ledger.core import decide
from interlock.ledger.state import evolve, opening
from interlock.ledger.summary import summarise
from interlock.model.values import Side
from interlock.testkit.desk_messages import (
    ACCOUNT,
    START,
    bar,
    denied,
    fill,
    intent,
    judged,
    submitted,
    tick,
)
from interlock.wire.base import Message
from interlock.wire.policy import ProposalVerdict


def test_an_empty_run_can_be_summed_up():
    state = opening(ACCOUNT, "USD", START, LedgerConfig())
    total = summarise(state.tally, START)
    assert (total.equity, total.pnl, total.max_drawdown) == (START, 0, 0.0)
    assert total.sample_decision == ""


def test_a_run_is_counted():
    state = opening(ACCOUNT, "USD", START, LedgerConfig())
    messages: list[Message] = [
        bar(0, 100.0),
        tick(0),
        judged(1, ProposalVerdict.ACCEPTED),
        judged(2),
        intent(3),
        denied(3),
        intent(4),
        submitted(4),
        fill(4, Side.BUY, 100, 100, fee=Decimal(0)),
        bar(5, 110.0),
        tick(5),
        bar(6, 79.0),
        tick(6),
        bar(7, 95.0),
        tick(7),
    ]
    for message in messages:
        evolve(state, message)
        for said in decide(state, message, 0):
            if isinstance(said, Message):
                evolve(state, said)
    total = summarise(state.tally, START)
    assert (total.bars, total.ticks, total.intents, total.denials, total.fills) == (4, 4, 2, 1, 1)
    assert total.proposals_by_verdict == {"accepted": 1, "unchanged": 1}
    assert total.denials_by_code == {"price.stale": 1, "size.notional": 1}
    assert (total.equity, total.pnl) == (29_500, -500)
    assert total.max_drawdown == pytest.approx((31_000 - 27_900) / 31_000)
    assert total.sample_decision == fill(4).decision_id
    assert total.messages["account.updated.v1"] == 4
