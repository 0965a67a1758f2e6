"""Saving: a share of each day's profit is set aside at the close, and moved into one instrument.

The first account at the close, or after it, sets the day's share aside; the next bar of the
instrument asks for it. The account itself does not: it is marked while policy may be changing, and
what the gate makes of an intent would hang on who is faster. What is set aside is owed until it has
been bought: a share of a small profit may be less than one lot, and an order may be denied. A day
is set aside once, whatever is heard twice and whoever restarts: all of it is folded from messages.
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
from interlock.wire.market import FeaturesComputed
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
    is_due
        Whether that day's share has still to be asked for.
    answered
        The message id of the features that are answered with an order, the last ones.
    pnl
        That day's profit.
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
    is_due: bool = False
    answered: str = ""
    pnl: Decimal = ZERO
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
        self.day, self.is_due, self.pnl = account.day, True, account.day_pnl
        if account.day_pnl.is_finite() and account.day_pnl > ZERO:
            self.owed += account.day_pnl * config.pct / _PERCENT

    def price(self, features: FeaturesComputed) -> None:
        """Note the bar at which a day's share is asked for: once, whatever comes of it."""
        if self.is_due and features.instrument_id == self.instrument_id:
            self.is_due, self.answered = False, features.message_id

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
