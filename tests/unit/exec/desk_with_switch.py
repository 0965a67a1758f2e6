"""An exec with a kill switch on a disk, the paper venue or a stubborn one, and signed orders."""

from decimal import Decimal
from pathlib import Path

from interlock.exec.adapters.kill_switch import KillSwitch
from interlock.exec.app import build, venue_of
from interlock.exec.config import ExecConfig
from interlock.model.ids import derive_id
from interlock.model.values import TradingState
from interlock.runtime.clock import DataClock
from interlock.runtime.service import Cell, Perform
from interlock.runtime.signing import Verifier, throwaway_signer
from interlock.runtime.switch_file import arm_at_first_start
from interlock.testkit.cells import cell_of
from interlock.testkit.decisions import approved, desk, trading
from interlock.testkit.desk_messages import DESK, SECOND
from interlock.wire.base import Message, caused_id
from interlock.wire.policy import HaltTrading, ResumeTrading, TradingStateChanged
from interlock.wire.signing import canonical_bytes
from msgspec.structs import replace

SIGNER = throwaway_signer()
LIMIT = Decimal(95)
"""A price that the wide bars of these tests reach, and the flat ones do not."""


def signed(n=1, **more):
    order = approved(n, **({"key_id": SIGNER.key_id, "limit_price": LIMIT} | more))
    return replace(order, signature=SIGNER.sign(canonical_bytes(order)))


def name_of(n):
    return signed(n).client_order_id


class Exec:
    """One exec. `log` outlives it, as the bus does; `die` leaves log, venue and disk."""

    def __init__(self, folder: Path, venue=None, log=(), **changes):
        self.folder, self.changes = folder, changes
        self.venue = venue or venue_of(desk(), ExecConfig())
        arm_at_first_start(folder)
        self.switch = KillSwitch(self.venue, folder)
        verifier = Verifier(SIGNER.public_key)
        self.cell: Cell = cell_of(
            build(desk(**changes), self.venue, verifier, DataClock(), switch=self.switch)
        )
        self.log: list[tuple[Message, bool]] = []
        for message, own in log:
            self.cell.recover(message, own=own)
            self.log.append((message, own))

    async def start(self):
        return await self.drive(self.cell.begin(len(self.log)))

    async def active(self, epoch=1):
        await self.start()
        await self.hear(trading(epoch=epoch))
        return self

    async def hear(self, message, now=0, at=None):
        """Return what exec says; `at` is called with each step before it is carried out."""
        said = await self.drive(self.cell.react(message, now), at)
        self.log.append((message, False))
        return said

    async def order(self, n=1, **more):
        return await self.hear(signed(n, **more), n * SECOND)

    async def told(self, reports):
        """Return what the core says to what the shell noticed."""
        said = []
        for report in reports:
            said += await self.drive(self.cell.hear(report, 0))
        return said

    async def drive(self, reaction, at=None):
        said, reports = [], None
        while True:
            try:
                step = reaction.send(reports)
            except StopIteration:
                return said
            reports = None
            if at is not None:
                await at(step)
            if isinstance(step, Perform):
                result = self.cell.service.perform(step.effect)
                reports = await result if hasattr(result, "__await__") else result
            else:
                said += step.messages
                self.log += [(message, True) for message in step.messages]

    def die(self, venue=None):
        return Exec(self.folder, venue or self.venue, self.log, **self.changes)

    def die_before(self, kind):
        """Return the exec after a death in which nothing of this kind was said yet."""
        self.log = [row for row in self.log if not isinstance(row[0], kind)]
        return self.die()


def halt(n=1, by="ann"):
    return HaltTrading(**_ids("halt", n), ts_event=0, by=by, reason="too hot")


def resume(n=1, by="bob"):
    return ResumeTrading(**_ids("resume", n), ts_event=0, by=by, reason="calm again")


def answer(command, epoch):
    """Return the policy service's answer to a person's resume."""
    changed = trading(epoch=epoch)
    return replace(changed, message_id=caused_id(command, TradingStateChanged))


def halted(epoch, *, cancel_orders=True):
    return replace(trading(TradingState.HALTED, epoch), cancel_orders=cancel_orders)


def _ids(*parts):
    return {
        "message_id": derive_id("test", *parts),
        "decision_id": derive_id("decision", *parts),
        "desk": DESK,
    }
