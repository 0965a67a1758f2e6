"""People before an entry: it is asked for, people answer, and policy decides once.

This is not the gate's approval, which is a signature and comes after it: whatever people approve is
an intent, and the gate judges it like any other.
"""

from decimal import Decimal
from enum import StrEnum

from interlock.model.ids import UnixNanos
from interlock.model.plain_text import plain_text
from interlock.wire.base import DeskMessage
from interlock.wire.orders import OrderIntent
from interlock.wire.policy import names_person

MOST_APPROVERS = 2
NAME_CHARS = 80


def shown_name(by: str) -> str:
    """Return a person's name as it is written down: one line, nothing hidden; empty for nobody."""
    name = " ".join(plain_text(by, NAME_CHARS).split())
    return name if names_person(name) else ""


def is_same_person(one: str, other: str) -> bool:
    """Return whether two names are one person's, however they are spelled."""
    return shown_name(one).casefold() == shown_name(other).casefold()


class ApprovalCode(StrEnum):
    """How a request ended. All but the first two are nobody's answer."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    HALTED = "halted"
    KILL_DAY = "kill_day"
    QUARANTINE = "quarantine"
    REDUCE_ONLY = "reduce_only"
    DISABLED = "disabled"
    TOO_MANY = "too_many"


class LapseCode(StrEnum):
    """Why an entry that was approved is not sent after all."""

    HALTED = "halted"
    POSITION = "position"
    EXPOSURE = "exposure"
    PRICE = "price"
    LATE = "late"
    INSTRUMENT = "instrument"


class ApprovalRequested(DeskMessage, frozen=True, kw_only=True, tag="approval.requested.v1"):
    """An entry that waits for people. The `intent` goes out only if they approve.

    Parameters
    ----------
    request_id
        What answers name; the id of this message.
    intent
        What is asked for. It goes out with the same id and size, and with the time, the reference
        price and the policy version of then.
    conviction, dissent
        How sure whoever asks is, and what speaks against it, in their own words.
    notional, held
        What it comes to at the reference price, and what is held of the instrument already.
    max_move_bps
        How far the price may move from the reference price before an approval is void.
    expires_at, needed
        Until when people may approve it, on the desk's clock, and how many of them it takes.
    """

    request_id: str
    intent: OrderIntent
    conviction: str
    dissent: str
    notional: Decimal
    held: Decimal
    max_move_bps: float
    expires_at: UnixNanos
    needed: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.needed <= MOST_APPROVERS:
            raise ValueError(f"needed is from 1 to {MOST_APPROVERS}, not {self.needed}")


class GiveApproval(DeskMessage, frozen=True, kw_only=True, tag="approval.give.v1"):
    """A named person approves a request."""

    by: str
    request_id: str
    reason: str = ""


class RejectApproval(DeskMessage, frozen=True, kw_only=True, tag="approval.reject.v1"):
    """A named person rejects a request; one is enough, whatever others said."""

    by: str
    request_id: str
    reason: str


class ApprovalStanding(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class ApprovalCounted(DeskMessage, frozen=True, kw_only=True, tag="approval.counted.v1"):
    """What came of one person's word: where the request stands with it, by whose words."""

    command_id: str
    request_id: str
    by: str
    standing: ApprovalStanding
    given: list[str]
    needed: int


class ApprovalDecided(DeskMessage, frozen=True, kw_only=True, tag="approval.decided.v1"):
    """The end of a request, once and for ever. `by` names who decided it, nobody where none did."""

    request_id: str
    approved: bool
    code: ApprovalCode
    by: list[str]
    reason: str


class ApprovalLapsed(DeskMessage, frozen=True, kw_only=True, tag="approval.lapsed.v1"):
    """An approved entry that is not sent: it no longer is what was approved."""

    request_id: str
    intent_id: str
    instrument_id: str
    code: LapseCode
    reason: str
