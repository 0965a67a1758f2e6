"""A desk: what every service must know about the one it works for."""

import re
import unicodedata
from decimal import Decimal

from msgspec import Struct

from interlock.model.equity import DAY_STARTS_AT_UTC_HOUR, HOURS_PER_DAY
from interlock.model.instrument import Instrument
from interlock.model.values import TradingMode, require_positive

_SEPARATORS = re.compile(r"(?<=\w)[/\-_: ](?=\w)")


def plain_spelling(name: str) -> str:
    """Return what two spellings of one name share: ``BTC-USD``, ``btc/usd`` and ``BTCUSD`` do."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", name).strip().casefold())


class DeskConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[desk]``: what every service of a desk must know.

    `cadence_seconds` is the desk's heartbeat of decisions; `equity_usd` what it starts with, and
    `currency` the account's, in which every limit is counted. `day_starts_at_utc_hour` parts two
    trading days: 0 is right for an exchange that never closes.
    """

    name: str
    account: str
    venue: str
    instruments: tuple[Instrument, ...]
    cadence_seconds: int
    equity_usd: Decimal
    currency: str = "USD"
    mode: TradingMode = TradingMode.DEMO
    live_allowed: bool = False
    require_live_confirm: bool = True
    read_only: bool = False
    default_replay: str = ""
    day_starts_at_utc_hour: int = DAY_STARTS_AT_UTC_HOUR

    def __post_init__(self) -> None:
        require_positive("equity_usd", self.equity_usd)
        if not 0 <= self.day_starts_at_utc_hour < HOURS_PER_DAY:
            raise ValueError(
                f"day_starts_at_utc_hour must be 0 to 23, not {self.day_starts_at_utc_hour}"
            )
        if self.cadence_seconds < 1:
            raise ValueError(f"cadence_seconds must be at least 1, not {self.cadence_seconds}")
        if self.mode is TradingMode.LIVE and not self.live_allowed:
            raise ValueError("mode is live but live_allowed is not set")
        names = [name for one in self.instruments for name in (one.instrument_id, *one.aliases)]
        twice = {name for name in names if names.count(name) > 1}
        owners: dict[str, str] = {}
        for one in self.instruments:
            for name in (one.instrument_id, *one.aliases):
                if owners.setdefault(plain_spelling(name), one.instrument_id) != one.instrument_id:
                    twice.add(name)
        if twice:
            raise ValueError(
                f"{min(twice)} names more than one instrument: it would split a limit. "
                "Other spellings of an instrument are its aliases"
            )

    def instrument(self, instrument_id: str) -> Instrument | None:
        """Return the instrument of this id or alias, none where the desk does not know it."""
        for instrument in self.instruments:
            if instrument_id == instrument.instrument_id or instrument_id in instrument.aliases:
                return instrument
        return None
