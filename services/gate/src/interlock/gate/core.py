"""OrderIntent in; a signed SubmitOrder or an OrderDenied out. Nothing else moves money."""

from collections.abc import Sequence

from interlock.gate.case import NOT_CONFIGURED, case_of
from interlock.gate.controls.control import Level
from interlock.gate.controls.table import BY_CODE, run_controls
from interlock.gate.counting import asked, counted, settle, tripped
from interlock.gate.ports import CountersSettled, OrderSigned, PolicyStoreAnswered, SignOrder
from interlock.gate.state import GateState
from interlock.gate.witness import begin as configured
from interlock.gate.witness import tell
from interlock.model.ids import NANOS_PER_SECOND, client_order_id, derive_id
from interlock.model.values import ZERO, TradingState
from interlock.wire.base import Effect, Message, Report, caused_id
from interlock.wire.catalogue import GATE
from interlock.wire.orders import ControlFailure, OrderDenied, OrderIntent, SubmitOrder
from interlock.wire.system import SafetyTripped


def ready(state: GateState, message: Message) -> bool:
    """An intent waits until the gate has seen the market and the policy it was decided on."""
    if not isinstance(message, OrderIntent):
        return True
    instrument = state.instruments.get(message.instrument_id)
    if instrument is None:
        return True
    reference = state.book.references.get(instrument.instrument_id)
    return (
        reference is not None
        and reference.ts_event >= message.ts_market
        and state.policy_version is not None
        and state.policy_version >= message.policy_version
        and _features_are_there(state, instrument.instrument_id, message)
    )


def _features_are_there(state: GateState, name: str, intent: OrderIntent) -> bool:
    limit, features = state.config.max_features_age_seconds, state.book.features.get(name)
    if limit is None:
        return True
    return features is not None and (
        intent.ts_market - features.ts_event <= limit * NANOS_PER_SECOND
    )


def begin(state: GateState, now: int) -> Sequence[Message | Effect]:
    return [*configured(state.witness, now), settle(state.tally, state.epoch)]


def answer(state: GateState, heard: Message | Report, now: int) -> Sequence[Message | Effect]:
    """Say what `decide` does, and with a verdict what it rests on."""
    return tell(state.witness, state.desk, heard, decide(state, heard, now), now)


def decide(state: GateState, heard: Message | Report, now: int) -> Sequence[Message | Effect]:
    match heard:
        case OrderIntent() if _delivered_again(state, heard):
            return ()
        case OrderIntent():
            return [asked(heard, state.epoch, now)]
        case PolicyStoreAnswered():
            return _verdict(state, heard, now)
        case OrderSigned():
            return [heard.order, counted(heard.order)]
        case CountersSettled():
            return tripped(state.tally, heard, state.desk, now)
        case _:
            return ()


def _delivered_again(state: GateState, intent: OrderIntent) -> bool:
    """The very message that was answered before a restart; another one of its id is judged."""
    if caused_id(intent, OrderDenied) in state.denials:
        return True
    return intent.intent_id in state.approved and intent.message_id == intent.intent_id


def _verdict(state: GateState, answer: PolicyStoreAnswered, now: int) -> Sequence[Message | Effect]:
    intent = answer.intent
    failures = run_controls(case_of(state, intent, answer, now))
    if failures:
        trips = [
            _trip(state, intent, failure, now)
            for failure in failures
            if _goes_beyond_denial(state, intent, failure)
        ]
        return [*trips, _denied(state, intent, failures, now)]
    return [SignOrder(order=_order(state, intent, now))]


def _goes_beyond_denial(state: GateState, intent: OrderIntent, failure: ControlFailure) -> bool:
    """Whether a failed control asks for more than this denial, and did not have it already.

    A limit that is not configured denies and no more: there is nothing that went past it.
    """
    if failure.limit == NOT_CONFIGURED:
        return False
    match BY_CODE[failure.code].level:
        case Level.DENY:
            return False
        case Level.DISABLE:
            return intent.strategy not in state.disabled
        case Level.REDUCE:
            return state.stands is TradingState.ACTIVE
        case Level.HALT:
            return state.stands is not TradingState.HALTED


def _trip(state: GateState, intent: OrderIntent, failure: ControlFailure, now: int) -> Message:
    level = BY_CODE[failure.code].level
    trip_level = level.trip
    assert trip_level is not None
    return SafetyTripped(
        message_id=caused_id(intent, SafetyTripped, failure.code),
        decision_id=intent.decision_id,
        ts_event=now,
        desk=state.desk,
        service=GATE,
        code=failure.code,
        level=trip_level,
        observed=failure.observed,
        limit=failure.limit,
        about=intent.strategy if level is Level.DISABLE else "",
    )


def _order(state: GateState, intent: OrderIntent, now: int) -> SubmitOrder:
    instrument = state.instruments[intent.instrument_id]
    reference = state.book.references.get(instrument.instrument_id)
    return SubmitOrder(
        message_id=caused_id(intent, SubmitOrder),
        decision_id=intent.decision_id,
        ts_event=now,
        desk=state.desk,
        intent_id=intent.intent_id,
        client_order_id=client_order_id(intent.intent_id),
        account=intent.account,
        venue=intent.venue,
        mode=state.mode,
        strategy=intent.strategy,
        instrument_id=instrument.instrument_id,
        side=intent.side,
        order_type=intent.order_type,
        quantity=intent.quantity,
        requested_quantity=intent.quantity,
        limit_price=intent.limit_price,
        time_in_force=intent.time_in_force,
        reduce_only=intent.reduce_only,
        # Only a reduce-only order gets here without one.
        reference_price=ZERO if reference is None else reference.price,
        reasons=intent.reasons,
        policy_version=intent.policy_version,
        config_hash=state.config_hash,
        epoch=state.epoch,
        expires_at=now + state.config.approval_seconds * NANOS_PER_SECOND,
        nonce=derive_id("nonce", intent.intent_id, state.epoch),
        key_id=state.key_id,
        signature="",
        build=state.build,
        post_only=intent.post_only,
        protection=intent.protection,
    )


def _denied(
    state: GateState, intent: OrderIntent, failures: list[ControlFailure], now: int
) -> OrderDenied:
    return OrderDenied(
        message_id=caused_id(intent, OrderDenied),
        decision_id=intent.decision_id,
        ts_event=now,
        desk=state.desk,
        intent_id=intent.intent_id,
        account=intent.account,
        strategy=intent.strategy,
        instrument_id=intent.instrument_id,
        side=intent.side,
        requested_quantity=str(intent.quantity),
        failures=failures,
        policy_version=state.policy_version or 0,
        epoch=state.epoch,
    )
