"""Whatever an ensemble is told, in whatever order: what it asks for holds its caps and its mode."""

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.model.values import Side, TradingState
from interlock.strategy.ensemble.config import SipConfig
from interlock.testkit.cells import react
from interlock.testkit.desk_messages import SECOND, denied, fill
from interlock.wire.decisions import Mode, ScoreAction, ScoreComputed
from interlock.wire.market import FeedCondition
from interlock.wire.orders import OrderIntent
from msgspec.structs import replace

from tests.unit.strategy.ensemble_desk import (
    BUCKETS,
    EQUITY,
    INSTRUMENTS,
    account,
    cell,
    features,
    feed,
    news,
    opening,
    policy,
    status,
    trading,
)

NAMES = [one.instrument_id for one in INSTRUMENTS]
SIP = SipConfig(instrument="GLD")
name = st.sampled_from(NAMES)
vote = st.sampled_from([0.9, 0.9, 0.9, 0.1, 0.1, None]) | st.floats(0, 1)
hint = st.sampled_from([2.0, 2.0, 2.0, -2.0, -2.0, None]) | st.floats(-5, 5)
bars = st.tuples(st.just("bar"), name, vote, vote, hint, st.sampled_from([2.0, 2.0, 2.0, None]),
                 st.floats(1, 500))  # fmt: skip
answers = st.tuples(st.just("answer"), st.sampled_from([True, True, False]))
moves = st.one_of(
    bars,
    bars,
    bars,
    answers,
    answers,
    st.tuples(st.just("feed"), name, st.sampled_from(list(FeedCondition))),
    st.tuples(st.just("feed"), name, st.just(FeedCondition.OK)),
    st.tuples(st.just("status"), st.sampled_from([True, True, False])),
    st.tuples(st.just("news"), name, st.floats(-1, 1)),
    st.tuples(st.just("trading"), st.sampled_from([*TradingState, *[TradingState.ACTIVE] * 3]),
              st.booleans(), st.floats(0, 1)),
    st.tuples(st.just("policy"), st.floats(-1, 1), st.floats(0, 100), st.floats(0, 3)),
    st.tuples(st.just("account"), st.floats(-1e5, 1e5)),
)  # fmt: skip
"""A bar, something that goes wrong, a rule, the account, or an answer to the last intent."""


def messages(n, move, open_intents):
    """Return the message that a move makes of itself as the `n`-th one."""
    match move:
        case ("bar", who, short, mid, rl, atr, close):
            said = {"p_short": short, "p_mid": mid, "size_hint": rl, "atr": atr, "close": close}
            return features(n, 0.5, who, **said)
        case ("feed", who, condition):
            return feed(n, condition, who)
        case ("status", up):
            return status(n, up=up)
        case ("news", who, sentiment):
            return news(n, sentiment, who)
        case ("trading", state, flatten, scale):
            closes = flatten and state is TradingState.HALTED
            return trading(n, state=state, flatten=closes, cap_scales={"core": scale})
        case ("policy", short, cap, position):
            values = {"weight__short": short, "bucket_cap_pct__core": cap}
            return policy(n, **values, max_position_pct=position)
        case ("account", profit):
            made = account(n, day_pnl=Decimal(repr(profit)), day=n)
            return replace(made, ts_event=(n * 86_400 + 72_000) * SECOND)
        case ("answer", accepted) if open_intents:
            intent = open_intents.pop()
            if not accepted:
                return replace(denied(n), intent_id=intent.intent_id,
                               instrument_id=intent.instrument_id)  # fmt: skip
            return fill(n, intent.side, intent.quantity, 100, intent_id=intent.intent_id,
                        instrument_id=intent.instrument_id)  # fmt: skip
    return None


def live(history, check=lambda *_: None):
    """Let a new ensemble live through `history`; return it, what it heard and what it said."""
    made, past, open_intents = cell(SIP), [], []
    steps = [*opening(), *enumerate(history, 10)]
    for step in steps:
        message = step if not isinstance(step, tuple) else messages(*step, open_intents)
        if message is None:
            continue
        said = react(made, message, message.ts_event)
        past.append((message, said))
        open_intents += [one for one in said if isinstance(one, OrderIntent)]
        check(made.state, message, said)
    return made, past


def holds(state, message, said):
    """Hold what was said to the caps of its buckets, and to the mode it was said in."""
    scores = [one for one in said if isinstance(one, ScoreComputed)]
    for one in scores:
        assert one.score is None or 0 <= one.score <= 1
        rules = BUCKETS[bucket_of(one.instrument_id)]
        assert 0 <= one.size_fraction <= float(rules.name_pct) / 100 + 1e-15
        if one.mode in (Mode.DATA_STALL, Mode.NO_MODELS):
            assert (one.action, one.size_fraction) == (ScoreAction.HOLD, 0.0)
    for intent in said:
        if not isinstance(intent, OrderIntent):
            continue
        assert intent.quantity > 0
        if intent.reduce_only:
            assert intent.quantity == abs(state.positions[intent.instrument_id])
            continue
        entered(state, message, intent, scores)


def entered(state, message, intent, scores):
    ensemble, bucket = state.ensemble, bucket_of(intent.instrument_id)
    assert ensemble.trading.state is TradingState.ACTIVE
    assert intent.side is Side.BUY, "this desk takes no shorts"
    assert intent.instrument_id not in ensemble.stalled
    rules = BUCKETS[bucket]
    close = Decimal(repr(state.closes[intent.instrument_id][0]))
    held = state.positions.get(intent.instrument_id, Decimal(0))
    assert (held + intent.quantity) * close <= EQUITY * rules.name_pct / 100
    worth = sum(
        abs(state.positions.get(one, Decimal(0))) * Decimal(repr(state.closes[one][0]))
        for one in NAMES
        if bucket_of(one) == bucket and one in state.closes
    )
    assert worth + intent.quantity * close <= EQUITY * rules.cap_pct / 100
    if intent.reasons[0] == "sip":
        assert intent.instrument_id == SIP.instrument
        return
    (score,) = scores
    assert score.action is ScoreAction.BUY
    assert score.mode not in (Mode.DATA_STALL, Mode.NO_MODELS)
    assert intent.protection is not None
    assert intent.decision_id == message.decision_id


def bucket_of(instrument_id):
    return next(one.bucket for one in INSTRUMENTS if one.instrument_id == instrument_id)


histories = st.lists(moves, min_size=20, max_size=50)


@settings(deadline=None)
@given(histories)
def test_what_is_asked_for_holds_its_caps_its_mode_and_its_permissions(history):
    live(history, holds)


@settings(deadline=None)
@given(histories, st.booleans())
def test_a_restarted_ensemble_stands_where_it_stood(history, own_first):
    """Also where what it said is read back before, or after, all that it heard."""
    made, past = live(history)
    again = cell(SIP)
    heard = [(message, False) for message, _ in past]
    own = [(one, True) for _, said in past for one in said]
    for message, is_own in [*own, *heard] if own_first else [*heard, *own]:
        again.recover(message, own=is_own)
    wanted, found = shown(made.state.ensemble), shown(again.state.ensemble)
    assert found == wanted


def shown(ensemble):
    """Return what must not change: all but what is owed, which needs each fill after its intent."""
    return {
        "parameters": ensemble.parameters,
        "stalled": ensemble.stalled,
        "reasoner": ensemble.reasoner_online,
        "present": ensemble.present,
        "announced": ensemble.announced,
        "failing": ensemble.failing(),
        "asked": ensemble.asked,
        "day": ensemble.savings.day,
        "account": ensemble.account,
        "trading": ensemble.trading,
        "sentiments": ensemble.sentiments,
    }


@settings(deadline=None)
@given(histories)
def test_the_same_history_brings_about_the_same_words(history):
    first, second = live(history)[1], live(history)[1]
    assert [encoded(said) for _, said in first] == [encoded(said) for _, said in second]


def encoded(said):
    return [msgspec.json.encode(one) for one in said]
