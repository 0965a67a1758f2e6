"""Versions of the policy, and what differs between two."""

from interlock.console.views.base import Nanos, View


class ChangeView(View, frozen=True, kw_only=True):
    name: str
    old: float | None
    new: float | None


class PolicyVersionView(View, frozen=True, kw_only=True):
    version: int
    ts_event: Nanos
    parameters: dict[str, float]
    changes: list[ChangeView]
    author: str
    reason: str
    decision_id: str
    proposal_id: str | None
    config_hash: str


class BoundsView(View, frozen=True, kw_only=True):
    """Between what a parameter may be set, and how far at once."""

    lower: float | None
    upper: float | None
    max_step: float | None


class PolicyView(View, frozen=True, kw_only=True):
    current: PolicyVersionView | None
    bounds: dict[str, BoundsView]
    do_not_trade: list[str]


class PolicyHistoryPage(View, frozen=True, kw_only=True):
    """Newest first."""

    items: list[PolicyVersionView]
    next: str | None


class PolicyDiffView(View, frozen=True, kw_only=True):
    """Two versions side by side; `changes` are from the first to the second."""

    before: PolicyVersionView
    after: PolicyVersionView
    changes: list[ChangeView]
