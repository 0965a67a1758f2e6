"""The gate's controls as people see them: what each holds to, and how much of it is used.

Theory of operation. The table of controls is the gate's and is copied into ``controls.json`` when
documents are generated. What was observed stands in a denial, for the controls that failed. Of the
others it is worked out again here, from the account as it was published before the order, with the
order filled, and the limits as the gate said them. Other open orders are in the gate's own book
only, so this may be less than it saw, and the gate's word stays the gate's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from interlock.console.desk_views import decimal_of, notional_of
from interlock.console.plain import money, share
from interlock.console.views.decisions import ControlHeld, ControlsView, ControlView
from interlock.console.views.orders import DenialView, OrderView
from interlock.model.desk import DeskConfig
from interlock.model.values import ZERO, Side
from interlock.wire.accounts import AccountUpdated, PositionLine

CONTROLS_FILE = "controls.json"
_HUNDRED = Decimal(100)
_LIMIT_OF = {
    "permission.kind": "allowed_kinds",
    "permission.side": "sides",
    "permission.session": "session",
    "permission.list": "do_not_trade",
    "price.stale": "max_reference_age_seconds",
    "price.collar": "collar_bps",
    "rate.second": "max_orders_per_second",
    "rate.minute": "max_orders_per_minute",
    "cash.day": "max_day_notional",
}
"""Where the limit of a control stands whose use only the gate can tell."""


class ControlText(Struct, frozen=True, kw_only=True):
    """One line of the gate's table."""

    code: str
    definition: str
    unit: str
    source: str
    level: str
    binds_reducing: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """What is used of a limit. `at_least`: the limit is a floor."""

    observed: Decimal
    limit: Decimal | None
    about: str = ""
    at_least: bool = False

    @property
    def headroom_pct(self) -> float | None:
        """What is left of the limit in percent of it; of a floor, what lies above it."""
        if self.limit is None:
            return None
        if self.at_least:
            return share(self.observed - self.limit, abs(self.observed) or None)
        return share(self.limit - self.observed, self.limit or None)

    @property
    def text(self) -> str:
        shown = money(round(self.observed, 4))
        return f"{shown} ({self.about})" if self.about else shown


@cache
def table() -> tuple[ControlText, ...]:
    """Return the gate's controls, in the order they are asked."""
    text = (files("interlock.console") / CONTROLS_FILE).read_bytes()
    return msgspec.json.decode(text, type=tuple[ControlText, ...])


def uses_of_account(
    desk: DeskConfig,
    limits: Mapping[str, Any],
    account: AccountUpdated,
    about: str | None = None,
) -> dict[str, Use]:
    """Return the use of each limit that an account tells about, by the control's code.

    Of names, buckets and sectors it is the tightest, or that of the instrument it is `about`.
    """
    start = account.equity_at_day_start
    uses = {
        "loss.day": Use(
            observed=_loss_pct(account.day_pnl, start),
            limit=decimal_of(limits.get("max_daily_loss_pct")),
        ),
        "loss.week": Use(
            observed=_loss_pct(account.week_pnl, account.equity_at_week_start),
            limit=decimal_of(limits.get("max_weekly_loss_pct")),
        ),
        "loss.drawdown": Use(
            observed=Decimal(str(account.drawdown_5d_pct)),
            limit=decimal_of(limits.get("max_drawdown_5d_pct")),
        ),
        "loss.in_row": Use(
            observed=Decimal(account.losses_in_row),
            limit=decimal_of(limits.get("max_consecutive_losses")),
        ),
        "cash.power": Use(
            observed=account.cash, limit=decimal_of(limits.get("min_cash")), at_least=True
        ),
    }
    return uses | _exposures(desk, limits, account, about)


def _loss_pct(pnl: Decimal, before: Decimal) -> Decimal:
    return max(ZERO, -_HUNDRED * pnl / before) if before else ZERO


def _exposures(
    desk: DeskConfig, limits: Mapping[str, Any], account: AccountUpdated, about: str | None
) -> dict[str, Use]:
    start = account.equity_at_day_start or account.equity
    names = {line.instrument_id: notional_of(desk, line) for line in account.positions}
    groups: dict[str, dict[str, Decimal]] = {
        "bucket": defaultdict[str, Decimal](Decimal),
        "sector": defaultdict[str, Decimal](Decimal),
    }
    for name, size in names.items():
        instrument = desk.instrument(name)
        if instrument is not None:
            groups["bucket"][instrument.bucket] += abs(size)
            groups["sector"][instrument.sector] += abs(size)
    gross = sum((abs(size) for size in names.values()), ZERO)
    net = abs(sum(names.values(), ZERO))
    own: dict[str, Any] = limits.get("limits") or {}
    usual: dict[str, Any] = limits.get("default_limits") or {}
    buckets: dict[str, Any] = limits.get("buckets") or {}

    def part(pct: object) -> Decimal | None:
        number = decimal_of(pct)
        return None if number is None else start * number / _HUNDRED

    def bucket_of(name: str) -> Mapping[str, Any]:
        instrument = desk.instrument(name)
        found: Mapping[str, Any] = buckets.get("" if instrument is None else instrument.bucket, {})
        return found

    asked = None if about is None else desk.instrument(about)
    if asked is not None:
        names = {asked.instrument_id: names.get(asked.instrument_id, ZERO)}
        groups = {
            "bucket": {asked.bucket: groups["bucket"].get(asked.bucket, ZERO)},
            "sector": {asked.sector: groups["sector"].get(asked.sector, ZERO)},
        }
    return {
        "position.gross": Use(observed=gross, limit=decimal_of(limits.get("max_gross_notional"))),
        "position.gross_share": Use(observed=gross, limit=part(limits.get("max_gross_pct"))),
        "position.net_share": Use(observed=net, limit=part(limits.get("max_net_pct"))),
        "position.sector": _tightest(
            (name, used, part(limits.get("max_sector_pct")))
            for name, used in groups["sector"].items()
        ),
        "position.bucket": _tightest(
            (name, used, part(buckets.get(name, {}).get("max_gross_pct")))
            for name, used in groups["bucket"].items()
        ),
        "position.name": _tightest(
            (name, abs(size), part(bucket_of(name).get("max_name_pct")))
            for name, size in names.items()
        ),
        "position.notional": _tightest(
            (name, abs(size), decimal_of(own.get(name, usual).get("max_position_notional")))
            for name, size in names.items()
        ),
    }


def _tightest(found: Iterable[tuple[str, Decimal, Decimal | None]]) -> Use:
    """Return the use that has the least headroom; nothing is held, nothing is used."""
    uses = [Use(observed=used, limit=limit, about=name) for name, used, limit in found]
    limited = [one for one in uses if one.headroom_pct is not None]
    if not limited:
        return uses[0] if uses else Use(observed=ZERO, limit=None)
    return min(limited, key=lambda one: one.headroom_pct or 0.0)


def with_order(account: AccountUpdated, order: OrderView) -> AccountUpdated:
    """Return the account as it would be with all of `order` filled at its reference price."""
    name, price = order.instrument_id, decimal_of(order.reference_price)
    wanted = decimal_of(order.quantity or order.requested_quantity)
    if name is None or price is None or not wanted or not order.side:
        return account
    held = next((one for one in account.positions if one.instrument_id == name), None)
    if held is None:
        held = PositionLine(
            instrument_id=name, quantity=ZERO, avg_px=price, mark=price, unrealised_pnl=ZERO
        )
    others = [one for one in account.positions if one.instrument_id != name]
    quantity = held.quantity + wanted * Side(order.side).sign
    return replace(account, positions=[*others, replace(held, quantity=quantity, mark=price)])


def uses_of_order(limits: Mapping[str, Any], order: OrderView) -> dict[str, Use]:
    """Return the use of each limit that an order alone tells about."""
    if order.requested_quantity is None or order.reference_price is None:
        return {}
    own: dict[str, Any] = limits.get("limits") or {}
    usual: dict[str, Any] = limits.get("default_limits") or {}
    rules: dict[str, Any] = own.get(order.instrument_id or "", usual)
    quantity = Decimal(order.requested_quantity)
    price = Decimal(order.limit_price or order.reference_price)
    return {
        "size.quantity": Use(observed=quantity, limit=decimal_of(rules.get("max_order_quantity"))),
        "size.notional": Use(
            observed=quantity * price, limit=decimal_of(rules.get("max_order_notional"))
        ),
        "size.minimum": Use(
            observed=quantity * price,
            limit=decimal_of(rules.get("min_order_notional")),
            at_least=True,
        ),
    }


def now(
    uses: Mapping[str, Use], limits: Mapping[str, Any], denials: Mapping[str, tuple[int, int]]
) -> ControlsView:
    """Return every control with what is used of it and how often it has denied today."""
    items = list[ControlView]()
    for control in table():
        use = uses.get(control.code)
        many, last = denials.get(control.code, (0, None))
        items.append(
            ControlView(
                code=control.code,
                definition=control.definition,
                unit=control.unit,
                source=control.source,
                level=control.level,
                binds_reducing=control.binds_reducing,
                limit=_limit_text(control.code, use, limits),
                observed=None if use is None else use.text,
                headroom_pct=None if use is None else use.headroom_pct,
                denials_today=many,
                last_denied_at=None if last is None else str(last),
            )
        )
    return ControlsView(items=items)


def _limit_text(code: str, use: Use | None, limits: Mapping[str, Any]) -> str | None:
    if use is not None:
        return None if use.limit is None else money(round(use.limit, 4))
    found = limits.get(_LIMIT_OF.get(code, ""))
    if found is None:
        return None
    return found if isinstance(found, str) else msgspec.json.encode(found).decode()


def held_against(
    order: OrderView, verdict: str, denials: Iterable[DenialView], uses: Mapping[str, Use]
) -> list[ControlHeld]:
    """Return every control as it was asked of an order: those that failed as the gate said it."""
    failed = {one.code: one for one in denials if one.intent_id == order.intent_id}
    known = {control.code for control in table()}
    lines = [
        _not_asked(control)
        if order.reduce_only and not control.binds_reducing and control.code not in failed
        else _held(control, failed.get(control.code), uses, verdict)
        for control in table()
    ]
    lines += [
        ControlHeld(
            code=one.code,
            definition="",
            unit="",
            level="",
            held=False,
            asked=True,
            observed=one.observed,
            limit=one.limit,
            headroom_pct=None,
        )
        for one in failed.values()
        if one.code not in known
    ]
    return lines


def _not_asked(control: ControlText) -> ControlHeld:
    return ControlHeld(
        code=control.code,
        definition=control.definition,
        unit=control.unit,
        level=control.level,
        held=True,
        asked=False,
        observed=None,
        limit=None,
        headroom_pct=None,
    )


def _held(
    control: ControlText, failure: DenialView | None, uses: Mapping[str, Use], verdict: str
) -> ControlHeld:
    use = uses.get(control.code) if failure is None and verdict != "pending" else None
    return ControlHeld(
        code=control.code,
        definition=control.definition,
        unit=control.unit,
        level=control.level,
        held=failure is None,
        asked=True,
        observed=failure.observed if failure else None if use is None else use.text,
        limit=failure.limit
        if failure
        else None
        if use is None or use.limit is None
        else money(round(use.limit, 4)),
        headroom_pct=_headroom_of(failure)
        if failure
        else None
        if use is None
        else use.headroom_pct,
    )


def _headroom_of(failure: DenialView) -> float | None:
    """Return by how much of its limit a control was overrun, where both are plain numbers."""
    observed = decimal_of(failure.observed.removesuffix(" %").strip())
    limit = decimal_of(failure.limit.removesuffix(" %").strip())
    if observed is None or limit is None or observed <= limit:
        return None
    return share(limit - observed, limit or None)
