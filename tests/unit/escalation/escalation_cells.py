"""An escalation room under test: its desk, its messages, and what it says."""

from decimal import Decimal

from interlock.escalation.adapters.calling import memory_budget, models_of
from interlock.escalation.app import build
from interlock.escalation.config import EscalationConfig
from interlock.escalation.snapshot import Snapshot
from interlock.escalation.state import evolve
from interlock.model.desk import DeskConfig
from interlock.model.instrument import Instrument
from interlock.model.values import TradingState
from interlock.reasoning.endpoint import EndpointConfig, ProviderKind
from interlock.testkit.cells import cell_of, react
from interlock.testkit.desk_messages import ACCOUNT, SECOND, ids
from interlock.wire.accounts import AccountUpdated, PositionChanged
from interlock.wire.decisions import Mode, ScoreAction, ScoreComputed
from interlock.wire.market import FeaturesComputed, PutCallRatioObserved
from interlock.wire.policy import PolicyChanged, TradingStateChanged
from interlock.wire.reasoning import EscalationTriggered, Trigger

DAY_SECONDS = 86_400
START = Decimal(100_000)
PARAMETERS = {
    "weight.short": 0.4,
    "weight.mid": 0.3,
    "weight.rl": 0.3,
    "bucket_cap_pct.penny": 2.0,
    "bucket_cap_pct.fno": 5.0,
    "bucket_cap_pct.core": 90.0,
    "reward.returns": 1.0,
    "reward.turnover": 0.1,
    "reward.drawdown": 0.5,
    "turnover.penalty_rate": 0.001,
    "feature.rsi": 1.0,
    "feature.macd": 1.0,
    "max_position_pct": 1.5,
    "stop_atr": 1.8,
    "trail_atr": 1.2,
}
DESK = DeskConfig(
    name="hybrid",
    account=ACCOUNT,
    venue="paper",
    instruments=(
        Instrument(instrument_id="IBM", venue="paper", bucket="core", sector="technology"),
        Instrument(instrument_id="MSFT", venue="paper", bucket="core", sector="technology"),
        Instrument(instrument_id="TINY.V", venue="paper", bucket="penny", sector="mining"),
        Instrument(instrument_id="SPY-C", venue="paper", bucket="fno", sector="index"),
    ),
    cadence_seconds=5,
    equity_usd=START,
    day_starts_at_utc_hour=0,
)
NONE = EndpointConfig(provider=ProviderKind.NONE)
RULES = EndpointConfig(provider=ProviderKind.RULES)


def config(**changes):
    return EscalationConfig(**changes)


def cell(configured=None):
    configured = configured or config()
    service = build(DESK, configured, models_of(configured, memory_budget, {}))
    return cell_of(service)


def numbers(**known):
    return Snapshot(**known)


def named(kind, *parts):
    return {**ids(kind, *parts), "desk": "hybrid"}


def account(day, pnl_pct=0.0, second=36_000, *, drawdown=0.0, start=START, **more):
    """Return the account `second` seconds into a trading day, its profit in percent."""
    n = day * DAY_SECONDS + second
    pnl = start * Decimal(str(pnl_pct)) / 100
    fields = {
        **named("account", n),
        "ts_event": n * SECOND,
        "account": ACCOUNT,
        "currency": "USD",
        "equity": start + pnl,
        "cash": start,
        "realised_pnl": Decimal(0),
        "unrealised_pnl": Decimal(0),
        "fees": Decimal(0),
        "day_pnl": pnl,
        "window_pnl": Decimal(0),
        "equity_at_day_start": start,
        "positions": [],
        "ts_desk": n * SECOND,
        "day": day,
        "drawdown_5d_pct": drawdown,
    }
    return AccountUpdated(**(fields | more))


def features(n, instrument_id="IBM", close=100.0, **known):
    return FeaturesComputed(
        **named("features", instrument_id, n),
        ts_event=n * SECOND,
        instrument_id=instrument_id,
        bar_seconds=60,
        close=close,
        **known,
    )


def score(n, value, instrument_id="IBM"):
    return ScoreComputed(
        **named("score", instrument_id, n),
        ts_event=n * SECOND,
        instrument_id=instrument_id,
        p_short=value,
        p_mid=value,
        size_hint=0.0,
        weights={},
        penalties={},
        base=value,
        score=value,
        action=ScoreAction.HOLD,
        size_fraction=0.0,
        mode=Mode.FULL,
        features_id=features(n, instrument_id).message_id,
    )


def market(z, correlation, n=1):
    """Return features of every instrument with this volatility and this correlation."""
    return [
        features(n, one.instrument_id, volatility_z=z, correlation=correlation)
        for one in DESK.instruments
    ]


def put_call(ratio, day=1):
    fields = named("put-call", ratio, day)
    del fields["desk"]
    at = day * DAY_SECONDS * SECOND
    return PutCallRatioObserved(**fields, ts_event=at, source="cboe", ratio=ratio, as_of="")


def parameters(**values):
    return PolicyChanged(
        **named("policy", *values.items()),
        ts_event=0,
        version=1,
        parameters=PARAMETERS | values,
        changes=[],
        author="configuration",
        reason="first start",
        proposal_id=None,
        config_hash="",
    )


def killed(day, epoch=1, second=36_000):
    return TradingStateChanged(
        **named("killed", day, epoch),
        ts_event=(day * DAY_SECONDS + second) * SECOND,
        state=TradingState.HALTED,
        epoch=epoch,
        author="policy",
        reason="kill rule: -2.60 %",
        kill_days=[day],
    )


def position(n, instrument_id, quantity, *, price=100, realised=0, closed=False):
    return PositionChanged(
        **named("position", n),
        ts_event=n * SECOND,
        account=ACCOUNT,
        instrument_id=instrument_id,
        trade_id=f"t-{n}",
        quantity=Decimal(quantity),
        avg_px=Decimal(price),
        realised_pnl=Decimal(realised),
        entry_px=Decimal(price),
        exit_px=Decimal(price) if closed else None,
    )


def say(room, message):
    """Let `message` happen at its own moment; return what was said to it."""
    return react(room, message, message.ts_event)


def tell(room, *messages):
    for message in messages:
        say(room, message)


def evolve_all(room, *messages):
    """Let the room hear messages without answering them; return its state."""
    for message in messages:
        room.state = evolve(room.state, message)
    return room.state


def of(kind, said):
    return [message for message in said if isinstance(message, kind)]


def fired(said):
    """Return what fired, and whether its call was granted."""
    return {one.trigger: one.granted for one in of(EscalationTriggered, said)}


def fires(said, trigger: Trigger):
    return trigger in fired(said)
