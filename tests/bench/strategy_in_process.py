"""The meta-ensemble's decision on a bar, in process, on a desk of twenty instruments.

Half of the bars ask for an order: all twenty are entered, filled, closed and entered again, so that
the room of a full bucket is summed up at each entry.
"""

import time
from collections.abc import Iterator
from decimal import Decimal

from interlock.model.desk import DeskConfig
from interlock.model.ids import NANOS_PER_SECOND, derive_id
from interlock.model.instrument import Instrument
from interlock.model.values import TradingState
from interlock.runtime.service import Cell
from interlock.strategy.app import build
from interlock.strategy.config import EngineKind, StrategyConfig
from interlock.strategy.ensemble.config import BucketRules, EnsembleConfig
from interlock.strategy.state import StrategyState
from interlock.testkit.cells import react
from interlock.testkit.decisions import account, policy, trading
from interlock.wire.base import Message
from interlock.wire.decisions import ScoreComputed
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import OrderFilled, OrderIntent

from tests.bench.report import Line, micros, percentile

SYMBOLS, ROUNDS = 20, 1_000
P50_TARGET, P99_TARGET = 100e-6, 300e-6
_LONG, _SHORT = 0.9, 0.1


def measure() -> Iterator[Line]:
    taken, orders = _measure()
    p50, p99 = percentile(taken, 0.5), percentile(taken, 0.99)
    yield Line(
        what=f"meta-ensemble decide, {SYMBOLS} instruments, in process",
        p50=micros(p50),
        p99=micros(p99),
        rate=f"{len(taken) / sum(taken):,.0f}/s",
        target="<= 100 us, <= 300 us",
        met=p50 <= P50_TARGET and p99 <= P99_TARGET,
        note=f"{orders:,} of {len(taken):,} bars asked for an order",
    )


def _measure() -> tuple[list[float], int]:
    desk = _desk()
    service = build(desk, _config())
    cell = Cell(service, service.state)
    for message in (policy(), trading(TradingState.ACTIVE), account(0, account=desk.account)):
        react(cell, message, 0)
    taken: list[float] = []
    orders = 0
    for number in range(ROUNDS):
        for instrument in desk.instruments:
            features = _features(desk, instrument.instrument_id, number)
            spent, said = _decided(cell, features)
            taken.append(spent)
            assert isinstance(said[0], ScoreComputed)
            for one in said:
                if isinstance(one, OrderIntent):
                    orders += 1
                    react(cell, one, one.ts_event)
                    react(cell, fill_of(one), one.ts_event)
    return taken, orders


def _decided(cell: Cell[StrategyState], features: FeaturesComputed) -> tuple[float, list[Message]]:
    began = time.perf_counter()
    said = react(cell, features, features.ts_event)
    return time.perf_counter() - began, said


def _desk() -> DeskConfig:
    instruments = [
        Instrument(instrument_id=f"S{n:02}", venue="paper", bucket="core", sector=f"sector-{n % 5}")
        for n in range(SYMBOLS)
    ]
    return DeskConfig(
        name="bench",
        account="bench",
        venue="paper",
        instruments=tuple(instruments),
        cadence_seconds=5,
        equity_usd=Decimal(1_000_000),
    )


def _config() -> StrategyConfig:
    core = BucketRules(cap_pct=Decimal(90), name_pct=Decimal("1.5"))
    return StrategyConfig(kind=EngineKind.ENSEMBLE, ensemble=EnsembleConfig(buckets={"core": core}))


def _features(desk: DeskConfig, name: str, number: int) -> FeaturesComputed:
    """Return a bar on which all voices agree, four long ones and then four short ones."""
    vote = _LONG if number % 8 < 4 else _SHORT
    message_id = derive_id("features", name, number)
    return FeaturesComputed(
        message_id=message_id,
        decision_id=message_id,
        ts_event=(number + 1) * 60 * NANOS_PER_SECOND,
        desk=desk.name,
        instrument_id=name,
        bar_seconds=60,
        close=100.0 + number % 7,
        atr=1.7,
        p_short=vote,
        p_mid=vote,
        size_hint=3.0 if vote == _LONG else -3.0,
        volatility_z=0.3,
        liquidity=0.9,
        correlation=0.7,
    )


def fill_of(intent: OrderIntent) -> OrderFilled:
    return OrderFilled(
        message_id=derive_id("fill", intent.intent_id), decision_id=intent.decision_id,
        ts_event=intent.ts_event, desk=intent.desk, account=intent.account, venue=intent.venue,
        client_order_id=f"il-{intent.intent_id}", intent_id=intent.intent_id,
        instrument_id=intent.instrument_id, venue_order_id="v", trade_id=f"t{intent.intent_id}",
        side=intent.side, last_qty=intent.quantity, last_px=intent.reference_price,
        cum_qty=intent.quantity, leaves_qty=Decimal(0), avg_px=intent.reference_price,
        fee=Decimal(0),
    )  # fmt: skip
