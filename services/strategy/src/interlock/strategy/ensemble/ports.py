"""What the shell notices by itself: whether the local reasoner is heard of."""

from interlock.wire.base import Report


class ReasonerSilent(Report, frozen=True, kw_only=True):
    """The local reasoner has not been heard for `seconds`, in which we were awake to hear it."""

    seconds: float


class ReasonerHeard(Report, frozen=True, kw_only=True):
    """The local reasoner is heard, for the first time or again."""
