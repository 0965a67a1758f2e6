"""A desk that may hold a quarter of its equity, through a crash, on the paper venue."""

from pathlib import Path

import pytest
from interlock.runtime.bus.memory import MemoryBus, MemoryServer
from interlock.runtime.config import load_desk_file

from tests.replay.test_same_decisions import (
    DESK_FILE,
    assert_same,
    slice_of,
    with_backtest,
    with_loops,
)

TRIMMED = """[strategy]
max_exposure_pct = 25
slice_notional = 1500
slice_seconds = 86400
"""


@pytest.fixture
def file(tmp_path):
    path = Path(tmp_path) / "trimmed.toml"
    path.write_text(DESK_FILE.read_text().replace("[strategy]\n", TRIMMED))
    return load_desk_file(path, {})


async def test_a_replay_trims_what_is_too_much_and_both_drivers_agree(file, tmp_path):
    replay = slice_of("crash-2008", 600, tmp_path)
    said = with_backtest(file, replay)
    asked = said["order.intent.v1"]
    trims = {one["intent_id"]: one for one in asked if one["reasons"][0] == "trim"}
    assert trims
    for one in trims.values():
        assert one["reduce_only"]
        assert one["post_only"]
        assert float(one["quantity"]) * float(one["reference_price"]) <= 1_500
    fills = [one for one in said["order.filled.v1"] if one["intent_id"] in trims]
    ends = [one for one in said["order.canceled.v1"] if one["intent_id"] in trims]
    assert fills
    assert ends
    assert said["exec.cancel.v1"]
    worth = [
        sum(abs(float(line["quantity"])) * float(line["mark"]) for line in one["positions"])
        / float(one["equity"])
        for one in said["account.updated.v1"]
    ]
    assert max(worth) > 0.25
    server = MemoryServer()

    async def bus_of(service):
        return MemoryBus(server, service)

    assert_same(said, await with_loops(file, replay, tmp_path / "state", bus_of))
