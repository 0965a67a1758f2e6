"""What exec lets a person know, as a consequence of something it says."""

from interlock.model.values import Severity
from interlock.wire.base import DeskMessage, caused_id
from interlock.wire.catalogue import EXEC
from interlock.wire.system import AlertRaised


def alert(
    cause: DeskMessage, severity: Severity, code: str, text: str, about: str, part: str = ""
) -> AlertRaised:
    """Return the alert that goes with `cause`; a person is told once `about` the same.

    `part` keeps apart what one cause brings about several times.
    """
    parts = (part,) if part else ()
    return AlertRaised(
        message_id=caused_id(cause, AlertRaised, *parts),
        decision_id=cause.decision_id,
        ts_event=cause.ts_event,
        desk=cause.desk,
        service=EXEC,
        severity=severity,
        code=code,
        text=text,
        dedupe_key=f"{EXEC}.{about}",
    )
