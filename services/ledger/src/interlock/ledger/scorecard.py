"""The scorecard of a desk whose parameters a model may propose: pass or fail, with the values.

Theory of operation. Every gate is computed anew from the audit rows; the counts that the policy
service wrote into them are not believed. A window is the half-open span of desk time
(end - length, end]. One window ends at each proposal of the asked period, so rows from before the
period still count in its first windows. `seen` and `freeze` are judged where the period ends,
at its last proposal; `applied`, `accept rate` and `bounds` at their worst in the period.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from math import isclose

from msgspec import Struct

from interlock.model.ids import NANOS_PER_SECOND
from interlock.wire.policy import ProposalJudged, ProposalVerdict

_MINUTE = 60 * NANOS_PER_SECOND
# Steps such as 1.2 - 1.0 are off by a few units in the last place of a float.
_ROUNDING = 1e-9


class Bounds(Struct, frozen=True, kw_only=True):
    """What a parameter may be, and how far one accepted proposal may move it."""

    low: float
    high: float
    step: float


class ScorecardRules(Struct, frozen=True, kw_only=True):
    """The limits to judge by. A parameter without bounds is out of bounds."""

    bounds: Mapping[str, Bounds]
    window_ns: int = 15 * _MINUTE
    seen_at_least: int = 6
    applied_at_most: int = 2
    accept_rate_at_most: float = 0.30


class Gate(Struct, frozen=True, kw_only=True):
    """One gate. `at_ns` is the desk time of the window's end the value belongs to, if any.

    A value that is not known is none, and such a gate does not hold.
    """

    name: str
    ok: bool
    value: float | None
    limit: str
    detail: str
    at_ns: int | None


class Scorecard(Struct, frozen=True, kw_only=True):
    """All gates of one period. `ok` where every one of them is."""

    ok: bool
    proposals: int
    applied: int
    gates: list[Gate]


class _Window(Struct, frozen=True):
    end: int
    seen: int
    applied: int

    @property
    def rate(self) -> float:
        return self.applied / self.seen


def scorecard(
    rows: Sequence[ProposalJudged], rules: ScorecardRules, since_ns: int | None = None
) -> Scorecard:
    """Judge the proposals since a moment.

    Parameters
    ----------
    rows
        Audit rows in the order they were judged, those of the window before the period included.
    rules
        What to hold them against.
    since_ns
        Begin of the period as ``ts_event``, in ns; none asks for all rows.
    """
    first = next(
        (n for n, r in enumerate(rows) if since_ns is None or r.ts_event >= since_ns), None
    )
    begin = len(rows) if first is None else first
    period, windows = rows[begin:], _windows(rows, rules.window_ns)[begin:]
    gates = [
        _seen(windows, rules),
        _applied(windows, rules),
        _accept_rate(windows, rules),
        _bounds(period, rules),
        _freeze(period),
    ]
    return Scorecard(
        ok=all(gate.ok for gate in gates),
        proposals=len(period),
        applied=sum(1 for row in period if row.verdict is ProposalVerdict.ACCEPTED),
        gates=gates,
    )


def _windows(rows: Sequence[ProposalJudged], length: int) -> list[_Window]:
    """Return the window that ends at each row."""
    inside, applied, windows = deque[ProposalJudged](), 0, list[_Window]()
    for row in rows:
        if inside and row.ts_desk < inside[-1].ts_desk:
            inside.clear()  # desk time went back: another replay has begun
            applied = 0
        inside.append(row)
        applied += row.verdict is ProposalVerdict.ACCEPTED
        while inside[0].ts_desk <= row.ts_desk - length:
            applied -= inside.popleft().verdict is ProposalVerdict.ACCEPTED
        windows.append(_Window(row.ts_desk, len(inside), applied))
    return windows


def _seen(windows: Sequence[_Window], rules: ScorecardRules) -> Gate:
    value = windows[-1].seen if windows else 0
    return Gate(
        name="proposals_seen_15m",
        ok=value >= rules.seen_at_least,
        value=value,
        limit=f">= {rules.seen_at_least}",
        detail="in the last window",
        at_ns=windows[-1].end if windows else None,
    )


def _applied(windows: Sequence[_Window], rules: ScorecardRules) -> Gate:
    worst = max(windows, key=lambda window: window.applied, default=None)
    value = worst.applied if worst else 0
    return Gate(
        name="applied_15m",
        ok=value <= rules.applied_at_most,
        value=value,
        limit=f"<= {rules.applied_at_most}",
        detail="in the worst window",
        at_ns=worst.end if worst else None,
    )


def _accept_rate(windows: Sequence[_Window], rules: ScorecardRules) -> Gate:
    worst = max(windows, key=lambda window: window.rate, default=None)
    value = worst.rate if worst else 0.0
    detail = f"{worst.applied} of {worst.seen} in the worst window" if worst else "no proposals"
    return Gate(
        name="accept_rate_15m",
        ok=value <= rules.accept_rate_at_most,
        value=value,
        limit=f"<= {rules.accept_rate_at_most:.2f}",
        detail=detail,
        at_ns=worst.end if worst else None,
    )


def _bounds(period: Sequence[ProposalJudged], rules: ScorecardRules) -> Gate:
    broken = [(row, text) for row in period if (text := _breach(row, rules.bounds))]
    return Gate(
        name="bounds",
        ok=not broken,
        value=len(broken),
        limit="0 rows out of bounds",
        detail=broken[0][1] if broken else "every value in force and every step within bounds",
        at_ns=broken[0][0].ts_desk if broken else None,
    )


def _breach(row: ProposalJudged, bounds: Mapping[str, Bounds]) -> str:
    """Say how `row` left the bounds; an unapplied proposal cannot, whatever it asked for."""
    if row.verdict is ProposalVerdict.UNKNOWN_PARAMETER:
        return ""
    allowed = bounds.get(row.parameter)
    if allowed is None:
        return f"{row.parameter} has no bounds"
    if not allowed.low - _ROUNDING <= row.applied <= allowed.high + _ROUNDING:
        return f"{row.parameter} = {row.applied:g}, outside {allowed.low:g} to {allowed.high:g}"
    moved = abs(row.applied - row.old)
    if moved > allowed.step and not isclose(moved, allowed.step, rel_tol=_ROUNDING):
        return f"{row.parameter} moved by {moved:g}, more than {allowed.step:g}"
    return ""


def _freeze(period: Sequence[ProposalJudged]) -> Gate:
    reasons = [str(reason) for reason in period[-1].freeze_reasons] if period else []
    # Without a proposal nobody has said that the desk is not frozen.
    detail = ", ".join(reasons) or ("not active" if period else "unknown: no proposals")
    return Gate(
        name="freeze",
        ok=bool(period) and not reasons,
        value=len(reasons),
        limit="not active",
        detail=detail,
        at_ns=period[-1].ts_desk if period else None,
    )
