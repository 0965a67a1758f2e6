"""The story of a desk from its journal: what is told needs no table, and no server."""

from contextlib import suppress
from pathlib import Path

from interlock.ledger.story import TOLD, Story, Telling, story_of, tell
from interlock.model.equity import DAY_STARTS_AT_UTC_HOUR
from interlock.runtime.journal import read
from interlock.wire import codec
from interlock.wire.base import tag_of
from interlock.wire.catalogue import BY_TAG

_SUBJECTS = tuple(BY_TAG[tag_of(kind)].pattern.partition("{")[0] for kind in TOLD)


def story_in(journal: Path, starts_at_utc_hour: int = DAY_STARTS_AT_UTC_HOUR) -> Story | None:
    """Return the story that a journal tells, a running desk's included.

    The journal keeps all that was ever stored. What nobody could read tells nothing.

    Raises
    ------
    JournalError
        Where the journal's chain is broken.
    """
    telling = Telling(starts_at_utc_hour=starts_at_utc_hour)
    for row in read(journal):
        if row.subject.startswith(_SUBJECTS):
            with suppress(codec.UndecodableError):
                tell(telling, codec.decode_on(row.subject, row.body))
    return story_of(telling)
