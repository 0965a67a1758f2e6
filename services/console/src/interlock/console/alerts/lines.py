"""What one address has been told, what waits for it, and what is said next. Pure.

Theory of operation. Each address has a line of notes. An alert that comes in opens a quiet time for
its ``dedupe_key``; others with that key are counted, and when the time is over one note says how
many there were. Notes leave one by one, the most severe first, while fewer than the route's limit
have left within its time; a critical one may use twice the limit. The last place is kept for a
digest of all that waits, so that what was held back is counted in a message, never silent. What
cannot be delivered comes back and is tried again, later each time. The line is bounded: beyond it
the least severe are counted only, and the next message, a digest then, says so.

``count`` of a note is how many alerts it stands for. Every alert that was taken is counted once in
what was told, what is under way, what waits, what is quiet, or what fell out.
"""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from interlock.console.alerts.routes import AlertRoute
from interlock.model.values import Severity

MOST_WAITING = 100
MOST_QUIET = 200
CRITICAL_SHARE = 2
RETRY_FIRST_SECONDS = 1
RETRY_LAST_SECONDS = 300
PRESSING_SECONDS = 5
_NANOS = 1_000_000_000
_MINUTE = 60 * _NANOS

RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class Rules(Struct, frozen=True, kw_only=True):
    """A route's limits. Times in nanoseconds."""

    min_severity: Severity
    quiet: int
    at_most: int
    within: int


class Note(Struct, frozen=True, kw_only=True):
    """What a person is to know. `repeats` where it sums up those that were kept quiet."""

    severity: Severity
    service: str
    code: str
    text: str
    key: str
    ts_event: int
    count: int = 1
    repeats: bool = False


class Quiet(Struct, frozen=True, kw_only=True):
    """A ``dedupe_key`` that was told: `count` came since, `last` is the latest of them."""

    until: int
    severity: Severity
    count: int = 0
    last: Note | None = None


class Told(Struct, frozen=True, kw_only=True):
    """One message: a note, or a digest of several. `fallen` fell out of the line, by severity."""

    notes: tuple[Note, ...]
    fallen: dict[Severity, int] = {}

    @property
    def digest(self) -> bool:
        return len(self.notes) != 1 or bool(self.fallen)

    @property
    def count(self) -> int:
        return sum(note.count for note in self.notes) + sum(self.fallen.values())

    @property
    def severity(self) -> Severity:
        """The highest in it."""
        held = [note.severity for note in self.notes] + list(self.fallen)
        return max(held, key=RANK.__getitem__)


class Line(Struct, frozen=True, kw_only=True):
    """The line of one address. Moments are UNIX ns of the machine's clock, 0 for never."""

    waiting: tuple[Note, ...] = ()
    under_way: Told | None = None
    quiet: dict[str, Quiet] = {}
    fallen: dict[Severity, int] = {}
    sent_at: tuple[int, ...] = ()
    told_at: int = 0
    failures: int = 0
    tried_at: int = 0
    retry_at: int = 0
    problem: str = ""


def rules_of(route: AlertRoute) -> Rules:
    return Rules(
        min_severity=route.min_severity,
        quiet=route.quiet_minutes * _MINUTE,
        at_most=route.at_most,
        within=route.per_minutes * _MINUTE,
    )


def take(line: Line, rules: Rules, note: Note, now: int) -> Line:
    """Take an alert in: it waits, or is counted where its key is quiet.

    One that is more severe than what was told of its key is no repetition.
    """
    if RANK[note.severity] < RANK[rules.min_severity]:
        return line
    quiet = line.quiet.get(note.key)
    if quiet is not None and RANK[note.severity] <= RANK[quiet.severity]:
        counted = replace(quiet, count=quiet.count + note.count, last=note)
        return replace(line, quiet={**line.quiet, note.key: counted})
    if quiet is not None:
        note = replace(note, count=note.count + quiet.count)
    if quiet is not None or len(line.quiet) < MOST_QUIET:
        fresh = Quiet(until=now + rules.quiet, severity=note.severity)
        line = replace(line, quiet={**line.quiet, note.key: fresh})
    if note.severity is Severity.CRITICAL:
        # It does not wait for a long pause to end, and does not hammer either.
        soon = min(line.retry_at, line.tried_at + PRESSING_SECONDS * _NANOS)
        line = replace(line, retry_at=soon)
    return _bounded(replace(line, waiting=(*line.waiting, note)))


def end_quiet(line: Line, rules: Rules, now: int) -> Line:
    """Let what was counted be told where its quiet time is over, and keep that key quiet anew."""
    over = {key: one for key, one in line.quiet.items() if not _is_quiet(one, rules, now)}
    if not over:
        return line
    quiet = {key: one for key, one in line.quiet.items() if key not in over}
    sums: list[Note] = []
    for key, one in over.items():
        if one.last is None:
            continue
        sums.append(replace(one.last, severity=one.severity, count=one.count, repeats=True))
        quiet[key] = Quiet(until=now + rules.quiet, severity=one.severity)
    return _bounded(replace(line, quiet=quiet, waiting=(*line.waiting, *sums)))


def _is_quiet(one: Quiet, rules: Rules, now: int) -> bool:
    """Return whether a quiet time goes on; after the clock was put back it is no longer than it."""
    return now < one.until <= now + rules.quiet


def next_told(line: Line, rules: Rules, now: int) -> tuple[Line, Told] | None:
    """Return what to send now, and the line with it under way; none where nothing may leave."""
    if line.under_way is not None or not (line.waiting or line.fallen):
        return None
    if now < line.retry_at <= now + RETRY_LAST_SECONDS * _NANOS:
        return None
    sent_at = tuple(at for at in line.sent_at if now - rules.within < at <= now)
    line = replace(line, sent_at=sent_at)
    worst = Told(notes=line.waiting, fallen=line.fallen).severity
    share = CRITICAL_SHARE if worst is Severity.CRITICAL else 1
    room = rules.at_most * share - len(sent_at)
    if room <= 0:
        return None
    urgent = [note for note in line.waiting if note.severity is worst]
    if line.fallen or (room == 1 and len(line.waiting) > 1):
        told = Told(notes=line.waiting, fallen=line.fallen)
        return replace(line, waiting=(), fallen={}, under_way=told, tried_at=now), told
    first = urgent[0]
    at = line.waiting.index(first)
    told = Told(notes=(first,))
    left = line.waiting[:at] + line.waiting[at + 1 :]
    return replace(line, waiting=left, under_way=told, tried_at=now), told


def sent(line: Line, now: int) -> Line:
    """Take down that what was under way has arrived."""
    return replace(
        line,
        under_way=None,
        sent_at=(*line.sent_at, now),
        told_at=now,
        failures=0,
        retry_at=0,
        problem="",
    )


def failed(line: Line, problem: str, now: int) -> Line:
    """Put what was under way back, to be tried again after a pause that doubles."""
    pause = min(RETRY_LAST_SECONDS, RETRY_FIRST_SECONDS << min(line.failures, 16))
    line = replace(line, failures=line.failures + 1, retry_at=now + pause * _NANOS, problem=problem)
    return put_back(line)


def put_back(line: Line) -> Line:
    """Put what was under way back in front: whether it arrived is not known."""
    told = line.under_way
    if told is None:
        return line
    fallen = _added(line.fallen, told.fallen)
    line = replace(line, under_way=None, waiting=told.notes + line.waiting, fallen=fallen)
    return _bounded(line)


def waits(line: Line) -> int:
    """Return how many alerts are not told yet, those that are only counted as well."""
    under_way = 0 if line.under_way is None else line.under_way.count
    return (
        under_way
        + sum(note.count for note in line.waiting)
        + sum(line.fallen.values())
        + sum(one.count for one in line.quiet.values())
    )


def _bounded(line: Line) -> Line:
    """Let the least severe and oldest fall out where too many wait, counted."""
    extra = len(line.waiting) - MOST_WAITING
    if extra <= 0:
        return line
    places = sorted(range(len(line.waiting)), key=lambda at: (RANK[line.waiting[at].severity], at))
    out = set(places[:extra])
    fallen = line.fallen
    for at in out:
        note = line.waiting[at]
        fallen = _added(fallen, {note.severity: note.count})
    kept = tuple(note for at, note in enumerate(line.waiting) if at not in out)
    return replace(line, waiting=kept, fallen=fallen)


def _added(one: Mapping[Severity, int], other: Mapping[Severity, int]) -> dict[Severity, int]:
    return {
        severity: one.get(severity, 0) + other.get(severity, 0)
        for severity in Severity
        if severity in one or severity in other
    }
