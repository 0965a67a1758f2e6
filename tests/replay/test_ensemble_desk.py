"""A desk of the meta-ensemble through a crash, on every driver, with forecasts made up of momentum.

The models are stood in for where they would speak: between the indicators and the bus.
"""

import dataclasses
from collections import Counter
from math import tanh
from pathlib import Path

import pytest
from interlock.runtime.bus.memory import MemoryBus, MemoryServer
from interlock.runtime.config import load_desk_file
from interlock.signals import app as signals
from interlock.wire.market import FeaturesComputed
from msgspec.structs import replace

from tests.replay.test_same_decisions import (
    DESK_FILE,
    assert_same,
    slice_of,
    with_backtest,
    with_loops,
)

DAY = 86_400 * 1_000_000_000
ENSEMBLE = """
[strategy.sip]
instrument = "GOOG"
pct = 25

[strategy.ensemble]
stop_atr = 0.9
trail_atr = 0.6

[strategy.ensemble.buckets.core]
cap_pct = 70
name_pct = 20
"""
ASKED_FOR_IN_VAIN = {
    "position.name",
    "position.bucket",
    "position.gross",
    "position.gross_share",
    "position.net_share",
    "position.reduce_only",
    "permission.short",
    "permission.strategy",
    "state.trading",
}
"""Denials that the strategy can foresee: it must not ask for them."""


def forecast(said):
    """Return features with three voices that follow the momentum; one is silent now and then."""
    if not isinstance(said, FeaturesComputed) or said.momentum_bps is None:
        return said
    louder, day = tanh(said.momentum_bps / 300), said.ts_event // DAY
    silent = day % 40 < 3
    return replace(
        said,
        p_short=0.5 + louder / 2,
        p_mid=0.5 + louder / 3,
        size_hint=None if silent else 3 * louder,
        liquidity=1.0,
        missing_models=("size_hint",) if silent else (),
    )


@pytest.fixture
def forecasts(monkeypatch):
    build = signals.build

    def with_voices(config, desk):
        service = build(config, desk)

        def decide(state, heard, now):
            return [forecast(one) for one in service.decide(state, heard, now)]

        return dataclasses.replace(service, decide=decide)

    monkeypatch.setattr(signals, "build", with_voices)


@pytest.fixture
def file(tmp_path):
    path = Path(tmp_path) / "ensemble.toml"
    text = (
        DESK_FILE.read_text().replace("[strategy]\n", '[strategy]\nkind = "ensemble"\n') + ENSEMBLE
    )
    path.write_text(text)
    return load_desk_file(path, {})


@pytest.mark.usefixtures("forecasts")
def test_each_bar_is_scored_and_what_is_asked_for_is_not_denied(file, tmp_path):
    said = with_backtest(file, slice_of("crash-2008", 1_200, tmp_path))
    bars = Counter(one["instrument_id"] for one in said["data.features.v1"])
    scores = Counter(one["instrument_id"] for one in said["strategy.score.v1"])
    del bars["GOOG"]
    assert scores == bars
    entries = [one for one in said["order.intent.v1"] if one["reasons"][0] == "entry"]
    assert len(entries) > 5
    assert all(one["protection"]["stop"] for one in entries)
    assert all(one["protection"] is None for one in said["order.intent.v1"] if one["reduce_only"])
    denied = Counter(
        failure["code"] for one in said["order.denied.v1"] for failure in one["failures"]
    )
    assert not ASKED_FOR_IN_VAIN & denied.keys(), denied


@pytest.mark.usefixtures("forecasts")
def test_stops_stand_for_every_entry_that_filled_and_some_are_reached(file, tmp_path):
    said = with_backtest(file, slice_of("crash-2008", 1_200, tmp_path))
    entries = {one["intent_id"] for one in said["order.intent.v1"] if one["reasons"][0] == "entry"}
    filled = {one["intent_id"] for one in said["order.filled.v1"]} & entries
    protected = {
        one["parent"].removeprefix("il-") for one in said["order.submitted.v1"] if one["parent"]
    }
    assert filled
    assert filled <= protected
    stops = {one["intent_id"] for one in said["order.submitted.v1"] if one["parent"]}
    assert stops & {one["intent_id"] for one in said["order.filled.v1"]}


@pytest.mark.usefixtures("forecasts")
def test_a_silent_model_is_told_once_as_it_begins_and_once_as_it_ends(file, tmp_path):
    said = with_backtest(file, slice_of("crash-2008", 1_200, tmp_path))
    changes = [
        one["begun"] for one in said["strategy.mode-changed.v1"]
        if one["mode"] == "predictors_only"
    ]  # fmt: skip
    assert len(changes) >= 4
    assert changes == [True, False] * (len(changes) // 2) + [True] * (len(changes) % 2)
    texts = [one["text"] for one in said["alert.raised.v1"]]
    assert texts.count("RL models unavailable, reduced sizes") == sum(changes)


@pytest.mark.usefixtures("forecasts")
def test_a_share_of_each_profit_is_saved_once_a_day(file, tmp_path):
    said = with_backtest(file, slice_of("crash-2008", 1_200, tmp_path))
    saved = [one for one in said["order.intent.v1"] if one["reasons"][0] == "sip"]
    days = [one["ts_event"] // DAY for one in saved]
    assert saved
    assert len(days) == len(set(days))
    assert {one["instrument_id"] for one in saved} == {"GOOG"}


@pytest.mark.usefixtures("forecasts")
async def test_the_memory_bus_and_the_backtest_decide_alike(file, tmp_path):
    replay = slice_of("crash-2008", 600, tmp_path)
    server = MemoryServer()

    async def bus_of(service):
        return MemoryBus(server, service)

    ours = with_backtest(file, replay)
    assert ours["order.filled.v1"]
    assert_same(ours, await with_loops(file, replay, tmp_path / "state", bus_of))


@pytest.mark.servers
@pytest.mark.usefixtures("forecasts")
async def test_nats_and_the_backtest_decide_alike(file, tmp_path, broker):
    replay = slice_of("crash-2008", 160, tmp_path)
    ours = with_backtest(file, replay)
    assert ours["strategy.score.v1"]
    assert_same(ours, await with_loops(file, replay, tmp_path / "desk", broker.bus))
