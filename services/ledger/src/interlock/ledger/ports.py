"""What the ledger's core asks of its shell."""

from interlock.wire.base import Effect, Message


class WriteDown(Effect, frozen=True, kw_only=True):
    """Put what the ledger is about to say into the journal."""

    message: Message
