"""What a person asks at the command line and what policy answers, over a real bus."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator

import pytest
from interlock.cli.main import app
from interlock.cli.process import identity
from interlock.cli.run_record import RunRecord, write_run_record
from interlock.model.desk import DeskConfig
from interlock.policy.app import build
from interlock.policy.config import ParameterLimits, PolicyConfig
from interlock.runtime.clock import DataClock
from interlock.runtime.loop import Loop, streams_of
from interlock.runtime.metrics import Metrics
from interlock.runtime.service import Cell
from interlock.runtime.signing import create_keys, load_rules_signer
from interlock.runtime.stores.rules import MemoryRulesStore
from interlock.runtime.telemetry import Telemetry
from interlock.testkit.approvals import asked
from interlock.testkit.decisions import account, desk, policy, reconciled
from interlock.wire.catalogue import EXEC, GATE, LEDGER, POLICY, STRATEGY
from interlock.wire.policy import PolicyChanged
from interlock.wire.system import TripLevel
from msgspec.structs import replace
from typer.testing import CliRunner

from tests.unit.policy.policy_cells import tripped

pytestmark = pytest.mark.servers

LIMITS = ParameterLimits(initial=1.0, lower=0.3, upper=3.0, max_step=0.2)


@contextlib.asynccontextmanager
async def policy_on(broker, small_desk: DeskConfig) -> AsyncIterator[Loop]:
    """A policy service on a real bus, its book equal to the venue's."""
    create_keys(broker.state.secrets)
    signer = load_rules_signer(broker.state.secrets)
    config = PolicyConfig(parameters={"threshold_bps": LIMITS})
    service = build(small_desk, config, "c0ffee", MemoryRulesStore(), signer)
    bus = await broker.bus(POLICY)
    loop = Loop(
        cell=Cell(service, service.state),
        bus=bus,
        clock=DataClock(0),
        telemetry=Telemetry(POLICY, {}),
        metrics=Metrics(),
        streams=streams_of(POLICY),
    )
    await loop.recover()
    await loop.begin()
    task = asyncio.create_task(loop.run())
    try:
        exec_bus = await broker.bus(EXEC)
        await exec_bus.publish([reconciled()], {})
        await exec_bus.close()
        yield loop
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


@contextlib.asynccontextmanager
async def people(broker, *earlier: PolicyChanged):
    """Return what runs the command line against a desk whose policy said `earlier` before."""
    small = desk()
    record = RunRecord(
        desk=small.name,
        started_at="",
        pid=os.getpid(),
        identity=identity(os.getpid()),
        servers={"nats": broker.url},
        children={},
    )
    write_run_record(broker.state.run_file, record)
    if earlier:
        bus = await broker.bus(POLICY)
        await bus.publish(list(earlier), {})
        await bus.close()

    async def run(*words, code=0):
        line = [*words, "--state", str(broker.state.root), "--json"]
        answer = await asyncio.to_thread(CliRunner().invoke, app, line)
        assert answer.exit_code == code, answer.output
        return json.loads(answer.stdout)

    async with policy_on(broker, small):
        yield run


def version(number: int, value: float) -> PolicyChanged:
    return replace(policy(number, value), message_id=f"version-{number}")


async def test_a_person_is_answered_by_the_standing_that_their_word_brought_about(broker):
    async with people(broker) as run:
        shown = await run("stage", "show")
        assert (shown["stage"], shown["demo_only"]) == ("demo", True)
        forced = await run("demo", "--by", "ann", "--reason", "I do not like it")
        assert (forced["forced_demo"], forced["author"]) == (True, "ann")
        assert forced["reason"] == "I do not like it"
        assert forced["latency_ms"] > 0
        again = await run("stage", "show")
        assert (again["epoch"], again["forced_demo"]) == (forced["epoch"], True)


async def test_s3_9_stage_show_lists_what_the_next_stage_needs(broker):
    async with people(broker) as run:
        assert (await run("stage", "show"))["promotion"] is None
        ledger = await broker.bus(LEDGER)
        await ledger.publish([account(3_600)], {})
        await ledger.close()
        async with asyncio.timeout(5):
            while (shown := (await run("stage", "show"))["promotion"]) is None:
                await asyncio.sleep(0.05)
        assert (shown["stage"], shown["next_stage"]) == ("demo", "demo_testing")
        needed = {one["name"]: (one["needed"], one["holds"]) for one in shown["criteria"]}
        assert needed == {
            "sessions": ("10", False),
            "sharpe": ("above 0.8", False),
            "drawdown": ("below 8 %", False),
            "escalations": ("below 1 a day", False),
        }


async def test_a_refusal_is_one_line_with_its_code_and_exit_1(broker):
    async with people(broker) as run:
        refused = await run("stage", "set", "demo_testing", "--by", "ann", code=1)
        assert refused["error"].startswith("refused, stage.criteria: sessions: 0 in a row")
        for words, code in (
            (("stage", "set", "demo"), "stage.unchanged"),
            (("stage", "set", "full"), "stage.skipped"),
            (("quarantine", "clear"), "quarantine.none"),
            (("strategies", "enable", "threshold"), "strategy.not_disabled"),
            (("policy", "rollback", "9"), "policy.unknown_version"),
            (("policy", "rollback", "1"), "policy.unchanged"),
        ):
            refused = await run(*words, "--by", "ann", code=1)
            assert f"refused, {code}: " in refused["error"]


async def test_i8_a_disabled_strategy_is_enabled_at_the_command_line(broker):
    async with people(broker) as run:
        gate = await broker.bus(GATE)
        await gate.publish([tripped(TripLevel.DISABLE, about="threshold")], {})
        await gate.close()
        async with asyncio.timeout(5):
            while (await run("stage", "show"))["disabled"] != ["threshold"]:
                await asyncio.sleep(0.05)
        enabled = await run("strategies", "enable", "threshold", "--by", "ann")
        assert (enabled["disabled"], enabled["author"]) == ([], "ann")


async def test_an_older_version_comes_back_as_a_new_one(broker):
    """What was signed with another key is said again at the start, and is a version of its own."""
    async with people(broker, version(1, 1.0), version(2, 1.2)) as run:
        back = await run("policy", "rollback", "1", "--by", "ann", "--reason", "it was better")
        assert (back["version"], back["parameters"]) == (4, {"threshold_bps": 1.0})
        assert [(one["old"], one["new"]) for one in back["changes"]] == [(1.2, 1.0)]
        assert (back["author"], back["reason"]) == ("ann", "back to version 1: it was better")


async def test_an_entry_is_approved_by_two_people_and_a_third_word_changes_nothing(broker):
    async with people(broker) as run:
        one, two = asked(1), asked(2, needed=2)
        strategy = await broker.bus(STRATEGY)
        await strategy.publish([one, two], {})
        await strategy.close()
        no = ("--by", "bob", "--reason", "not today")
        rejected = await run("approvals", "reject", one.request_id, *no)
        assert (rejected["state"], rejected["by"]) == ("rejected", ["bob"])
        refused = await run("approvals", "approve", one.request_id, "--by", "ann", code=1)
        assert "refused, approval.rejected: it ended before, rejected by bob" in refused["error"]
        for name in ("Ann", " ann "):
            half = await run("approvals", "approve", two.request_id, "--by", name)
            assert half == {
                "request_id": two.request_id, "state": "pending", "by": ["Ann"], "needed": 2,
            }  # fmt: skip
        for name in ("bob", "cy"):
            whole = await run("approvals", "approve", two.request_id, "--by", name)
            assert (whole["state"], whole["by"]) == ("approved", ["Ann", "bob"])
        refused = await run("approvals", "reject", two.request_id, *no, code=1)
        assert "refused, approval.approved" in refused["error"]
        unknown = await run("approvals", "approve", "nothing", "--by", "ann", code=1)
        assert "refused, approval.unknown: nobody has asked for 'nothing'" in unknown["error"]
        nobody = await run("approvals", "approve", two.request_id, "--by", "policy", code=1)
        assert "refused, command.unnamed" in nobody["error"]
