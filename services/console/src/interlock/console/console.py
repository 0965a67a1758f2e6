"""The parts of the console, and what several routes ask of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from interlock.console import desk_views
from interlock.console.alerts.telling import Telling
from interlock.console.changes import Changes
from interlock.console.desk_views import decimal_of
from interlock.console.hearing import Hearing
from interlock.console.order_book import OrderBook
from interlock.console.plain import maybe_money, money
from interlock.console.queries import models
from interlock.console.sessions import LoginRate, Sessions
from interlock.console.state import Live
from interlock.console.tables import Tables
from interlock.console.views.desk import BudgetsView, StateView
from interlock.model.desk import DeskConfig
from interlock.model.equity import trading_day
from interlock.runtime.errors import UnavailableError

_NANOS_PER_HOUR = 3_600_000_000_000
_HOURS_PER_DAY = 24
_ASKS_MODELS = "local_reasoner"


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
    login_rate: LoginRate = field(default_factory=LoginRate)
    book: OrderBook = field(default_factory=OrderBook)
    budgets: BudgetsView | None = None
    bars_read: bool = False
    telling: Telling | None = None

    @property
    def day_began(self) -> int:
        """When the desk's trading day began, on its own clock (UNIX ns)."""
        hour = self.desk.day_starts_at_utc_hour
        day = trading_day(self.live.moment, hour)
        return max(0, (day * _HOURS_PER_DAY + hour) * _NANOS_PER_HOUR)

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
        )
        return self.budgets

    async def budgets_if_known(self) -> BudgetsView | None:
        """Return the same; what was known last where the tables cannot be asked."""
        try:
            return await self.budgets_now()
        except UnavailableError:
            return self.budgets

    def state_view(self) -> StateView:
        return desk_views.state_view(
            self.desk,
            self.live,
            self.folder,
            self.budgets,
            bus_up=self.hearing.up,
            database_up=self.tables.up,
        )
