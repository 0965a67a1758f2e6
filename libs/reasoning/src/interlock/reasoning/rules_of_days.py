"""A post-mortem from the figures of a day alone: what moved it, what stood in the way, what to do.

The figures are those of `interlock.wire.accounts.DaySummarised`, flat: shares of equity in percent,
one figure each for an instrument (``pnl_pct.IBM``, ``worth_pct.IBM``), a failed control
(``denied.size.notional``), a trip (``trip.loss.day``) and a failure of the model
(``failed.timeout``).
"""

from collections.abc import Mapping
from typing import Any

_PERCENT = 100
_MOST = 5
_CONCENTRATED_PCT = 50.0
_HIGH_GROSS_PCT = 75.0
_FEES_SHARE_PCT = 20.0
_DEEP_PCT = 3.0
_FEW_TRADES = 3
_FEW_NAMES = 3


def post_mortem_of(facts: Mapping[str, float]) -> dict[str, Any]:
    """Answer with the root cause and at most five recommendations."""
    recommendations = [
        text
        for text in (
            _after_kill(facts),
            _on_concentration(facts),
            _on_breadth(facts),
            _on_drawdown(facts),
            _on_exposure(facts),
            _on_trips(facts),
            _on_denials(facts),
            _on_trades(facts),
            _on_fees(facts),
            _on_failures(facts),
        )
        if text
    ]
    return {
        "root_cause": _root_cause(facts),
        "recommendations": recommendations[:_MOST] or ["Nothing in the figures asks for a change."],
    }


def _root_cause(facts: Mapping[str, float]) -> str:
    pnl = facts["day_pnl_pct"]
    moved = _movers(facts, losing=pnl < 0)
    if facts["killed"]:
        return f"The kill rule ended the day at {pnl:.2f} % of equity{moved}."
    trip = _most(facts, "trip.")
    if trip is not None:
        return f"A limit stopped the desk ({trip[0]}); the day came to {pnl:+.2f} %{moved}."
    if pnl < 0:
        return f"The day lost {-pnl:.2f} % of equity{moved}."
    if not facts["fills"] and not pnl:
        return _why_idle(facts)
    return f"The day brought {pnl:.2f} % of equity{moved}."


def _why_idle(facts: Mapping[str, float]) -> str:
    denied = _most(facts, "denied.")
    if denied is not None:
        code, count = denied
        return (
            f"Nothing was traded: {facts['intents']:.0f} intents, none filled, and {code} stood in "
            f"the way {count:.0f} times."
        )
    if facts["intents"]:
        return f"Nothing was traded: {facts['intents']:.0f} intents, none filled."
    return "Nothing was traded and nothing held: the strategy asked for nothing."


def _movers(facts: Mapping[str, float], *, losing: bool) -> str:
    """Name the two instruments that brought most of the day's direction."""
    ranked = sorted(_under(facts, "pnl_pct."), key=lambda one: (one[1], one[0]))
    ranked = [one for one in (ranked if losing else ranked[::-1]) if (one[1] < 0) is losing]
    named = [f"{name} {share:+.2f} %" for name, share in ranked[:2] if share]
    return f": {', '.join(named)}" if named else ""


def _after_kill(facts: Mapping[str, float]) -> str:
    if not facts["killed"]:
        return ""
    fall = facts["max_drawdown_pct"]
    return (
        f"Find out why the fall of {fall:.2f} % was not stopped sooner before a person resumes the "
        "desk; the next session is on paper."
    )


def _on_concentration(facts: Mapping[str, float]) -> str:
    losses = [one for one in _under(facts, "pnl_pct.") if one[1] < 0]
    total = sum(share for _, share in losses)
    if facts["day_pnl_pct"] >= 0 or not losses:
        return ""
    name, worst = min(losses, key=lambda one: (one[1], one[0]))
    share = worst / total * _PERCENT
    if share < _CONCENTRATED_PCT:
        return ""
    return f"Hold less of {name}: it brought {share:.0f} % of what was lost."


def _on_breadth(facts: Mapping[str, float]) -> str:
    moved = [share for _, share in _under(facts, "pnl_pct.") if share]
    if facts["day_pnl_pct"] >= 0 or len(moved) < _FEW_NAMES or max(moved) > 0:
        return ""
    return (
        f"Hold less of everything while the market falls: all {len(moved)} names lost together, so "
        "none of them made up for another."
    )


def _on_drawdown(facts: Mapping[str, float]) -> str:
    fall = facts["drawdown_5d_pct"]
    if fall < _DEEP_PCT:
        return ""
    return f"Watch the drawdown: the account stands {fall:.2f} % below its high of five days."


def _on_exposure(facts: Mapping[str, float]) -> str:
    gross = facts["gross_pct"]
    if facts["day_pnl_pct"] >= 0 or gross < _HIGH_GROSS_PCT:
        return ""
    return f"Lower the exposure: the day was lost with {gross:.0f} % of equity in positions."


def _on_trips(facts: Mapping[str, float]) -> str:
    trip = _most(facts, "trip.")
    return "" if trip is None else f"Look at {trip[0]}: it tripped {trip[1]:.0f} times."


def _on_denials(facts: Mapping[str, float]) -> str:
    denied = _most(facts, "denied.")
    if denied is None or not facts["intents"]:
        return ""
    code, count = denied
    share = count / facts["intents"] * _PERCENT
    return (
        f"The strategy asks for what {code} does not allow: {count:.0f} of "
        f"{facts['intents']:.0f} intents ({share:.0f} %). Make it ask for less; the limit stays."
    )


def _on_trades(facts: Mapping[str, float]) -> str:
    won, lost = facts["winners"], facts["losers"]
    if won + lost < _FEW_TRADES or lost <= won:
        return ""
    return f"Look at the entries: {lost:.0f} of {won + lost:.0f} closed trades lost."


def _on_fees(facts: Mapping[str, float]) -> str:
    fees, pnl = facts["fees_pct"], abs(facts["day_pnl_pct"])
    if not fees or not pnl or fees / pnl * _PERCENT < _FEES_SHARE_PCT:
        return ""
    return f"Trade less often: fees of {fees:.3f} % stand against a result of {pnl:.3f} %."


def _on_failures(facts: Mapping[str, float]) -> str:
    failed = _most(facts, "failed.")
    if failed is None:
        return ""
    return f"Look at the model: it gave nothing {failed[1]:.0f} times ({failed[0]})."


def _most(facts: Mapping[str, float], prefix: str) -> tuple[str, float] | None:
    return max(_under(facts, prefix), key=lambda one: (one[1], one[0]), default=None)


def _under(facts: Mapping[str, float], prefix: str) -> list[tuple[str, float]]:
    return [
        (name.removeprefix(prefix), value)
        for name, value in facts.items()
        if name.startswith(prefix)
    ]
