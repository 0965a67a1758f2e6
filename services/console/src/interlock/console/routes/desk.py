"""The desk at a glance: state, positions, equity, bars, use against caps."""

from litestar import get

from interlock.console import controls, desk_views
from interlock.console.console import Console
from interlock.console.guards import needs
from interlock.console.plain import moment_of, text_of
from interlock.console.problems import unusable
from interlock.console.queries import account as account_queries
from interlock.console.routes.documented import PROBLEMS
from interlock.console.views.decisions import ControlsView
from interlock.console.views.desk import (
    BarsView,
    BarView,
    BucketsView,
    EquityView,
    PositionsView,
    RiskStatusView,
    StateView,
)
from interlock.console.views.people import Role

_LOOKS = [needs(Role.VIEWER)]


@get("/api/state", guards=_LOOKS, responses=PROBLEMS)
async def state(console: Console) -> StateView:
    """Say how the desk stands. It is answered with the bus and the tables away, too."""
    await console.look_up()
    return console.state_view()


@get("/api/positions", guards=_LOOKS, responses=PROBLEMS)
async def positions(console: Console) -> PositionsView:
    """List what is held, at its marks."""
    account = console.live.account
    items = [] if account is None else desk_views.positions(console.desk, account)
    return PositionsView(items=items)


@get("/api/equity", guards=_LOOKS, responses=PROBLEMS)
async def equity(console: Console, since: str | None = None) -> EquityView:
    """Return the equity curve since a moment of the desk's clock."""
    return await account_queries.equity(
        console.tables, console.desk.name, console.desk.account, moment_of("since", since)
    )


@get("/api/bars", guards=_LOOKS, responses=PROBLEMS)
async def bars(console: Console, instrument: str, since: str | None = None) -> BarsView:
    """Return the latest bars of an instrument, 2,000 at most."""
    name = text_of("instrument", instrument)
    if name is None:
        raise unusable("give an instrument")
    begin = moment_of("since", since)
    if not console.bars_read:
        await console.hearing.read_bars()
        console.bars_read = True
    found = [bar for bar in console.live.bars.get(name, ()) if bar.ts_event >= begin]
    return BarsView(
        instrument_id=name,
        bar_seconds=found[-1].bar_seconds if found else None,
        items=[
            BarView(
                ts_event=str(bar.ts_event),
                open=bar.open,
                high=bar.high,
                low=bar.low,
                close=bar.close,
                volume=bar.volume,
            )
            for bar in found
        ],
    )


@get("/api/controls", guards=_LOOKS, responses=PROBLEMS)
async def controls_now(console: Console) -> ControlsView:
    """List every control of the gate with its limit, its use now and its denials today."""
    denials = await account_queries.denials_since(
        console.tables, console.desk.name, console.day_began
    )
    limits = desk_views.gate_limits(console.live)
    account = console.live.account
    uses = {} if account is None else controls.uses_of_account(console.desk, limits, account)
    return controls.now(uses, limits, denials)


@get("/api/buckets", guards=_LOOKS, responses=PROBLEMS)
async def buckets(console: Console) -> BucketsView:
    """Return use against caps: by bucket, sector and name, and over the desk."""
    return desk_views.buckets(console.desk, console.live)


@get("/api/risk-status", guards=_LOOKS, responses=PROBLEMS)
async def risk_status(console: Console) -> RiskStatusView:
    """Return what bounds the desk's risk now."""
    await console.look_up()
    now = console.state_view()
    denials = await account_queries.denials_since(
        console.tables, console.desk.name, console.day_began
    )
    return RiskStatusView(
        trading_state=now.trading_state,
        standing=now.standing,
        stage=now.stage,
        kill_switch=now.kill_switch,
        demo_only=now.demo_only,
        quarantined_until=now.quarantined_until,
        kill_days=now.kill_days,
        equity=now.equity,
        day_pnl=now.day_pnl,
        day_pnl_pct=now.day_pnl_pct,
        drawdown_5d_pct=now.drawdown_5d_pct,
        modes=now.modes,
        buckets=desk_views.buckets(console.desk, console.live).items,
        denials_today={code: many for code, (many, _) in denials.items()},
    )


ROUTES = (state, positions, equity, bars, controls_now, buckets, risk_status)
