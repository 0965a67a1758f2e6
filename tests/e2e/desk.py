"""Runs `interlock` as a person does, and reads what it left behind."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import msgspec
from interlock.runtime.journal import read
from interlock.venues.replay import open_replay
from interlock.wire import codec

INTERLOCK = str(Path(sys.executable).with_name("interlock"))
ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 150


def write_slice(path: Path, first: int, rows: int) -> Path:
    """Write some rows of the shipped crash of 2008 as a person's own CSV file."""
    lines = ["date,symbol,open,high,low,close,volume"]
    for number, row in enumerate(open_replay("crash-2008").rows()):
        if number < first:
            continue
        if number == first + rows:
            break
        day = msgspec.json.decode(f'"{_day(row.ts_complete)}"')
        numbers = (row.open, row.high, row.low, row.close, row.volume)
        lines.append(",".join([day, row.symbol, *(f"{value:.6f}" for value in numbers)]))
    path.write_text("\n".join(lines) + "\n")
    return path


def _day(ts: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(ts / 1e9, UTC).date().isoformat()


def environment(**extra: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("INTERLOCK", "OTEL"))}
    return {**clean, **extra}


def interlock(*words: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [INTERLOCK, *words], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=PATIENCE_SECONDS, env=environment(**extra),
    )  # fmt: skip


def up(state: Path, replay: Path | str, *words: str, **extra: str) -> dict:
    """Run a replay to its end and return its closing summary."""
    done = interlock(
        "up", "--desk", "params", "--replay", str(replay), "--state", str(state),
        "--exit", "--json", *words, **extra,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@contextmanager
def running(
    state: Path, replay: Path, *words: str, desk: str = "params", **extra: str
) -> Iterator[subprocess.Popen]:
    """Start a replay and hand it over when the feed is on its way."""
    process = subprocess.Popen(
        [INTERLOCK, "up", "--desk", desk, "--replay", str(replay), "--state", str(state),
         "--json", "--port", "0", *words],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(**extra),
    )  # fmt: skip
    try:
        wait_until(lambda: _is_up(children(state), words) or process.poll())
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


def _is_up(standing: dict[str, dict], words: tuple[str, ...]) -> bool:
    """Return whether everything runs; the tables' server comes up last, behind the feed."""
    awaited = {"feed"} if {"--single-process", "--postgres"} & set(words) else {"feed", "postgres"}
    return awaited <= standing.keys() and all(one["ready"] for one in standing.values())


def children(state: Path) -> dict[str, dict]:
    try:
        return json.loads((state / "run.json").read_text())["children"]
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def wait_until(condition, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(0.05)


def journal(state: Path) -> dict[str, list[dict]]:
    """Return every journaled message that can be read, by wire tag, in the journal's order."""
    found = defaultdict(list)
    for row in read(state / "journal" / "journal.jsonl"):
        body = row.body if isinstance(row.body, bytes) else row.body.encode()
        try:
            codec.decode_on(row.subject, body)
        except codec.UndecodableError:
            continue
        message = json.loads(body)
        found[message["type"]].append(message)
    return found


KEYS_OF_THIS_RUN = ("signature", "key_id")


def decisions(state: Path) -> dict[str, list[dict]]:
    """Return what was decided, without what a new signing key changes."""
    kinds = (
        "data.features.v1", "reasoner.param-proposal.v1", "policy.proposal-judged.v1",
        "policy.changed.v1", "order.intent.v1", "order.submit.v1", "order.denied.v1",
        "order.submitted.v1", "order.accepted.v1", "order.filled.v1", "account.updated.v1",
    )  # fmt: skip
    found = journal(state)
    return {
        kind: [
            {key: value for key, value in message.items() if key not in KEYS_OF_THIS_RUN}
            for message in sorted(found[kind], key=lambda m: (m["ts_event"], m["message_id"]))
        ]
        for kind in kinds
    }


def assert_nothing_happened_twice(state: Path) -> None:
    found = journal(state)
    for kind, field in (
        ("order.submit.v1", "intent_id"),
        ("order.submitted.v1", "intent_id"),
        ("order.filled.v1", "trade_id"),
        ("policy.changed.v1", "version"),
    ):
        values = [message[field] for message in found[kind]]
        assert len(values) == len(set(values)), kind
