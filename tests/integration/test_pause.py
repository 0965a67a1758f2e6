"""A person has no model asked any more, at the command line and over a real bus."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator

import pytest
from interlock.cli.main import app
from interlock.cli.process import identity
from interlock.cli.run_record import RunRecord, write_run_record
from interlock.escalation.adapters.calling import memory_budget, models_of
from interlock.escalation.app import build as build_escalation
from interlock.escalation.config import EscalationConfig
from interlock.local_reasoner.app import build as build_reasoner
from interlock.reasoning.endpoint import ProviderKind
from interlock.runtime.clock import DataClock
from interlock.runtime.loop import Loop, streams_of
from interlock.runtime.metrics import Metrics
from interlock.runtime.service import Cell, Service
from interlock.runtime.telemetry import Telemetry
from interlock.testkit.decisions import account, desk
from interlock.wire.catalogue import LEDGER
from interlock.wire.reasoning import EscalationTriggered
from typer.testing import CliRunner

from tests.unit.local_reasoner.reasoner_cells import caller, configured

pytestmark = pytest.mark.servers


@contextlib.asynccontextmanager
async def running(broker, service: Service) -> AsyncIterator[None]:
    """Run a service on a real bus, as it would by itself."""
    bus = await broker.bus(service.name)
    loop = Loop(
        cell=Cell(service, service.state),
        bus=bus,
        clock=DataClock(0),
        telemetry=Telemetry(service.name, {}),
        metrics=Metrics(),
        streams=streams_of(service.name),
    )
    await loop.recover()
    await loop.begin()
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


async def said(broker, *words):
    line = ["reason", *words, "--by", "ann", "--state", str(broker.state.root), "--json"]
    answer = await asyncio.to_thread(CliRunner().invoke, app, line)
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


async def test_a_pause_is_obeyed_near_and_far_and_outlives_a_restart(broker):
    small = desk()
    record = RunRecord(
        desk=small.name, started_at="", pid=os.getpid(), identity=identity(os.getpid()),
        servers={"nats": broker.url}, children={},
    )  # fmt: skip
    write_run_record(broker.state.run_file, record)
    config = EscalationConfig()

    def escalation():
        return build_escalation(small, config, models_of(config, memory_budget, {}))

    local = configured(provider=ProviderKind.NONE)
    async with running(broker, build_reasoner(small, local, caller(local))):
        async with running(broker, escalation()):
            paused = await said(broker, "pause", "--reason", "odd answers")
            assert (paused["paused"], paused["by"], paused["reason"]) == (
                True, "ann", "odd answers",
            )  # fmt: skip
        async with running(broker, escalation()):
            ledger = await broker.bus(LEDGER)
            await ledger.publish([account(1, drawdown_5d_pct=9.0)], {})
            async with asyncio.timeout(10):
                while not (found := await ledger.latest([EscalationTriggered])):
                    await asyncio.sleep(0.05)
            await ledger.close()
            assert isinstance(found[0], EscalationTriggered)
            assert (found[0].granted, found[0].reason) == (
                False, "models are not asked: paused by ann",
            )  # fmt: skip
        assert (await said(broker, "resume"))["paused"] is False
