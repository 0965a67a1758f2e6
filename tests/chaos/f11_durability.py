"""What is acknowledged is on the disk: at least one fsync for each acknowledgement.

A kill -9 cannot show this, because the page cache outlives the process. So strace counts the
fsyncs of the broker on each stream's files, and those of a journal's writer on its file, while the
acknowledgements are counted here. One message is in flight at a time: no two share an fsync.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvloop
from interlock.testkit.decisions import approved
from interlock.testkit.desk_messages import intent
from interlock.wire.base import Message
from interlock.wire.catalogue import GATE, STRATEGY, Stream

from tests.chaos.desk import NATS, Desk, NotInTimeError, desk
from tests.chaos.report import Outcome, require_all

FULL, SMOKE = 200, 10
LIMIT_SECONDS = 120
TRACED = "trace=fsync,fdatasync,sync_file_range"
FSYNC = re.compile(r"\bf(?:data)?sync\(\d+<([^>]*)>")
ATTACH_BOUND_SECONDS = 10.0
WRITER = """
import sys
from pathlib import Path
from interlock.runtime.journal import Entry, Journal
with Journal(Path(sys.argv[1]), rows_per_head=1_000_000) as journal:
    for number in range(int(sys.argv[2])):
        journal.append([Entry(stream="DESK", subject="evt.x", body=b'{"number":%d}' % number)])
"""


def missing() -> str:
    """Return what this fault needs and is not there, the empty text where nothing is missing."""
    return "" if shutil.which("strace") else "strace is not installed (apt-get install strace)"


def run(seed: int, trials: int) -> Outcome:
    if missing():
        return Outcome(fault="F11", what="durability", seed=seed, trials=0, failures=[missing()])
    with tempfile.TemporaryDirectory(prefix="interlock-chaos-") as folder:
        journal = _journal_fsyncs(Path(folder), trials)
        streams = uvloop.run(_stream_fsyncs(Path(folder), trials))
    counted = {**streams, "journal": journal}
    return Outcome(
        fault="F11",
        what="fsyncs against acknowledgements",
        seed=seed,
        trials=trials * len(counted),
        unit="messages",
        acknowledged=trials * len(counted),
        lost=sum(max(0, trials - fsyncs) for fsyncs in counted.values()),
        failures=require_all(
            [
                (fsyncs >= trials, f"{name}: {fsyncs} fsyncs for {trials} acknowledgements")
                for name, fsyncs in counted.items()
            ]
        ),
        note="fsyncs by strace: "
        + ", ".join(f"{name} {fsyncs}" for name, fsyncs in counted.items()),
    )


async def _stream_fsyncs(folder: Path, messages: int) -> dict[str, int]:
    async with desk((), servers=(NATS,)) as running:
        return {
            Stream.DESK: await _published(
                running, folder, STRATEGY, Stream.DESK, [intent(n) for n in range(messages)]
            ),
            Stream.APPROVALS: await _published(
                running, folder, GATE, Stream.APPROVALS, [approved(n) for n in range(messages)]
            ),
        }


async def _published(
    running: Desk, folder: Path, user: str, stream: Stream, messages: Sequence[Message]
) -> int:
    """Publish one after the other and return the fsyncs on the stream's message files."""
    bus = await running.bus(user)
    with _traced(running.running[NATS].pid, folder / f"{stream}.strace") as trace:
        for message in messages:
            await bus.publish([message], {})
    await bus.close()
    return sum(1 for path in _synced(trace) if f"/streams/{stream}/msgs/" in path)


@contextmanager
def _traced(pid: int, trace: Path) -> Iterator[Path]:
    command = ["strace", "-f", "-y", "-e", TRACED, "-o", str(trace), "-p", str(pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        try:
            _wait_for_attachment(pid)
            yield trace
        finally:
            strace.terminate()
            strace.communicate(timeout=ATTACH_BOUND_SECONDS)


def _wait_for_attachment(pid: int) -> None:
    """Return when a tracer holds every thread; what happened before is not counted."""
    deadline = time.monotonic() + ATTACH_BOUND_SECONDS
    while not all(_is_traced(task) for task in Path(f"/proc/{pid}/task").iterdir()):
        if time.monotonic() > deadline:
            raise NotInTimeError("strace cannot attach: it needs the right to trace")
        time.sleep(0.01)


def _is_traced(task: Path) -> bool:
    try:
        status = (task / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True  # A thread that has ended.
    return "TracerPid:\t0\n" not in status


def _journal_fsyncs(folder: Path, batches: int) -> int:
    """Append batch after batch in a process of its own and return its fsyncs on the journal."""
    journal, trace = folder / "journal" / "journal.jsonl", folder / "journal.strace"
    command = ["strace", "-f", "-y", "-e", TRACED, "-o", str(trace), sys.executable]
    subprocess.run([*command, "-c", WRITER, str(journal), str(batches)], check=True, timeout=60)
    # Opening syncs the file once more; no append may live on that.
    return sum(1 for path in _synced(trace) if path == str(journal)) - 1


def _synced(trace: Path) -> list[str]:
    return FSYNC.findall(trace.read_text())
