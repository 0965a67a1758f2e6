"""Saving: a share of each day's profit is set aside at the close, and moved into one instrument.

What is set aside is owed until it has been bought: a share of a small profit may be less than one
lot, and an order may be denied. A day is set aside once, whatever is heard twice and whoever
restarts: the last day is folded from the account's own messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.model.instrument import Instrument
from interlock.model.values import ZERO
from interlock.strategy.ensemble.config import SipConfig
from interlock.wire.accounts import AccountUpdated
from interlock.wire.orders import OrderFilled, OrderIntent

REASON = "sip"
_PERCENT = Decimal(100)
_FIRST_DAY = datetime(1970, 1, 1, tzinfo=UTC)
_HALF_A_DAY = timedelta(hours=12)


@dataclass(slots=True, kw_only=True)
class Savings:
    """What one desk saves; without a configuration, nothing.

    Parameters
    ----------
    day_starts_at_utc_hour
        Where one trading day ends and the next begins.
    day
        The last trading day whose share was set aside.
    due
        The message id of the account at that day's close: what is answered with an order.
    owed
        What was set aside and is not bought yet, in the account's currency.
    asked
        The intent id of the last order for it.
    multiplier
        What one unit of the instrument is worth at a price of one, in the account's currency.
    """

    day_starts_at_utc_hour: int
    config: SipConfig | None = None
    multiplier: Decimal = Decimal(1)
    day: int | None = None
    due: str = ""
    owed: Decimal = ZERO
    asked: str = ""

    @property
    def instrument_id(self) -> str:
        return "" if self.config is None else self.config.instrument

    def configure(self, config: SipConfig | None, instruments: Mapping[str, Instrument]) -> None:
        self.config = config
        if config is not None:
            self.multiplier = instruments[config.instrument].multiplier

    def mark(self, account: AccountUpdated) -> None:
        """Set a day's share aside, at the first account at its close or later."""
        config = self.config
        if config is None or (self.day is not None and account.day <= self.day):
            return
        if account.ts_event < close_of(account.day, self.day_starts_at_utc_hour, config):
            return
        self.day, self.due = account.day, account.message_id
        if account.day_pnl.is_finite() and account.day_pnl > ZERO:
            self.owed += account.day_pnl * config.pct / _PERCENT

    def intend(self, intent: OrderIntent) -> None:
        if intent.reasons[:1] == [REASON]:
            self.asked = intent.intent_id

    def fill(self, fill: OrderFilled) -> None:
        """Count what was bought as no longer owed."""
        if self.asked and fill.intent_id == self.asked:
            spent = fill.last_qty * fill.last_px * self.multiplier
            self.owed = max(self.owed - spent, ZERO)


def close_of(day: int, day_starts_at_utc_hour: int, config: SipConfig) -> UnixNanos:
    """Return the moment at which a trading day (days since 1970) closes."""
    zone = ZoneInfo(config.time_zone)
    begins = _FIRST_DAY + timedelta(days=day, hours=day_starts_at_utc_hour)
    # The middle of a trading day lies on its own date, wherever the day begins.
    date = (begins + _HALF_A_DAY).astimezone(zone).date()
    closes = datetime.combine(date, config.close, zone)
    return int(closes.timestamp()) * NANOS_PER_SECOND
