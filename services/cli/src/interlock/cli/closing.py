"""The closing summary of a replay: what went in, what was decided, what came out."""

import os
import sys
from decimal import Decimal
from pathlib import Path
from shutil import which

import typer
from msgspec import Struct

from interlock.cli.frame import print_json
from interlock.cli.moments import show_day
from interlock.cli.story_lines import scorecard_line, story_lines
from interlock.ledger.ensemble_scorecard import EnsembleScorecard
from interlock.ledger.summary import PostMortem, Summary
from interlock.wire import catalogue
from interlock.wire.catalogue import LEDGER, Entry


class Closing(Struct, frozen=True, kw_only=True):
    """One finished replay. `stored` and `journaled` count messages by type; they must agree."""

    desk: str
    dataset: str
    origin: str
    window_note: str
    seconds: float
    summary: Summary
    stored: dict[str, int]
    journaled: dict[str, int]
    lost: int
    parked: int
    restarts: int
    scorecard: EnsembleScorecard | None = None


def journaled_entries() -> list[Entry]:
    """Return the messages that pass the ledger: those it hears and those it says."""
    return [
        entry
        for entry in catalogue.ENTRIES
        if entry.stream is not None
        and entry.stream is not catalogue.Stream.DEAD
        and (LEDGER in entry.listeners or entry.publishers == (LEDGER,))
    ]


def lost_messages(stored: dict[str, int], journaled: dict[str, int], unreadable: int) -> int:
    """Return how many messages are on the bus and not in the journal, or the other way round.

    The `unreadable` ones have no type, and stand among the dead letters instead. What the ledger
    says itself is in its journal first: more of it on the bus is another's word, and no loss. A
    killed broker may forget market data that it has handed out: the journal has them then.
    """
    own = {entry.tag for entry in catalogue.ENTRIES if entry.publishers == (LEDGER,)}
    durable = {spec.name for spec in catalogue.STREAMS if spec.durable_before_ack}
    forgettable = {entry.tag for entry in catalogue.ENTRIES if entry.stream not in durable}

    def lost(tag: str, unwritten: int) -> int:
        if tag in own:
            return max(0, -unwritten)
        return max(0, unwritten) if tag in forgettable else abs(unwritten)

    gaps = {tag: count - journaled.get(tag, 0) for tag, count in stored.items()}
    return max(0, sum(lost(tag, gap) for tag, gap in gaps.items()) - unreadable)


def window_note(bar_seconds: int, window_scale: float) -> str:
    if window_scale == 1.0:
        return "windows are in the data's own time"
    return (
        f"bars of {bar_seconds:,} s are coarser than the desk's windows: "
        "one cadence is one bar, and 15 minutes are 180 bars"
    )


def show(closing: Closing, *, as_json: bool) -> None:
    if as_json:
        print_json(closing)
        return
    typer.echo()
    for head, text in _lines(closing):
        typer.echo(f"{head:<12}{text}")


def _lines(closing: Closing) -> list[tuple[str, str]]:
    found = closing.summary
    stored = sum(closing.stored.values())
    journaled = sum(closing.journaled.get(tag, 0) for tag in closing.stored)
    agree = "all counts agree" if closing.lost == 0 else f"{closing.lost:,} DIFFER"
    lines = [
        ("desk", f"{closing.desk} on {closing.dataset} ({closing.origin})"),
        ("time", f"{closing.seconds:.1f} s; {closing.window_note}"),
        ("market", f"{found.bars:,} bars, {found.ticks:,} cadences"),
        (
            "proposals",
            (
                f"{found.proposals_seen:,} seen, {found.proposals_applied:,} applied"
                f"{_listed(found.proposals_by_verdict)}"
            ),
        ),
    ]
    if found.reasoner_failures:
        lines.append(("model", f"gave nothing{_listed(found.reasoner_failures)}"))
    if found.approval_requests:
        ends = _listed(found.approval_requests_by_end)
        lapsed = f"{found.approvals_lapsed:,} lapsed after an approval"
        lines.append(("people", f"asked {found.approval_requests:,} times{ends}; {lapsed}"))
    lines += [
        (
            "gate",
            (
                f"{found.intents:,} intents, {found.approvals:,} approved, {found.denials:,} denied"
                f"{_listed(found.denials_by_code)}"
            ),
        ),
        ("fills", f"{found.fills:,}, fees {_money(found.fees)}"),
        (
            "account",
            (
                f"{_money(found.equity_at_start)} to {_money(found.equity)}: "
                f"profit {_money(found.pnl)}, largest drawdown {found.max_drawdown:.1%}"
            ),
        ),
        (
            "messages",
            (
                f"{stored:,} stored on the bus, {journaled:,} in the journal: {agree}; "
                f"{closing.parked:,} parked, {closing.restarts:,} restarts"
            ),
        ),
    ]
    lines += story_lines(found.story) + scorecard_line(closing.scorecard)
    if found.sample_decision:
        lines.append(("look at", f"{command()} trace {found.sample_decision}"))
    return lines + _last_words(found.post_mortem)


def _last_words(written: PostMortem | None) -> list[tuple[str, str]]:
    """Return the post-mortem of the last day, a recommendation a line."""
    if written is None:
        return []
    author = written.source if written.source == written.provider else written.model
    told = f"{show_day(written.day)}, by {author}: {written.root_cause}"
    return [("post-mortem", told), *(("", f"- {text}") for text in written.recommendations)]


def command() -> str:
    """Return how this command was called, for a person to call it again."""
    called = Path(sys.argv[0])
    if which(called.name) is not None:
        return called.name
    return os.path.relpath(called)


def _listed(counts: dict[str, int]) -> str:
    if not counts:
        return ""
    return " (" + ", ".join(f"{name} {count:,}" for name, count in counts.items()) + ")"


def _money(value: Decimal) -> str:
    return f"{value:,.2f}"
