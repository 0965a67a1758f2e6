"""Who is there, what they ask for, and what came of it."""

from enum import StrEnum

from interlock.console.views.base import Asked, Money, Nanos, View


class Role(StrEnum):
    """Each may do what those before it may: look; act on the desk; approve entries."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"

    def covers(self, needed: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


class LoginRequest(Asked, frozen=True, kw_only=True):
    token: str


class SessionView(View, frozen=True, kw_only=True):
    """Who is logged in. `csrf` goes into the header ``X-CSRF-Token`` of every POST."""

    name: str
    role: Role
    csrf: str
    desk: str
    expires_at: Nanos


class ReasonRequest(Asked, frozen=True, kw_only=True):
    """Why; everyone who asks later reads it."""

    reason: str = ""


class ResumeRequest(Asked, frozen=True, kw_only=True):
    """`confirm` is typed: ``resume`` and the desk's name."""

    reason: str
    confirm: str


class RollBackRequest(Asked, frozen=True, kw_only=True):
    version: int
    reason: str


class DialRequest(Asked, frozen=True, kw_only=True):
    """0 is the most careful."""

    level: int
    reason: str = ""


class RejectRequest(Asked, frozen=True, kw_only=True):
    """Why; whoever asked for the entry reads it."""

    reason: str


class ActionView(View, frozen=True, kw_only=True):
    """What came of a person's word.

    `outcome` is ``obeyed``, or ``stored``: it is on the bus, and who is to obey has not answered
    in time. A refusal is a problem with status 409 and the refusal's code.
    """

    outcome: str
    message_id: str
    by: str
    detail: str
    trading_state: str | None = None
    epoch: int | None = None
    policy_version: int | None = None
    approval: str | None = None
    given: list[str] | None = None


class KillView(View, frozen=True, kw_only=True):
    """What came of a press: the file is written, and what else is known at once.

    `confirmed`: exec says that nothing is open any more. `obeyed`: policy has halted the desk.
    """

    pressed_at: Nanos
    file_written: bool
    told: bool
    confirmed: bool
    cancelled: int
    obeyed: bool
    detail: str


class ApprovalView(View, frozen=True, kw_only=True):
    """An entry that waits for people, or what they decided.

    `status` is pending, approved, rejected or what else ended it (expired, halted …); `given` are
    the persons who have approved so far, of the `needed` ones.
    """

    request_id: str
    decision_id: str
    ts_event: Nanos
    strategy: str
    instrument_id: str
    side: str
    quantity: Money
    reference_price: Money
    notional: Money
    held: Money
    conviction: str
    dissent: str
    reasons: list[str]
    expires_at: Nanos
    needed: int
    given: list[str]
    status: str
    decided_by: list[str]
    decided_at: Nanos | None
    reason: str


class ApprovalsPage(View, frozen=True, kw_only=True):
    items: list[ApprovalView]
    next: str | None
