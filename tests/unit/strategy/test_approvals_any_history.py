"""Any history of bars, fills, answers and restarts on a desk whose entries wait for people.

Whatever happens, what adds risk has been approved before it goes out, goes out once, and at a price
that people agreed to; and what reduces it goes out at once.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.model.values import Side, TradingState
from interlock.strategy.app import build
from interlock.strategy.config import Approval, StrategyConfig
from interlock.testkit.cells import cell_of, react
from interlock.testkit.decisions import desk, features, policy, trading
from interlock.testkit.desk_messages import SECOND, fill, ids
from interlock.wire.approvals import (
    ApprovalCode,
    ApprovalDecided,
    ApprovalLapsed,
    ApprovalRequested,
)
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import OrderFilled, OrderIntent

STEPS = st.one_of(
    st.tuples(
        st.just("bar"),
        st.sampled_from(["SPY", "GOOG"]),
        st.sampled_from([9.0, 9.0, 0.0, -9.0]),
        st.sampled_from([100.0, 100.3, 101.0]),
    ),
    st.tuples(st.just("answer"), st.integers(0, 3), st.sampled_from(list(ApprovalCode))),
    st.tuples(st.just("answer"), st.integers(0, 3), st.just(ApprovalCode.APPROVED)),
    st.tuples(st.just("fill"), st.integers(0, 3)),
    st.tuples(st.just("outside"), st.sampled_from(list(Side))),
    st.tuples(st.just("wait"), st.sampled_from([1, 10, 200])),
    st.tuples(st.sampled_from(["halt", "resume", "resume", "restart", "again"])),
)


def waiting_cell():
    config = StrategyConfig(approval=Approval.ENTRIES, allow_short=True)
    return cell_of(build(desk(), config))


@dataclass
class History:
    cell: object = field(default_factory=waiting_cell)
    n: int = 1
    epoch: int = 1
    log: list = field(default_factory=list)
    requests: dict = field(default_factory=dict)
    approved: set = field(default_factory=set)
    gone: set = field(default_factory=set)
    intents: list = field(default_factory=list)

    def hear(self, message):
        held = dict(self.cell.state.positions)
        stood, asking = set(self.cell.state.waiting.asked), set(self.cell.state.asking)
        said = react(self.cell, message, self.n * SECOND)
        entering = [one for one in said if isinstance(one, OrderIntent) and not one.reduce_only]
        assert asking.isdisjoint(one.instrument_id for one in entering), "one order at a time"
        heard_before = any(one is message for one, _ in self.log)
        self.log += [] if heard_before else [(message, False)]
        self.log += [(one, True) for one in said]
        for one in said:
            match one:
                case ApprovalRequested():
                    assert one.request_id not in self.requests
                    assert one.intent.instrument_id not in stood, "one request at a time"
                    assert self.cell.state.waiting.active
                    self.requests[one.request_id] = one
                case ApprovalLapsed():
                    self.over(one.request_id)
                case OrderIntent():
                    self.sent(one, held.get(one.instrument_id, Decimal(0)))
                case _:
                    pass
        first_time = isinstance(message, FeaturesComputed) and not heard_before
        if first_time and message.instrument_id not in asking:
            against = held.get(message.instrument_id, 0) * Decimal(message.momentum_bps) < 0
            leaving = [one for one in said if isinstance(one, OrderIntent) and one.reduce_only]
            assert bool(leaving) is against, "an exit never waits"

    def over(self, request_id):
        assert request_id in self.approved, "what was not approved does not lapse"
        assert request_id not in self.gone, "an approval is used once"
        self.gone.add(request_id)

    def sent(self, intent, held):
        self.intents.append(intent)
        if intent.reduce_only:
            assert held * intent.side.sign < 0
            assert intent.quantity <= abs(held)
            return
        found = [one for one in self.requests.values() if one.intent.intent_id == intent.intent_id]
        (request,) = found
        self.over(request.request_id)
        assert (intent.quantity, intent.side) == (request.intent.quantity, request.intent.side)
        moved = abs(intent.reference_price / request.intent.reference_price - 1) * 10_000
        assert moved <= request.max_move_bps
        assert held == request.held
        assert self.cell.state.waiting.active
        assert self.n * SECOND - intent.ts_market <= 30 * SECOND

    def answer(self, place, code):
        if not self.requests:
            return
        request = list(self.requests.values())[-1 - place % len(self.requests)]
        known = [one for one, _ in self.log if isinstance(one, ApprovalDecided)]
        known = [one for one in known if one.request_id == request.request_id]
        if not known and code is ApprovalCode.APPROVED:
            self.approved.add(request.request_id)
        self.hear(known[0] if known else self.decided(request, code))

    def decided(self, request, code):
        return ApprovalDecided(
            **ids("decided", request.request_id),
            ts_event=self.n * SECOND,
            request_id=request.request_id,
            approved=code is ApprovalCode.APPROVED,
            code=code,
            by=["ann"],
            reason="",
        )

    def fill(self, place):
        open_ones = [one for one in self.intents if one.intent_id in self.asking()]
        if open_ones:
            one = open_ones[-1 - place % len(open_ones)]
            more = {"intent_id": one.intent_id, "instrument_id": one.instrument_id}
            self.hear(fill(self.n, one.side, one.quantity, **more))

    def asking(self):
        return set(self.cell.state.asking.values())

    def restart(self):
        before = self.cell.state.waiting, self.cell.state.positions, self.asking()
        self.cell = waiting_cell()
        for message, own in self.log:
            self.cell.recover(message, own=own)
        assert before == (self.cell.state.waiting, self.cell.state.positions, self.asking())


def happen(history, step):
    history.n += 1
    match step:
        case ("bar", name, momentum, close):
            history.hear(features(history.n, momentum, name, close=close))
        case ("answer", place, code):
            history.answer(place, code)
        case ("fill", place):
            history.fill(place)
        case ("outside", side):
            history.hear(fill(history.n, side, 50, intent_id="another's"))
        case ("wait", seconds):
            history.n += seconds
        case ("halt" | "resume" as what,):
            history.epoch += 1
            state = TradingState.HALTED if what == "halt" else TradingState.ACTIVE
            history.hear(trading(state, history.epoch))
        case ("restart",):
            history.restart()
        case ("again",):
            # A fill is delivered once: the bus and the venue's trade id see to that.
            heard = [one for one, own in history.log if not own]
            history.hear([one for one in heard if not isinstance(one, OrderFilled)][-1])


@settings(deadline=None, max_examples=300)
@given(st.lists(STEPS, max_size=40))
def test_i8_what_adds_risk_was_approved_and_is_sent_once_and_what_reduces_it_is_sent_at_once(steps):
    history = History()
    history.hear(policy(3, 2.0))
    history.hear(trading())
    for step in (("bar", "SPY", 9.0, 100.0), *steps):
        happen(history, step)
