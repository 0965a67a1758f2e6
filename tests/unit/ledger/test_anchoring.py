"""When the ledger anchors its journal, and what it says when it cannot."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from interlock.ledger import anchoring
from interlock.ledger.anchoring import Anchoring
from interlock.model.values import Severity, TradingState
from interlock.runtime.anchors import Occasion, find_anchors, read_anchors
from interlock.runtime.journal import Entry, Journal, first_row
from interlock.runtime.loop import Recorded
from interlock.runtime.signing import throwaway_signer
from interlock.testkit.decisions import trading
from interlock.wire.catalogue import Stream

KEY = throwaway_signer()
LONG = 60.0


class World:
    def __init__(self, folder, interval=LONG):
        self.alerts = []
        self.folder = folder / "anchors"
        self.journal = Journal(folder / "journal" / "journal.jsonl", sign=KEY.sign)
        self.anchoring = Anchoring(
            journal=self.journal, desk="params", folder=self.folder, signer=KEY,
            now=lambda: 7, say=self.say, interval_seconds=interval,
        )  # fmt: skip

    async def say(self, alert):
        self.alerts.append(alert)

    def record(self, message=None):
        self.journal.append([Entry("DESK", "evt.test", b"{}")])
        self.anchoring.notice(
            [Recorded(stream=Stream.DESK, subject="evt.test", body=b"{}", message=message)]
        )

    def occasions(self):
        path = find_anchors(self.folder, first_row(self.journal.path).hash, KEY.key_id)
        return [] if path is None else [(one.seq, one.occasion) for one in read_anchors(path)]

    async def until(self, done):
        async with asyncio.timeout(5):
            while not done():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def keeping(world):
    task = asyncio.create_task(world.anchoring.keep())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_first_rows_and_a_halt_are_anchored_at_once(tmp_path):
    world = World(tmp_path)
    async with keeping(world):
        world.record()
        await world.until(lambda: world.occasions() == [(1, Occasion.START)])
        world.record(trading(TradingState.ACTIVE))
        world.record(trading(TradingState.HALTED))
        await world.until(lambda: len(world.occasions()) == 2)
    assert world.occasions() == [(1, Occasion.START), (3, Occasion.HALT)]


async def test_a_head_that_moved_is_anchored_when_the_time_is_over_and_one_that_did_not_is_not(
    tmp_path,
):
    world = World(tmp_path, interval=0.02)
    async with keeping(world):
        world.record()
        await world.until(lambda: len(world.occasions()) == 1)
        world.record()
        await world.until(lambda: len(world.occasions()) == 2)
        await asyncio.sleep(0.1)
    assert world.occasions() == [(1, Occasion.START), (2, Occasion.MINUTE)]


async def test_the_last_row_is_anchored_at_the_end(tmp_path):
    world = World(tmp_path)
    world.record()
    await world.anchoring.close()
    assert world.occasions() == [(1, Occasion.CLOSE)]


async def test_an_empty_journal_has_nothing_to_anchor(tmp_path):
    world = World(tmp_path)
    await world.anchoring.close()
    assert not world.folder.exists()


async def test_a_second_place_that_fails_is_a_critical_alert_and_is_tried_again(
    tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(anchoring, "RETRY_SECONDS", 0.02)
    world = World(tmp_path)
    world.folder.write_text("no folder")
    async with keeping(world):
        world.record()
        await world.until(lambda: world.alerts)
        await asyncio.sleep(0.1)
        world.folder.unlink()
        await world.until(lambda: len(world.occasions()) == 1)
    (alert,) = world.alerts
    assert (alert.severity, alert.code) == (Severity.CRITICAL, "journal.anchor")
    assert str(world.folder) in alert.text
