"""Attacks through files: the desk file's limits, and states and intents given to `gate check`."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from interlock.cli.main import app
from interlock.gate.config import InstrumentLimits
from interlock.model.desk import DeskConfig
from interlock.model.instrument import Instrument
from interlock.runtime.config import ConfigError, load_desk_file
from interlock.wire.build import build_of
from typer.testing import CliRunner

from tests.conformance.attack import APPROVED, Attack, in_folder, order, plain
from tests.conformance.world import DESK, LIMITS, START, World, codes, open_world

SHIPPED = Path(__file__).parents[2] / "deploy" / "desks" / "params.toml"
REFUSED = "refused, key named"

MISSING = {
    "max_gross_notional": "position.gross",
    "max_gross_pct": "position.gross_share",
    "max_net_pct": "position.net_share",
    "max_sector_pct": "position.sector",
    "collar_bps": "price.collar",
    "max_reference_age_seconds": "price.stale",
    "max_intent_age_seconds": "age.intent",
    "max_features_age_seconds": "age.features",
    "max_orders_per_second": "rate.second",
    "max_orders_per_minute": "rate.minute",
    "halt_orders_per_minute": "rate.runaway",
    "max_entries_without_person": "repeat.entries",
    "max_daily_loss_pct": "loss.day",
    "max_weekly_loss_pct": "loss.week",
    "max_drawdown_5d_pct": "loss.drawdown",
    "max_consecutive_losses": "loss.in_row",
    "min_cash": "cash.power",
    "max_day_notional": "cash.day",
    "fee_bps": "cash.power",
    "cooldown_seconds": "state.cooldown",
    "allowed_kinds": "permission.kind",
    "sides": "permission.side",
    "session": "permission.session",
    "buckets": "permission.group",
}
"""The control that denies where the limit is not there. `buckets` brings others with it."""
MISSING_OF_ONE = {
    "max_order_quantity": "size.quantity",
    "max_order_notional": "size.notional",
    "min_order_notional": "size.minimum",
    "max_position_notional": "position.notional",
}
MISSING_OF_BUCKET = {
    "max_gross_pct": "position.bucket",
    "max_name_pct": "position.name",
    "max_order_pct": "size.share",
}
ALL_MISSING = sorted(
    {*MISSING.values(), *MISSING_OF_ONE.values()} - {"position.notional"} | {"position.notional"}
)


def _gate(**limits: Any) -> World:
    return open_world(gate=limits)


def missing_limits() -> list[Attack]:
    name = "missing limits"
    found: list[Attack] = []
    for limit, code in MISSING.items():
        rest = {key: value for key, value in LIMITS.items() if key != limit}
        found.append(
            order(name, f"[gate] {limit}", code, fair=open_world,
                  world=lambda rest=rest: _gate(**rest))
        )  # fmt: skip
    for limit, code in MISSING_OF_ONE.items():
        one = msgspec.structs.replace(LIMITS["default_limits"], **{limit: None})
        found.append(
            order(name, f"[gate.default_limits] {limit}", code, fair=open_world,
                  world=lambda one=one: _gate(**LIMITS | {"default_limits": one}))
        )  # fmt: skip
    for limit, code in MISSING_OF_BUCKET.items():
        core = msgspec.structs.replace(LIMITS["buckets"]["core"], **{limit: None})
        found.append(
            order(name, f"[gate.buckets.core] {limit}", code, fair=open_world,
                  world=lambda core=core: _gate(**LIMITS | {"buckets": {"core": core}}))
        )  # fmt: skip
    return [
        *found,
        order("empty limit set", "no section [gate] at all", *ALL_MISSING, world=_gate,
              fair=open_world),
        order("empty limit set", "an instrument's own limits are empty",
              *MISSING_OF_ONE.values(), fair=open_world,
              world=lambda: _gate(**LIMITS | {"limits": {"SPY": InstrumentLimits()}})),
    ]  # fmt: skip


def wrong_keys() -> list[Attack]:
    unknown, unit = "unknown limit key in configuration", "unit mix-ups (percent, bps, fraction)"
    alias = "symbol aliases splitting one limit"
    return [
        _config(unknown, "max_order_notionals", "max_order_notionals = 1\n[gate]"),
        _config(unknown, "max_gros_notional", "max_gros_notional = 25000\n[gate]", "[gate]"),
        _config(unknown, "max_order_notionl", "max_order_notionl = 1", "max_order_notional = 7500"),
        _config(unknown, "max_name_pc", "max_name_pc = 27", "max_name_pct = 27"),
        _config(unit, "max_gross_pct", "max_gross_pct = 9500", "max_gross_pct = 95",
                "basis points for percent"),
        _config(unit, "max_daily_loss_pct", "max_daily_loss_pct = 500", "max_daily_loss_pct = 5",
                "basis points for a loss in percent"),
        _config(unit, "approval_seconds", "approval_seconds = 2000", "approval_seconds = 2",
                "milliseconds for seconds"),
        _config(unit, "collar_bps", "collar_bps = 50000", "collar_bps = 50",
                "more than all of the price"),
        _config(unit, "max_accept_rate", "max_accept_rate = 30", "max_accept_rate = 0.30",
                "percent for a fraction"),
        Attack(name=alias, how="two instruments of one spelling", expected=(REFUSED,),
               run=_two_spellings, control=plain),
        order("unit mix-ups (percent, bps, fraction)", "a loss limit as a fraction only tightens",
              "loss.day", fair=open_world, attack=_small_loss,
              world=lambda: _gate(**LIMITS | {"max_daily_loss_pct": Decimal("0.05")}),
              before=_small_loss, instrument_id="AAPL"),
    ]  # fmt: skip


def _small_loss(world: World) -> None:
    """Lose 30 of 30,000: a tenth of a percent."""
    if not world.venue.trades:
        assert not codes(world.ask(world.intent()))
        for name in list(world.venue.book):
            world.hear("exec", world.venue.fill(name, 10, Decimal(100)))
        world.sleep(1)
        world.market(97.0)


def _config(name: str, key: str, line: str, instead_of: str = "[gate]", how: str = "") -> Attack:
    """Return an attack on the shipped desk file: one line of it is another."""

    def read(folder: Path, *, attacked: bool) -> Sequence[str]:
        text = SHIPPED.read_text(encoding="utf-8")
        at = re.search(rf"^{re.escape(instead_of)}", text, re.MULTILINE)
        assert at is not None, instead_of
        fresh = text[: at.start()] + _put(line, instead_of) + text[at.end() :]
        path = folder / "params.toml"
        path.write_text(fresh if attacked else text, encoding="utf-8")
        return [_outcome(path, key)]

    def control() -> str:
        (got,) = in_folder(lambda folder: read(folder, attacked=False))
        return APPROVED if got == "read" else got

    return Attack(
        name=name, how=how or f"{key} for {instead_of.strip('[]')}", expected=(REFUSED,),
        run=lambda: in_folder(lambda folder: read(folder, attacked=True)), control=control,
    )  # fmt: skip


def _put(line: str, instead_of: str) -> str:
    return f"[gate]\n{line.removesuffix('[gate]')}" if instead_of == "[gate]" else line


def _outcome(path: Path, key: str) -> str:
    from interlock.cli.errors import CliError
    from interlock.cli.rooms import check_sections

    try:
        check_sections(load_desk_file(path, {}))
    except (ConfigError, CliError) as error:
        return REFUSED if key in str(error) else f"refused: {error}"
    return "read"


def _two_spellings() -> Sequence[str]:
    twice = [Instrument(instrument_id=name, venue="paper") for name in ("BTC/USD", "BTC-USD")]
    fields = {name: getattr(DESK, name) for name in DESK.__struct_fields__}
    try:
        DeskConfig(**fields | {"instruments": tuple(twice)})
    except ValueError as error:
        return [REFUSED if "BTC" in str(error) else str(error)]
    return ["taken"]


# `interlock gate check`.

NOW = START
STATE: dict[str, Any] = {
    "trading": "active", "epoch": 1, "reconciled": True, "policy_version": 1,
    "stored_policy_version": 1, "stored_epoch": 1,
    "stored_counts": {"approvals": 0, "notional_micros": 0},
    "counts": {"approvals": 0, "notional_micros": 0}, "standing": {},
    "references": {"SPY": {"price": "100", "ts_event": NOW}},
    "features": {"SPY": {"ts_event": NOW}}, "positions": {}, "working": [], "approved": [],
    "cash": "30000", "day_notional": "0",
    "equity": {"day_start": "30000", "week_start": "30000", "high": "30000", "losses_in_row": 0},
    "fills": {}, "approvals_at": [], "attempts_at": [], "entries": {},
}  # fmt: skip
INTENT: dict[str, Any] = {
    "type": "order.intent.v1", "message_id": "m", "decision_id": "d", "ts_event": NOW,
    "desk": "params", "intent_id": "i", "account": "paper-params", "venue": "paper",
    "strategy": "threshold", "instrument_id": "SPY", "side": "buy", "order_type": "market",
    "quantity": "10", "limit_price": None, "time_in_force": "day", "reduce_only": False,
    "reference_price": "100", "ts_market": NOW, "policy_version": 1, "reasons": [],
    "currency": "USD",
}  # fmt: skip


def checked_files() -> list[Attack]:
    numbers, price = (
        "NaN, infinite, negative, zero size or price",
        ("stale, crossed or missing reference price"),
    )
    unreadable, book = ("intent.unreadable",), ("state.reconciled",)
    found = [
        _checked(numbers, f"gate check: quantity {value!r}", *codes_, intent={"quantity": value})
        for value, codes_ in (
            ("NaN", ["size.number"]), ("-1", ["size.number"]), ("0", ["size.number"]),
            ("Infinity", ["size.number"]), (None, unreadable), (True, unreadable),
            ("ten", unreadable),
        )
    ]  # fmt: skip
    found += [
        _checked(price, "gate check: no price in the state", "price.reference",
                 state={"references": {}}),
        _checked(price, "gate check: a negative one", "price.reference",
                 state={"references": {"SPY": {"price": "-100", "ts_event": NOW}}}),
        _checked(price, "gate check: from tomorrow", "price.stale",
                 state={"references": {"SPY": {"price": "100", "ts_event": NOW + 10**14}}}),
    ]  # fmt: skip
    found += [
        _checked("deleting the halt or state file", f"gate check: {part} is not in the state",
                 *book, state={part: None})
        for part in ("positions", "working", "approved")
    ]  # fmt: skip
    found += [
        _checked("deleting the halt or state file", "gate check: an empty state",
                 "the state's own codes", state=dict.fromkeys(STATE)),
        _checked("gate restart in HALTED", "gate check: the state says halted", "state.trading",
                 state={"trading": "halted"}),
        _checked("store down during the check", "gate check: no answer of the store",
                 "state.policy_store",
                 state={"stored_policy_version": None, "stored_epoch": None,
                        "stored_counts": None}),
        _checked("same intent twice, in parallel, after restart", "gate check: approved before",
                 "duplicate.intent", state={"approved": ["i"]}),
        _checked("unknown limit key in configuration", "gate check: an unknown part of the state",
                 REFUSED, state={"bypass": True}),
    ]  # fmt: skip
    return found


def _checked(
    name: str,
    how: str,
    *expected: str,
    state: dict[str, Any] | None = None,
    intent: dict[str, Any] | None = None,
) -> Attack:
    if expected == ("the state's own codes",):
        expected = EMPTY_STATE

    def run() -> Sequence[str]:
        given = {key: value for key, value in (STATE | (state or {})).items() if value is not None}
        return in_folder(lambda folder: _check(folder, given, INTENT | (intent or {})))

    def control() -> str:
        got = in_folder(lambda folder: _check(folder, STATE, INTENT))
        return ", ".join(got) or APPROVED

    return Attack(name=name, how=how, expected=expected, run=run, control=control)


EMPTY_STATE = (
    "age.features", "loss.account", "price.reference", "state.policy_store",
    "state.reconciled", "state.trading", "version.policy",
)  # fmt: skip


def _check(folder: Path, state: dict[str, Any], intent: dict[str, Any]) -> Sequence[str]:
    """Return the codes of the one verdict that `interlock gate check` prints."""
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "intents.jsonl").write_text(json.dumps({"build": build_of(), **intent}) + "\n")
    words = ["gate", "check", "--desk", "params", "--now", str(NOW), "--json"]
    words += ["--state", str(folder / "state.json"), "--intents", str(folder / "intents.jsonl")]
    done = CliRunner().invoke(app, words)
    if done.exit_code not in (0, 1):
        return [REFUSED if "bypass" in str(done.exception) + done.output else done.output]
    verdict = json.loads(done.stdout)
    assert verdict["approved"] is (done.exit_code == 0)
    return [failure["code"] for failure in verdict["failures"]]


ATTACKS = [*wrong_keys(), *missing_limits(), *checked_files()]
