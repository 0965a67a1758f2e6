"""People before an entry: what adds risk is asked of them first, and goes out once it is approved.

Theory of operation. This stands between what an engine wants and what the strategy says, and no
engine knows of it. An exit passes; so does the part of a turn that closes what is held. An entry
becomes a request, unless one stands for its instrument already. When policy says that it was
approved, the intent goes out with the market and the policy version of then: on the last bar where
that is no older than a cadence, else on the next one. It lapses, and that is said, where it is no
longer what people approved. The gate judges it like any other intent.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec.structs import replace

from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.values import ZERO, Severity
from interlock.strategy.config import Approval
from interlock.strategy.state import StrategyState
from interlock.strategy.trim import is_trimming
from interlock.strategy.waiting import window_ns
from interlock.wire.approvals import ApprovalDecided, ApprovalLapsed, ApprovalRequested, LapseCode
from interlock.wire.base import Heard, Said, caused_id
from interlock.wire.build import build_of
from interlock.wire.catalogue import STRATEGY
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import OrderIntent
from interlock.wire.system import AlertRaised

_BPS = 10_000
NO_PRICE = 0.0, 0


def asked_first(
    state: StrategyState, heard: Heard, wanted: Sequence[Said], now: int
) -> Sequence[Said]:
    """Return what is said instead of `wanted`: requests for its entries, and what was approved."""
    waiting = state.waiting
    if state.config.approval is Approval.NONE and not waiting.asked:
        return wanted
    said: list[Said] = []
    stands = set(waiting.asked)
    for one in wanted:
        said += _before(state, one, stands, now) if isinstance(one, OrderIntent) else (one,)
    leaving = {one.instrument_id for one in said if isinstance(one, OrderIntent)}
    for request in waiting.asked.values():
        granted = waiting.granted.get(request.request_id)
        if granted is not None:
            lapse = _lapse(state, request, granted, leaving, now)
            if lapse is not None:
                said += _lapsed(state, request, *lapse, now)
            elif _is_fresh(state, request, heard, now):
                said += _sent(state, request, granted, now)
    return said


def _before(
    state: StrategyState, intent: OrderIntent, stands: set[str], now: int
) -> Iterator[Said]:
    """Yield what may go now of an intent, or the request for it; note that one stands."""
    name = intent.instrument_id
    held = state.positions.get(name, ZERO)
    asks = state.config.approval is Approval.ENTRIES
    if intent.reduce_only or not (asks or name in stands):
        yield intent
    elif held * intent.side.sign < ZERO:
        # A turn: what closes goes now; what opens is wanted again once that is done.
        yield replace(
            intent,
            quantity=min(abs(held), intent.quantity),
            reduce_only=True,
            protection=None,
            reasons=["exit", *(reason for reason in intent.reasons if reason != "entry")],
        )
    elif name not in stands and _may_ask(state, name, now):
        stands.add(name)
        yield _request(state, intent, now)


def _may_ask(state: StrategyState, name: str, now: int) -> bool:
    """Return whether people may be asked: not by a desk that stands still, nor right after a no."""
    return state.waiting.active and now >= state.waiting.quiet_until.get(name, 0)


def _request(state: StrategyState, intent: OrderIntent, now: int) -> ApprovalRequested:
    config, instrument = state.config, state.instruments[intent.instrument_id]
    request_id = caused_id(intent, ApprovalRequested)
    return ApprovalRequested(
        message_id=request_id,
        decision_id=intent.decision_id,
        ts_event=now,
        desk=state.desk,
        request_id=request_id,
        intent=intent,
        conviction="" if intent.p_win is None else f"p_win {intent.p_win:.0%}",
        dissent="",
        notional=intent.quantity * intent.reference_price * instrument.multiplier,
        held=state.positions.get(intent.instrument_id, ZERO),
        max_move_bps=config.approval_max_move_bps,
        expires_at=now + config.approval_seconds * NANOS_PER_SECOND,
        needed=config.approvers,
    )


def _is_fresh(state: StrategyState, request: ApprovalRequested, heard: Heard, now: int) -> bool:
    """Return whether the last price can be sent with: it has just come in, or lately."""
    name = request.intent.instrument_id
    seconds = state.cadence_seconds
    if isinstance(heard, FeaturesComputed) and heard.instrument_id == name:
        seconds = state.config.max_features_age_seconds
    return now - state.closes.get(name, NO_PRICE)[1] <= seconds * NANOS_PER_SECOND


def _sent(
    state: StrategyState, request: ApprovalRequested, granted: ApprovalDecided, now: int
) -> Sequence[Said]:
    """Return the entry at the last price; where that has moved too far, that it has lapsed."""
    close, ts_market = state.closes.get(request.intent.instrument_id, NO_PRICE)
    price = state.instruments[request.intent.instrument_id].price(close)
    moved_bps = _moved_bps(request.intent.reference_price, price)
    if moved_bps is None or moved_bps > request.max_move_bps:
        told = "not known" if moved_bps is None else f"{moved_bps:.1f} bps"
        reason = f"the price's move is {told}, approved was {request.max_move_bps:g} bps at most"
        return _lapsed(state, request, LapseCode.PRICE, reason, now)
    intent = request.intent
    return [
        replace(
            intent,
            ts_event=now,
            reference_price=price,
            ts_market=ts_market,
            policy_version=state.policy_version,
            reasons=[*intent.reasons, f"approved by {' and '.join(granted.by)}"],
            build=build_of(),
        )
    ]


def _lapse(
    state: StrategyState,
    request: ApprovalRequested,
    granted: ApprovalDecided,
    leaving: set[str],
    now: int,
) -> tuple[LapseCode, str] | None:
    name = request.intent.instrument_id
    held = state.positions.get(name, ZERO)
    if name not in state.instruments:
        return LapseCode.INSTRUMENT, f"the desk does not trade {name} any more"
    if not state.waiting.active:
        return LapseCode.HALTED, "the desk lets no entries through"
    if held != request.held:
        return LapseCode.POSITION, f"{held:f} are held, there were {request.held:f} when it asked"
    if name in state.asking or name in leaving:
        return LapseCode.POSITION, "another order is on its way"
    if is_trimming(state):
        return LapseCode.EXPOSURE, "the desk holds too much already, and trims"
    if now - granted.ts_event > window_ns(request):
        return LapseCode.LATE, "no fresh price has come in for too long since it was approved"
    return None


def _moved_bps(before: Decimal, after: Decimal) -> float | None:
    """Return how far a price has moved; none where one of the two is no price."""
    if not (before.is_finite() and before > ZERO and after > ZERO):
        return None
    return float(abs(after / before - 1) * _BPS)


def _lapsed(
    state: StrategyState, request: ApprovalRequested, code: LapseCode, reason: str, now: int
) -> Sequence[Said]:
    intent = request.intent
    lapsed = ApprovalLapsed(
        message_id=caused_id(request, ApprovalLapsed),
        decision_id=request.decision_id,
        ts_event=now,
        desk=state.desk,
        request_id=request.request_id,
        intent_id=intent.intent_id,
        instrument_id=intent.instrument_id,
        code=code,
        reason=reason,
    )
    alert = AlertRaised(
        message_id=caused_id(request, AlertRaised, code),
        decision_id=request.decision_id,
        ts_event=now,
        desk=state.desk,
        service=STRATEGY,
        severity=Severity.WARNING,
        code="approval.lapsed",
        text=f"{intent.side} {intent.quantity} {intent.instrument_id} was approved and not sent: "
        f"{reason}",
        dedupe_key=f"{state.desk}.approval.{request.request_id}",
    )
    return [lapsed, alert]
