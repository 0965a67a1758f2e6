"""What the tables hold for the scorecard, in a real PostgreSQL: asked as the command asks."""

import asyncio
import json
from decimal import Decimal

import msgspec
import pytest
from interlock.cli.main import app
from interlock.ledger import scorecard_queries
from interlock.ledger.adapters.postgres import PostgresTables
from interlock.ledger.config import LedgerConfig
from interlock.ledger.core import decide
from interlock.ledger.ensemble_scorecard import Share
from interlock.ledger.state import evolve, opening
from interlock.model.values import OrderType, Severity, Side
from interlock.runtime.loop import Recorded
from interlock.testkit.desk_messages import (
    ACCOUNT,
    DAY,
    DESK,
    SECOND,
    START,
    accepted,
    bar,
    fill,
    ids,
    intent,
    submitted,
    tick,
)
from interlock.wire.base import Message
from interlock.wire.catalogue import Stream
from interlock.wire.market import ReplayCounts, ReplayFinished
from interlock.wire.orders import OrderRejected
from interlock.wire.system import AlertRaised, SpanRow, SpansExported
from typer.testing import CliRunner

from tests.integration.test_ledger_postgres import keep, recorded

pytestmark = pytest.mark.servers


def child(n, parent):
    """Return the row of a protective order for the entry `il-<parent>`."""
    fields = {"parent": f"il-{parent}", "reduce_only": True, "order_type": OrderType.STOP}
    return msgspec.structs.replace(submitted(n, Side.SELL), **fields)


def rejected(n):
    order = submitted(n)
    names = ("account", "venue", "client_order_id", "intent_id", "instrument_id")
    fields = {name: getattr(order, name) for name in names}
    return OrderRejected(**ids("rejected", n), **fields, ts_event=n * SECOND, reason="no")


def spans(n, took_ms):
    """Return the spans of one decision: signals first, the gate's verdict after `took_ms`."""
    trace, begin = intent(n).decision_id, 10**18
    named = [("signals", "signals data.bar", 0, 1), ("gate", "gate order.intent", 1, took_ms)]
    return [
        SpanRow(
            trace_id=trace,
            span_id=f"{n}-{service}",
            parent_span_id="",
            service=service,
            name=name,
            started_at=begin + int(first * 1e6),
            ended_at=begin + int(last * 1e6),
            failed=False,
            attributes={},
        )
        for service, name, first, last in named
    ]


def two_days(*saved):
    """Return what a ledger hears and says on two days: two entries, one without its stop."""
    heard: list[Message] = [
        *(bar(0, 100.0), tick(0)),
        *(intent(1), submitted(1), accepted(1), fill(1, Side.BUY, 10, 100), child(2, 1)),
        *(intent(3), submitted(3), fill(3, Side.BUY, 5, 100), child(4, 3), rejected(4)),
        *(bar(5, 101.0), tick(5)),
        *(intent(6, Side.SELL), submitted(6, Side.SELL), fill(6, Side.SELL, 15, 102)),
        *saved,
        *(bar(7, 102.0), tick(7), tick(8, ts_event=8 * SECOND + DAY)),
    ]
    state, everything = opening(ACCOUNT, "USD", START, LedgerConfig()), list[Message]()
    for message in heard:
        evolve(state, message)
        everything.append(message)
        for said in decide(state, message, 0):
            if isinstance(said, Message):
                evolve(state, said)
                everything.append(said)
    return everything


async def kept(store, tmp_path, *more, saved=()):
    exported = msgspec.json.encode(SpansExported(spans=[*spans(1, 20.0), *spans(3, 40.0)]))
    told = Recorded(stream=Stream.TELEMETRY, subject="sys.spans.gate", body=exported, message=None)
    batch = [*recorded([*two_days(*saved), *more]), told]
    await keep(tmp_path / "journal.jsonl", PostgresTables(store), batch)


async def test_what_is_saved_of_a_days_profit_needs_no_stop(store, tmp_path):
    why = {"reasons": ["sip"]}
    asked = msgspec.structs.replace(intent(11), **why)
    sent = msgspec.structs.replace(submitted(11), **why)
    saved = [asked, sent, accepted(11), fill(11, Side.BUY, 1, 100)]
    await kept(store, tmp_path, saved=saved)
    seen = await scorecard_queries.seen(store, DESK, 5, "not named")
    assert seen.protected == Share(held=1, of=2)


async def test_s3_11_what_the_tables_say(store, tmp_path):
    await kept(store, tmp_path)
    seen = await scorecard_queries.seen(store, DESK, 5, "not named")
    (day,) = seen.days
    assert (day.fills, day.instruments[0].winners) == (3, 1)
    assert [(one.instrument_id, one.positions[0].quantity) for one in seen.bought] == [
        ("SPY", Decimal(15)), ("SPY", Decimal(15)),
    ]  # fmt: skip
    assert seen.protected == Share(held=1, of=2)
    assert seen.stops_waiting == 0
    assert (seen.orders, seen.order_ms) == (2, pytest.approx(39.8))
    assert seen.drawdown == pytest.approx(0.0)
    later = await scorecard_queries.seen(store, DESK, 5, "not named", since_ns=DAY)
    assert (later.days, later.bought, later.protected) == ([], [], Share(held=0, of=0))


async def test_s3_11_uptime_live_is_by_the_cadence_and_in_a_replay_by_the_clock(
    store,
    tmp_path,
):
    await kept(store, tmp_path)
    live = await scorecard_queries.seen(store, DESK, 1, "not named")
    assert live.uptime == Share(held=4, of=9)
    finished = ReplayFinished(
        **ids("finished"), ts_event=DAY, dataset="d",
        bars=ReplayCounts(read=1, published=1, dropped=0), ticks=4,
    )  # fmt: skip
    alert = AlertRaised(
        **ids("alert"), ts_event=1, service="exec", severity=Severity.CRITICAL,
        code="protection.waits", text="", dedupe_key="",
    )  # fmt: skip
    (tmp_path / "two").mkdir()
    await kept(store, tmp_path / "two", finished, alert)
    replayed = await scorecard_queries.seen(store, DESK, 1, "not named")
    assert replayed.uptime == Share(held=4, of=4)
    assert replayed.stops_waiting == 1


async def test_s3_11_the_command_fails_with_exit_1_and_says_what_is_not_known(
    database,
    store,
    tmp_path,
):
    await kept(store, tmp_path)
    text = """
[desk]
name = "params"
account = "paper-1"
venue = "paper"
cadence_seconds = 5
equity_usd = 30000
instruments = [{ instrument_id = "SPY", venue = "paper", bucket = "core" }]
[gate.buckets.core]
max_gross_pct = 90
[ledger.scorecard]
"""
    desk = tmp_path / "hybrid.toml"
    desk.write_text(text)
    words = ["scorecard", "--desk", str(desk), "--postgres", database.server.url]
    shown = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert shown.exit_code == 1, shown.output
    assert shown.stdout.startswith("desk params: FAIL, 1 sessions")
    assert "no set of models is named" in shown.stdout
    told = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--json"])
    assert told.exit_code == 1
    gates = {one["name"]: one for one in json.loads(told.stdout)["scorecard"]["gates"]}
    assert gates["sharpe"]["value"] is None
    assert gates["bucket_compliance"]["ok"]
    assert not gates["stop_execution"]["ok"]
    assert gates["order_time"]["ok"]
