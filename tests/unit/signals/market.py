"""The public-domain stocks as bars, and what signals say of them."""

from decimal import Decimal

from interlock.model.desk import DeskConfig
from interlock.model.instrument import Instrument
from interlock.signals.app import build
from interlock.signals.ports import Forecast
from interlock.venues.replay import open_replay
from interlock.wire.base import root_ids
from interlock.wire.market import Bar, FeaturesComputed

SECTORS = {"AAPL": "technology", "IBM": "technology", "MSFT": "technology", "GOOG": "media"}


def desk(*names):
    return DeskConfig(
        name="hybrid",
        account="paper",
        venue="paper",
        instruments=tuple(
            Instrument(instrument_id=name, venue="paper", sector=SECTORS.get(name, ""))
            for name in names
        ),
        cadence_seconds=5,
        equity_usd=Decimal(30_000),
    )


def bar_of(row, bar_seconds=86_400):
    message_id, decision_id = root_ids(Bar, row.symbol, row.ts_complete)
    return Bar(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=row.ts_complete,
        instrument_id=row.symbol,
        source="replay",
        bar_seconds=bar_seconds,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
    )


def bars_of(dataset, *names, first=None):
    bars = [bar_of(row) for row in open_replay(dataset, names or None).rows()]
    return bars if first is None else bars[:first]


def service_of(config, models=None, names=("AAPL", "GOOG", "IBM", "MSFT")):
    return build(config, desk(*names), models)


def heard_by(service, messages):
    """Tell the messages one by one; return the features said, forecasts performed."""
    said = []
    state = service.state
    for message in messages:
        state = service.evolve(state, message)
        for one in service.decide(state, message, 0):
            if isinstance(one, Forecast):
                (report,) = service.perform(one)
                state = service.evolve(state, report)
                said += service.decide(state, report, 0)
            else:
                said.append(one)
    assert all(isinstance(one, FeaturesComputed) for one in said)
    return said
