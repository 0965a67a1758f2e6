"""Says that what the ledger writes does not get to the disk.

Theory of operation. A journal that takes nothing has no truth of what the desk does from then on,
so the desk is halted at the first failure: what was approved waits on the bus and is written down
when there is room. Tables are made from the journal and hold up no order, so a person is told when
they have been behind for a while, and only once they had followed: at a start the database may
come up last.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.model.values import Severity
from interlock.wire.base import Message, root_ids
from interlock.wire.catalogue import LEDGER
from interlock.wire.system import AlertRaised, SafetyTripped, TripLevel

_log = logging.getLogger(__name__)

JOURNAL_CODE = "journal.unwritten"
TABLES_CODE = "tables.behind"
TABLES_PATIENCE_NS = 2 * NANOS_PER_SECOND


@dataclass(kw_only=True, slots=True)
class StorageAlarm:
    """Each failure is told once, until what failed works again. `now` is the machine's clock."""

    desk: str
    say: Callable[[Message], Awaitable[None]]
    now: Callable[[], UnixNanos]
    _journal_fails: bool = False
    _followed: bool = False
    _behind_since: UnixNanos = 0
    _told_behind: bool = False

    def journal_written(self) -> None:
        self._journal_fails = False

    async def journal_failed(self, error: str) -> None:
        if self._journal_fails:
            return
        self._journal_fails = True
        _log.critical("nothing can be written down: %s", error)
        now = self.now()
        message_id, decision_id = root_ids(SafetyTripped, self.desk, JOURNAL_CODE, now)
        await self.say(
            SafetyTripped(
                message_id=message_id,
                decision_id=decision_id,
                ts_event=now,
                desk=self.desk,
                service=LEDGER,
                code=JOURNAL_CODE,
                level=TripLevel.HALT,
                observed=error,
                limit="everything is on the disk before it counts as heard",
            )
        )

    def tables_followed(self) -> None:
        self._followed, self._behind_since, self._told_behind = True, 0, False

    async def tables_failed(self, error: str) -> None:
        now = self.now()
        self._behind_since = self._behind_since or now
        patient = now - self._behind_since < TABLES_PATIENCE_NS
        if patient or self._told_behind or not self._followed:
            return
        self._told_behind = True
        message_id, decision_id = root_ids(AlertRaised, self.desk, TABLES_CODE, now)
        await self.say(
            AlertRaised(
                message_id=message_id,
                decision_id=decision_id,
                ts_event=now,
                desk=self.desk,
                service=LEDGER,
                severity=Severity.WARNING,
                code=TABLES_CODE,
                text=f"the tables fall behind the journal: {error}",
                dedupe_key=TABLES_CODE,
            )
        )
