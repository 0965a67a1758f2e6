"""A model that hangs, behind real HTTP, in a running service: everything else goes on."""

import asyncio
import contextlib

from interlock.local_reasoner.adapters.asking import Asking
from interlock.local_reasoner.app import build
from interlock.runtime.bus.memory import MemoryBus, MemoryServer
from interlock.runtime.clock import DataClock
from interlock.runtime.loop import Loop, streams_of
from interlock.runtime.metrics import Metrics
from interlock.runtime.service import Cell
from interlock.runtime.telemetry import Telemetry
from interlock.testkit.stub_model import Say, StubModel
from interlock.wire.catalogue import FEED, LEDGER, REASONER, Stream
from interlock.wire.reasoning import PostMortemSource, PostMortemWritten, SentimentJudged

from tests.unit.local_reasoner.reasoner_cells import caller, configured, day, desk, news, tick

HANGS = Say('{"sentiment": 0, "confidence": 0}', after_seconds=3_600)
WRITES = Say('{"root_cause": "IBM fell.", "recommendations": ["Hold less."]}')


async def test_s3_while_one_question_hangs_cadences_pass_and_others_are_answered():
    server = MemoryServer()
    async with StubModel([HANGS, WRITES]) as stub, contextlib.AsyncExitStack() as stack:
        config = configured(provider="ollama", model="stub-1", base_url=stub.ollama_url)
        model = caller(config)
        stack.push_async_callback(model.close)

        def tell(report):
            # The loop, which hears it, is made after this.
            loop.report(report)

        asking = Asking(model, tell)
        stack.push_async_callback(asking.close)
        service = build(desk(), config, model, asking)
        loop = Loop(
            cell=Cell(service, service.state),
            bus=MemoryBus(server, REASONER),
            clock=DataClock(0),
            telemetry=Telemetry(REASONER, {}),
            metrics=Metrics(),
            streams=streams_of(REASONER),
        )
        await loop.begin()
        running = asyncio.create_task(loop.run())
        stack.callback(running.cancel)
        feed, ledger = MemoryBus(server, FEED), MemoryBus(server, LEDGER)

        await feed.publish([news(), tick(1)], {})
        while not stub.requests:
            await asyncio.sleep(0.001)
        await feed.publish([news("2"), tick(2), tick(3)], {})
        await ledger.publish([day()], {})
        async with asyncio.timeout(20):
            while not (written := _said(server, PostMortemWritten)):
                assert not running.done(), running.exception()
                await asyncio.sleep(0.001)

        assert (written[0].source, written[0].root_cause) == (PostMortemSource.LOCAL, "IBM fell.")
        assert loop.handled == 6
        assert len(stub.requests) == 2
        assert _said(server, SentimentJudged) == []


def _said(server, kind):
    return [row.message for row in server.rows(Stream.DESK) if isinstance(row.message, kind)]
