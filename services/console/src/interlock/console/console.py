"""The parts of the console, and what several routes ask of them."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from interlock.console import desk_views
from interlock.console.alerts.telling import Telling
from interlock.console.changes import Changes
from interlock.console.defaults import defaults
from interlock.console.desk_views import Dial, decimal_of
from interlock.console.hearing import Hearing
from interlock.console.order_book import OrderBook
from interlock.console.plain import maybe_money, money
from interlock.console.queries import judgement, models
from interlock.console.sessions import LoginRate, Sessions
from interlock.console.state import Live
from interlock.console.tables import Tables
from interlock.console.views.desk import BudgetsView, CloudCallsView, StateView
from interlock.model.desk import DeskConfig
from interlock.model.equity import trading_day
from interlock.runtime.errors import UnavailableError

_NANOS_PER_HOUR = 3_600_000_000_000
_HOURS_PER_DAY = 24
_ASKS_MODELS, _ESCALATES = "local_reasoner", "escalation"
_KEPT = 1
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Console:
    """What the routes work with. `folder` is the desk's state folder, `sections` its desk file."""

    desk: DeskConfig
    sections: Mapping[str, Mapping[str, Any]]
    folder: Path
    tables: Tables
    live: Live
    hearing: Hearing
    changes: Changes
    sessions: Sessions
    allowed_hosts: frozenset[str]
    dial: Dial
    login_rate: LoginRate = field(default_factory=LoginRate)
    book: OrderBook = field(default_factory=OrderBook)
    budgets: BudgetsView | None = None
    sessions_over: list[int] = field(default_factory=list[int])
    bars_read: bool = False
    telling: Telling | None = None

    @property
    def day(self) -> int:
        """The desk's trading day, counted from 1970."""
        return trading_day(self.live.moment, self.desk.day_starts_at_utc_hour)

    @property
    def day_began(self) -> int:
        """When the desk's trading day began, on its own clock (UNIX ns)."""
        hour = self.desk.day_starts_at_utc_hour
        return max(0, (self.day * _HOURS_PER_DAY + hour) * _NANOS_PER_HOUR)

    @property
    def escalates(self) -> bool:
        return _ESCALATES in self.sections

    @property
    def cloud(self) -> Mapping[str, Any]:
        """Section ``[escalation.cloud]`` as it is written, empty where there is none."""
        found: Mapping[str, Any] = self.sections.get(_ESCALATES, {}).get("cloud") or {}
        return found

    async def budgets_now(self) -> BudgetsView:
        """Return model calls and costs of the trading day.

        Raises
        ------
        UnavailableError
            When the tables cannot be asked.
        """
        calls, usd = await models.spent(self.tables, self.desk.name, self.day_began)
        section = self.sections.get(_ASKS_MODELS, {})
        limit = section.get("budget_calls_per_day")
        usd_limit: Decimal | None = decimal_of(section.get("budget_usd_per_day"))
        self.budgets = BudgetsView(
            calls_today=calls,
            calls_limit=limit if isinstance(limit, int) else None,
            usd_today=money(usd),
            usd_limit=maybe_money(usd_limit),
            cloud=await self._cloud_calls() if self.escalates else None,
        )
        return self.budgets

    async def _cloud_calls(self) -> CloudCallsView:
        section = self.sections.get(_ESCALATES, {})
        asked = self.tables, self.desk.name
        return CloudCallsView(
            calls_today=await judgement.calls_granted(*asked, self.day),
            calls_limit=int(section.get("max_calls_per_day", defaults().cloud_calls_per_day)),
            kept=_KEPT,
            usd_today=money(await models.spent_on_cloud(*asked, self.day_began)),
            usd_limit=maybe_money(decimal_of(self.cloud.get("budget_usd_per_day"))),
        )

    @property
    def kill_rule(self) -> Mapping[str, Any]:
        """Section ``[policy.kill]`` as it is written, empty where there is none."""
        found: Mapping[str, Any] = self.sections.get("policy", {}).get("kill") or {}
        return found

    @property
    def kill_window_days(self) -> int:
        days = self.kill_rule.get("window_days")
        return days if isinstance(days, int) else defaults().kill_window_days

    @property
    def kill_days(self) -> list[str]:
        sessions = [*self.sessions_over, self.day]
        return desk_views.kill_days(self.live, sessions, self.kill_window_days)

    async def look_up(self) -> None:
        """Read what stands above every page and only the tables know; keep it where they do not."""
        try:
            await self.budgets_now()
            self.sessions_over = await judgement.sessions_over(
                self.tables, self.desk.name, self.kill_window_days
            )
        except UnavailableError as error:
            _log.debug("%s", error)

    def state_view(self) -> StateView:
        return desk_views.state_view(
            self.desk,
            self.live,
            self.folder,
            self.budgets,
            self.dial,
            self.kill_days,
            bus_up=self.hearing.up,
            database_up=self.tables.up,
        )
