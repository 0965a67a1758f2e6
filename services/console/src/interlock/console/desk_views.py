"""The desk at a glance, from what it has said last."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from interlock.console.plain import finite, maybe_money, money, share
from interlock.console.state import Live
from interlock.console.views.desk import (
    AccountView,
    BucketsView,
    BudgetsView,
    DialView,
    KillSwitchView,
    ModeView,
    PositionView,
    StateView,
    UseView,
    VenueLinkView,
    VolatilityView,
)
from interlock.model.desk import DeskConfig
from interlock.model.values import ZERO, TradingMode, TradingState
from interlock.runtime.switch_file import read_kill_file, read_switch
from interlock.wire.accounts import AccountUpdated, PositionLine
from interlock.wire.decisions import Mode

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HUNDRED = Decimal(100)
DIAL_LEVELS = 4
FEATURE, WEIGHT, REWARD, CAP = "feature.", "weight.", "reward.", "bucket_cap_pct."
"""How policy's parameters of a desk with models are named: what each kind's names begin with."""
_UNKNOWN = "unknown"
_NORMAL_Z, _HIGH_Z, _EXTREME_Z = 0.0, 1.0, 2.0


def day_text(day: int) -> str:
    """Return a trading day, counted from 1970, as people write it."""
    try:
        return (_EPOCH + timedelta(days=day)).date().isoformat()
    except OverflowError:
        return str(day)


def day_number(text: str) -> int:
    """Return a trading day, counted from 1970; ValueError where it is not written as `day_text`."""
    return (date.fromisoformat(text) - _EPOCH.date()).days


def kill_switch(folder: Path) -> KillSwitchView:
    """Read the switch from the disk: it is true with every server dead."""
    switch = read_switch(folder)
    return KillSwitchView(
        pressed=switch.pressed,
        way=switch.way,
        by=switch.by,
        reason=switch.reason,
        seen_at=str(switch.seen_at),
        cancelled=switch.cancelled,
        left=switch.left,
        file_there=read_kill_file(folder) is not None,
    )


def volatility(live: Live) -> VolatilityView:
    """Return the widest z-score of the desk's instruments."""
    scores = [
        (one.volatility_z, name)
        for name, one in live.features.items()
        if finite(one.volatility_z) is not None
    ]
    if not scores:
        return VolatilityView(label=_UNKNOWN, z=None, instrument_id="")
    z, name = max(scores, key=lambda one: one[0] or 0.0)
    assert z is not None
    label = "calm"
    for floor, word in ((_NORMAL_Z, "normal"), (_HIGH_Z, "high"), (_EXTREME_Z, "extreme")):
        if z > floor:
            label = word
    return VolatilityView(label=label, z=round(z, 4), instrument_id=name)


def positions(desk: DeskConfig, account: AccountUpdated) -> list[PositionView]:
    return [_position(desk, account, line) for line in account.positions if line.quantity]


def _position(desk: DeskConfig, account: AccountUpdated, line: PositionLine) -> PositionView:
    instrument = desk.instrument(line.instrument_id)
    notional = notional_of(desk, line)
    return PositionView(
        account=account.account,
        instrument_id=line.instrument_id,
        bucket="" if instrument is None else instrument.bucket,
        sector="" if instrument is None else instrument.sector,
        quantity=money(line.quantity),
        avg_px=money(line.avg_px),
        mark=money(line.mark),
        notional=money(notional),
        share_pct=share(notional, account.equity),
        unrealised_pnl=money(line.unrealised_pnl),
    )


def notional_of(desk: DeskConfig, line: PositionLine) -> Decimal:
    instrument = desk.instrument(line.instrument_id)
    multiplier = Decimal(1) if instrument is None else instrument.multiplier
    return line.quantity * line.mark * multiplier


def account_view(desk: DeskConfig, account: AccountUpdated) -> AccountView:
    return AccountView(
        ts_event=str(account.ts_event),
        account=account.account,
        currency=account.currency,
        equity=money(account.equity),
        cash=money(account.cash),
        realised_pnl=money(account.realised_pnl),
        unrealised_pnl=money(account.unrealised_pnl),
        fees=money(account.fees),
        day_pnl=money(account.day_pnl),
        day_pnl_pct=share(account.day_pnl, account.equity_at_day_start),
        week_pnl=money(account.week_pnl),
        drawdown_5d_pct=account.drawdown_5d_pct,
        losses_in_row=account.losses_in_row,
        positions=positions(desk, account),
    )


def numbers_under(parameters: dict[str, float], prefix: str) -> dict[str, float]:
    """Return the parameters whose name begins with `prefix`, by the rest of their name."""
    return {
        name.removeprefix(prefix): value
        for name, value in sorted(parameters.items())
        if name.startswith(prefix)
    }


def kill_days(live: Live, sessions: Iterable[int], window_days: int) -> list[str]:
    """Return the kill days that still count.

    Policy says them whenever something changes; since then sessions have passed. `sessions` are
    the latest ones, the current one included.
    """
    if live.trading is None:
        return []
    known = set(sessions)
    return [
        day_text(day)
        for day in live.trading.kill_days
        if sum(one > day for one in known) < window_days
    ]


def modes(live: Live) -> list[ModeView]:
    """Return the failure modes in force, the oldest first."""
    begun = [one for one in live.modes.values() if one.begun and one.mode is not Mode.FULL]
    return [
        ModeView(
            mode=one.mode,
            since=str(one.ts_event),
            reason=one.reason,
            by_silence=one.by_silence,
        )
        for one in sorted(begun, key=lambda one: (one.ts_event, one.mode))
    ]


@dataclass(frozen=True, slots=True)
class Dial:
    """The parameter that the dial moves, and its value at each level, the most careful first."""

    parameter: str
    levels: tuple[float, ...]


def dial_of(parameter: str, limits: Mapping[str, Any]) -> Dial:
    """Return the dial over a parameter's hard limits, evenly; without limits it has no levels."""
    lower, upper = decimal_of(limits.get("lower")), decimal_of(limits.get("upper"))
    if lower is None or upper is None or lower >= upper:
        return Dial(parameter, ())
    step = (upper - lower) / (DIAL_LEVELS - 1)
    return Dial(
        parameter, tuple(round(float(lower + step * level), 4) for level in range(DIAL_LEVELS))
    )


def dial_view(dial: Dial, parameters: Mapping[str, float]) -> DialView | None:
    """Return where the dial stands, none where the desk has nothing that it moves."""
    value = parameters.get(dial.parameter)
    if value is None or not dial.levels:
        return None
    return DialView(
        parameter=dial.parameter,
        levels=list(dial.levels),
        value=value,
        level=dial.levels.index(value) if value in dial.levels else None,
    )


def state_view(
    desk: DeskConfig,
    live: Live,
    folder: Path,
    budgets: BudgetsView | None,
    dial: Dial,
    killed: list[str],
    *,
    bus_up: bool,
    database_up: bool,
) -> StateView:
    """Return what stands above every page. Before the first word a desk is halted."""
    trading, account, policy = live.trading, live.account, live.policy
    parameters = {} if policy is None else policy.parameters
    return StateView(
        desk=desk.name,
        account=desk.account,
        venue=desk.venue,
        instruments=[one.instrument_id for one in desk.instruments],
        mode=desk.mode,
        live=desk.mode is TradingMode.LIVE,
        stage="" if trading is None else trading.stage,
        standing=None if trading is None else trading.standing,
        trading_state=TradingState.HALTED if trading is None else trading.state,
        trading_reason="nothing heard yet" if trading is None else trading.reason,
        trading_author="" if trading is None else trading.author,
        epoch=0 if trading is None else trading.epoch,
        kill_switch=kill_switch(folder),
        equity=None if account is None else money(account.equity),
        cash=None if account is None else money(account.cash),
        day_pnl=None if account is None else money(account.day_pnl),
        day_pnl_pct=None
        if account is None
        else share(account.day_pnl, account.equity_at_day_start),
        week_pnl=None if account is None else money(account.week_pnl),
        drawdown_5d_pct=None if account is None else account.drawdown_5d_pct,
        volatility=volatility(live),
        policy_version=None if policy is None else policy.version,
        policy_changed_at=None if policy is None else str(policy.ts_event),
        demo_only=trading is not None and trading.demo_only,
        quarantined_until=day_text(trading.quarantined_until)
        if trading is not None and trading.quarantined_until
        else None,
        kill_days=killed,
        disabled_strategies=[] if trading is None else trading.disabled,
        feed={name: one.condition for name, one in sorted(live.feed.items())},
        venue_link=[
            VenueLinkView(account=one.account, venue=one.venue, up=one.up, reason=one.reason)
            for one in live.links.values()
        ],
        reconciliation_breaks=[text for book in live.books.values() for text in book.breaks],
        budgets=budgets,
        reasoner_paused=live.reasoner is not None and live.reasoner.paused,
        reasoner_up=live.local_model is None or live.local_model.up,
        reasoner_reason="" if live.local_model is None else live.local_model.reason,
        modes=modes(live),
        regime="" if live.regime is None else live.regime.regime_label,
        do_not_trade=[] if policy is None else policy.do_not_trade,
        parameters=parameters,
        dial=dial_view(dial, parameters),
        features={n: value > 0 for n, value in numbers_under(parameters, FEATURE).items()},
        weights=numbers_under(parameters, WEIGHT),
        rewards=numbers_under(parameters, REWARD),
        caps=numbers_under(parameters, CAP),
        desk_time=str(live.moment),
        bus_up=bus_up,
        database_up=database_up,
    )


def gate_limits(live: Live) -> dict[str, Any]:
    """Return section ``[gate]`` as the gate took it; empty before it has said so."""
    if live.gate is None:
        return {}
    found: dict[str, Any] = msgspec.json.decode(live.gate.gate_section)
    return found


def decimal_of(value: object) -> Decimal | None:
    """Return a configured number, none where it is not set."""
    if value is None:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def buckets(desk: DeskConfig, live: Live) -> BucketsView:
    """Return the use of each cap by what is held; open orders are the gate's own book."""
    account = live.account
    if account is None:
        return BucketsView(items=[], open_risk="0")
    limits = gate_limits(live)
    start = account.equity_at_day_start or account.equity
    by_bucket, by_sector = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
    names: list[UseView] = []
    gross = net = ZERO
    bucket_limits: dict[str, dict[str, Any]] = limits.get("buckets") or {}
    scales = {} if live.trading is None else live.trading.cap_scales
    for line in account.positions:
        size = notional_of(desk, line)
        instrument = desk.instrument(line.instrument_id)
        bucket = "" if instrument is None else instrument.bucket
        by_bucket[bucket] += abs(size)
        by_sector["" if instrument is None else instrument.sector] += abs(size)
        gross, net = gross + abs(size), net + size
        pct = decimal_of(bucket_limits.get(bucket, {}).get("max_name_pct"))
        names.append(_use("name", line.instrument_id, abs(size), _part(pct, start, scales, bucket)))
    for bucket in bucket_limits:
        by_bucket[bucket] += ZERO
    items = [
        _use(
            "bucket",
            bucket,
            used,
            _part(
                decimal_of(bucket_limits.get(bucket, {}).get("max_gross_pct")),
                start,
                scales,
                bucket,
            ),
        )
        for bucket, used in sorted(by_bucket.items())
    ]
    sector_pct = decimal_of(limits.get("max_sector_pct"))
    items += [
        _use("sector", sector, used, _part(sector_pct, start, {}, ""))
        for sector, used in sorted(by_sector.items())
        if sector
    ]
    items += sorted(names, key=lambda one: one.name)
    items += [
        _use("desk", "gross", gross, _part(decimal_of(limits.get("max_gross_pct")), start, {}, "")),
        _use("desk", "net", abs(net), _part(decimal_of(limits.get("max_net_pct")), start, {}, "")),
        _use("desk", "notional", gross, decimal_of(limits.get("max_gross_notional"))),
    ]
    return BucketsView(items=items, open_risk=money(gross))


def _part(
    pct: Decimal | None, start: Decimal, scales: dict[str, float], bucket: str
) -> Decimal | None:
    if pct is None:
        return None
    scale = scales.get(bucket, scales.get("*", 1.0))
    return start * pct / _HUNDRED * Decimal(str(scale))


def _use(kind: str, name: str, used: Decimal, limit: Decimal | None) -> UseView:
    return UseView(
        kind=kind,
        name=name,
        used=money(used),
        limit=maybe_money(None if limit is None else round(limit, 2)),
        used_pct=share(used, limit),
    )
