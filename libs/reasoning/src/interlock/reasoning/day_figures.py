"""A day's summary as the figures that models and rules are told."""

from decimal import Decimal

from interlock.model.values import ZERO
from interlock.wire.accounts import DaySummarised

_MOST_INSTRUMENTS = 20
_MOST_CODES = 10
_PERCENT = 100
_DIGITS = 4


def figures_of(day: DaySummarised) -> dict[str, float]:
    """Return a day as flat figures, shares in percent of the equity at its start.

    Of instruments and codes, those that matter most: a prompt has an end.
    """
    start = day.equity_at_day_start

    def share(value: Decimal) -> float:
        return round(float(value / start * _PERCENT), _DIGITS) if start > ZERO else 0.0

    lines = day.instruments
    moved = sorted(lines, key=lambda one: (-abs(one.pnl), one.instrument_id))[:_MOST_INSTRUMENTS]
    figures = {
        "equity": float(day.equity),
        "day_pnl": float(day.day_pnl),
        "day_pnl_pct": share(day.day_pnl),
        "fees_pct": share(day.fees),
        "gross_pct": share(sum((abs(one.worth) for one in lines), ZERO)),
        "max_drawdown_pct": round(day.max_drawdown_pct, _DIGITS),
        "drawdown_5d_pct": round(day.drawdown_5d_pct, _DIGITS),
        "killed": float(day.killed),
        "escalations": float(day.escalations),
        "intents": float(day.intents),
        "approvals": float(day.approvals),
        "fills": float(day.fills),
        "winners": float(sum(one.winners for one in lines)),
        "losers": float(sum(one.losers for one in lines)),
        "proposals_applied": float(day.proposals_applied),
    }
    for one in moved:
        figures[f"pnl_pct.{one.instrument_id}"] = share(one.pnl)
        figures[f"worth_pct.{one.instrument_id}"] = share(one.worth)
    for prefix, counts in (
        ("denied", day.denials_by_code),
        ("trip", day.trips_by_code),
        ("failed", day.failures),
    ):
        most = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:_MOST_CODES]
        figures |= {f"{prefix}.{code}": float(count) for code, count in most}
    return figures
