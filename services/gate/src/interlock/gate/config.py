"""Section ``[gate]`` of a desk file. A limit that is not set denies every order."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from interlock.gate.session import Session
from interlock.model.values import InstrumentKind, Side, require_not_negative, require_positive

MOST_LEVERAGE_PCT = Decimal(1_000)
"""Above ten times the equity a percentage is taken for another unit."""
MOST_LOSS_PCT = Decimal(100)
MOST_BPS = Decimal(10_000)
MOST_SECONDS = 366 * 86_400
MOST_COUNT = 1_000_000
MOST_APPROVAL_SECONDS = 60


_AGES = (
    "max_reference_age_seconds",
    "max_intent_age_seconds",
    "max_features_age_seconds",
    "cooldown_seconds",
)
_HOW_MANY = (
    "max_orders_per_second",
    "max_orders_per_minute",
    "halt_orders_per_minute",
    "max_entries_without_person",
    "max_consecutive_losses",
)


def _amounts(limits: Struct, names: tuple[str, ...], most: Decimal | None = None) -> None:
    """Refuse what is no amount, and what can only be meant in another unit."""
    for name in names:
        value = getattr(limits, name)
        if value is None:
            continue
        require_positive(name, value)
        if most is not None and value > most:
            raise ValueError(f"{name} must be at most {most}, not {value}: is it another unit?")


def _counts(limits: Struct, names: tuple[str, ...], least: int, most: int) -> None:
    for name in names:
        value = getattr(limits, name)
        if value is not None and not least <= value <= most:
            bound = f"at least {least}" if value < least else f"at most {most}"
            raise ValueError(f"{name} must be {bound}, not {value}")


class InstrumentLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of one instrument; notionals in the account's currency."""

    max_order_quantity: Decimal | None = None
    max_order_notional: Decimal | None = None
    min_order_notional: Decimal | None = None
    max_position_notional: Decimal | None = None

    def __post_init__(self) -> None:
        _amounts(self, ("max_order_quantity", "max_order_notional", "max_position_notional"))
        if self.min_order_notional is not None:
            require_not_negative("min_order_notional", self.min_order_notional)


class BucketLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of the instruments of one bucket, in percent of the equity at the day's first mark.

    Parameters
    ----------
    max_gross_pct, max_name_pct, max_order_pct
        All of the bucket together, one instrument of it, one order.
    long_only
        Whether no position of the bucket may go below zero.
    min_price, min_adv_notional
        In the instrument's own currency. Rules of one desk: they hold where they are set.
    max_spread_bps
        The same, in 1/10,000 of the price.
    """

    max_gross_pct: Decimal | None = None
    max_name_pct: Decimal | None = None
    max_order_pct: Decimal | None = None
    long_only: bool = True
    min_price: Decimal | None = None
    min_adv_notional: Decimal | None = None
    max_spread_bps: Decimal | None = None

    def __post_init__(self) -> None:
        pcts = ("max_gross_pct", "max_name_pct", "max_order_pct")
        _amounts(self, pcts, MOST_LEVERAGE_PCT)
        _amounts(self, ("min_price", "min_adv_notional"))
        _amounts(self, ("max_spread_bps",), MOST_BPS)


class EdgeLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an intent must claim for itself: probability 0 to 1, a ratio, percent of the price."""

    min_p_win: float
    min_reward_risk: float
    min_expected_value_pct: float

    def __post_init__(self) -> None:
        if not 0 <= self.min_p_win <= 1:
            raise ValueError(f"min_p_win must be 0 to 1, not {self.min_p_win}")
        if not 0 <= self.min_reward_risk <= MOST_COUNT:
            raise ValueError(
                f"min_reward_risk must be 0 to {MOST_COUNT}, not {self.min_reward_risk}"
            )
        if not abs(self.min_expected_value_pct) <= float(MOST_LOSS_PCT):
            raise ValueError(
                f"min_expected_value_pct must be -100 to 100, not {self.min_expected_value_pct}"
            )


class GateConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits, ages and permissions. What is none denies.

    Seconds are the data's time. Names end in their unit: ``pct`` is percent of the equity at the
    day's first mark, ``bps`` 1/10,000 of the price, ``notional`` the account's currency.

    Parameters
    ----------
    default_limits, limits
        For the desk's own instruments; `limits` replaces the default for one of them.
    buckets
        By the name that the desk's instruments give as theirs.
    max_gross_pct, max_net_pct, max_sector_pct, max_gross_notional
        Position, working and unknown orders, worst case per side.
    max_orders_per_second, max_orders_per_minute, halt_orders_per_minute
        The first two count approvals and deny; the last counts attempts and halts.
    max_entries_without_person
        Approved orders that are not reduce-only, per strategy, until a person enables it again.
    max_daily_loss_pct, max_weekly_loss_pct, max_drawdown_5d_pct, max_consecutive_losses
        Realised and unrealised, on marks. Past one of them only reducing orders pass.
    min_cash, max_day_notional, fee_bps
        What must be left when every open order has filled at its worst price and paid its fee, and
        what may be approved in one day.
    cooldown_seconds
        How long after a fill an instrument rests.
    session
        ``"always"`` or the hours of the exchange.
    do_not_trade
        Ids, aliases or sectors. Policy may name more.
    """

    default_limits: InstrumentLimits = InstrumentLimits()
    limits: dict[str, InstrumentLimits] = {}
    buckets: dict[str, BucketLimits] = {}
    edge: EdgeLimits | None = None
    max_gross_notional: Decimal | None = None
    max_gross_pct: Decimal | None = None
    max_net_pct: Decimal | None = None
    max_sector_pct: Decimal | None = None
    collar_bps: Decimal | None = None
    max_reference_age_seconds: int | None = None
    max_intent_age_seconds: int | None = None
    max_features_age_seconds: int | None = None
    approval_seconds: int = 2
    max_orders_per_second: int | None = None
    max_orders_per_minute: int | None = None
    halt_orders_per_minute: int | None = None
    max_entries_without_person: int | None = None
    max_daily_loss_pct: Decimal | None = None
    max_weekly_loss_pct: Decimal | None = None
    max_drawdown_5d_pct: Decimal | None = None
    max_consecutive_losses: int | None = None
    min_cash: Decimal | None = None
    max_day_notional: Decimal | None = None
    fee_bps: Decimal | None = None
    cooldown_seconds: int | None = None
    allowed_kinds: tuple[InstrumentKind, ...] | None = None
    sides: tuple[Side, ...] | None = None
    allow_short: bool = False
    allow_options: bool = False
    session: Literal["always"] | Session | None = None
    do_not_trade: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _amounts(self, ("max_gross_notional", "max_day_notional"))
        _amounts(self, ("max_gross_pct", "max_net_pct", "max_sector_pct"), MOST_LEVERAGE_PCT)
        losses = ("max_daily_loss_pct", "max_weekly_loss_pct", "max_drawdown_5d_pct")
        _amounts(self, losses, MOST_LOSS_PCT)
        _amounts(self, ("collar_bps",), MOST_BPS)
        for name in ("min_cash", "fee_bps"):
            value = getattr(self, name)
            if value is not None:
                require_not_negative(name, value)
        if self.fee_bps is not None and self.fee_bps > MOST_BPS:
            raise ValueError(f"fee_bps must be at most {MOST_BPS}, not {self.fee_bps}")
        _counts(self, _AGES, 0, MOST_SECONDS)
        _counts(self, _HOW_MANY, 1, MOST_COUNT)
        _counts(self, ("approval_seconds",), 1, MOST_APPROVAL_SECONDS)

    def limits_of(self, instrument_id: str) -> InstrumentLimits:
        return self.limits.get(instrument_id, self.default_limits)
