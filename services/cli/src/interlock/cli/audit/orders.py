"""What each row must be by itself or with its fellows: signed, approved once, sent as approved.

Theory of operation. The ledger may hear of a submission before its approval: both wait for the
other, so memory holds the orders that are between the two. Of those approved and sent, only a short
mark of the intent is kept. Protective orders have no approval of their own; see `protected`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from interlock.cli.audit.finding import FindingError
from interlock.cli.audit.protected import Protected
from interlock.runtime.signing import Verifier
from interlock.wire.base import Message
from interlock.wire.orders import OrderFilled, OrderRefused, OrderSubmitted, SubmitOrder
from interlock.wire.policy import PolicyChanged, TradingStateChanged
from interlock.wire.signing import canonical_bytes, rules_bytes

type Keys = Mapping[str, Verifier]

_SENT_AS_APPROVED = tuple(
    name
    for name in OrderSubmitted.__struct_fields__
    if name in SubmitOrder.__struct_fields__ and name not in {"message_id", "ts_event"}
)


@dataclass(slots=True)
class Orders:
    """Checks rows in the journal's own order. Counts what it has seen."""

    gate_keys: Keys
    policy_keys: Keys
    approvals: int = 0
    submissions: int = 0
    signatures: int = 0
    _protected: Protected = field(default_factory=Protected)
    _rules_signed: bool = False
    _approved: set[bytes] = field(default_factory=set[bytes])
    _sent: set[bytes] = field(default_factory=set[bytes])
    _waiting: dict[str, SubmitOrder] = field(default_factory=dict[str, SubmitOrder])
    _early: dict[str, tuple[int, OrderSubmitted]] = field(
        default_factory=dict[str, tuple[int, OrderSubmitted]]
    )

    def take(self, seq: int, message: Message) -> None:
        """Check the next row. Raises `FindingError`."""
        match message:
            case SubmitOrder():
                self._approve(seq, message)
            case OrderSubmitted():
                self._submit(seq, message)
            case OrderFilled():
                self._protected.fill(message)
            case OrderRefused():
                self._waiting.pop(message.intent_id, None)
            case PolicyChanged() | TradingStateChanged():
                self._rules(seq, message)
            case _:
                pass

    def end(self) -> None:
        """Raise `FindingError` for an order that was sent and that nobody approved."""
        self._protected.end()
        for seq, submitted in self._early.values():
            raise FindingError(
                "journal.unapproved",
                seq,
                f"row {seq} sends order {submitted.client_order_id}, which no row approves",
            )

    def _approve(self, seq: int, order: SubmitOrder) -> None:
        self._signed(seq, order.key_id, canonical_bytes(order), order.signature, self.gate_keys)
        mark = _mark(order.intent_id)
        if mark in self._approved:
            raise FindingError(
                "journal.approved_twice", seq, f"row {seq} approves intent {order.intent_id} again"
            )
        self._approved.add(mark)
        self.approvals += 1
        early = self._early.pop(order.intent_id, None)
        if early is None:
            self._waiting[order.intent_id] = order
        else:
            _hold_together(early[0], order, early[1])

    def _submit(self, seq: int, submitted: OrderSubmitted) -> None:
        mark = _mark(submitted.intent_id)
        if mark in self._sent:
            raise FindingError(
                "journal.sent_twice", seq, f"row {seq} sends intent {submitted.intent_id} again"
            )
        self._sent.add(mark)
        self.submissions += 1
        self._protected.submit(seq, submitted)
        if submitted.parent:
            return
        order = self._waiting.pop(submitted.intent_id, None)
        if order is None:
            self._early[submitted.intent_id] = seq, submitted
        else:
            _hold_together(seq, order, submitted)

    def _rules(self, seq: int, rules: PolicyChanged | TradingStateChanged) -> None:
        if not rules.signature and not self._rules_signed:
            return  # Written before rules were signed at all.
        self._rules_signed = True
        signed = rules_bytes(rules)
        self._signed(seq, rules.key_id, signed, rules.signature, self.policy_keys)

    def _signed(self, seq: int, key_id: str, message: bytes, signature: str, keys: Keys) -> None:
        key = keys.get(key_id)
        if key is None:
            raise FindingError(
                "journal.signature", seq, f"row {seq} is signed with key {key_id!r}, not ours"
            )
        if not key.verify(message, signature):
            raise FindingError(
                "journal.signature", seq, f"row {seq} does not carry a valid signature"
            )
        self.signatures += 1


def _hold_together(seq: int, order: SubmitOrder, submitted: OrderSubmitted) -> None:
    for name in _SENT_AS_APPROVED:
        approved, sent = getattr(order, name), getattr(submitted, name)
        if approved != sent:
            raise FindingError(
                "journal.sent_otherwise",
                seq,
                f"row {seq} sends {name} {sent} where {approved} was approved",
            )


def _mark(intent_id: str) -> bytes:
    return blake2b(intent_id.encode(), digest_size=16).digest()
