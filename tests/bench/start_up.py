"""`interlock up` in a state folder that was used before: to the first decision, and its memory."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import uvloop
from interlock.cli.run_record import read_run_record
from interlock.cli.servers.nats import nats_password
from interlock.cli.state_folder import StateFolder
from interlock.runtime.bus.nats import connect
from interlock.runtime.bus.permissions import OPERATOR
from interlock.runtime.bus.tcp_only import BusError, Client
from interlock.wire.catalogue import BY_KIND
from interlock.wire.policy import ProposalJudged

from tests.bench.report import Line

ROOT = Path(__file__).parents[2]
DECISION = BY_KIND[ProposalJudged].filter
WARM_TARGET_SECONDS = 5.0
MEMORY_TARGET_BYTES = 1024**3
PATIENCE_SECONDS = 60.0
SETTLED_SECONDS = 5.0


def measure() -> Iterator[Line]:
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder:
        state = StateFolder(Path(folder))
        cold, _ = _measure(state)
        warm, memory = _measure(state)
    yield Line(
        what="interlock up to the first decision, second time",
        p50=f"{warm:.2f} s",
        target="<= 5 s",
        met=warm <= WARM_TARGET_SECONDS,
        note=f"first time {cold:.2f} s",
    )
    yield Line(
        what="memory of all processes of a desk (PSS)",
        rate=f"{memory / 1024**2:,.0f} MiB",
        target="<= 1,024 MiB",
        met=memory <= MEMORY_TARGET_BYTES,
    )


def _measure(state: StateFolder) -> tuple[float, int]:
    """Return the seconds to the first decision, and bytes used a while later."""
    command = (
        Path(sys.executable).with_name("interlock"),
        *("up", "--desk", "params", "--state", str(state.root), "--json"),
    )
    began = time.monotonic()
    desk = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        seconds = uvloop.run(_first_decision(state, desk)) - began
        time.sleep(SETTLED_SECONDS)
        return seconds, _memory(desk.pid)
    finally:
        desk.terminate()
        desk.wait(PATIENCE_SECONDS)


async def _first_decision(state: StateFolder, desk: subprocess.Popen[bytes]) -> float:
    async with asyncio.timeout(PATIENCE_SECONDS):
        client: Client | None = None
        before: int | None = None
        while True:
            assert desk.poll() is None, "interlock up has ended"
            try:
                client = client or await _connected(state)
                if client is not None:
                    decided = await _decided(client)
                    # An earlier run's decisions are on the bus still, and are not this one's.
                    before = decided if before is None else before
                    if decided > before:
                        moment = time.monotonic()
                        await client.close()
                        return moment
            except (BusError, OSError, TimeoutError, KeyError):
                # The broker is away, or answers that it has no such stream yet.
                client = None
            await asyncio.sleep(0.02)


async def _connected(state: StateFolder) -> Client | None:
    record = read_run_record(state)
    if record is None or not record.alive or "nats" not in record.servers:
        return None
    password = nats_password(state, OPERATOR)
    return await connect(record.servers["nats"], OPERATOR, password, lambda _: None)


async def _decided(client: Client) -> int:
    subject = f"$JS.API.STREAM.INFO.{BY_KIND[ProposalJudged].stream}"
    asked = json.dumps({"subjects_filter": DECISION}).encode()
    answer = await client.request(subject, asked, timeout=1.0)
    return sum((json.loads(answer.data)["state"].get("subjects") or {}).values())


def _memory(pid: int) -> int:
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(_proportional_bytes(process.pid) for process in processes)


def _proportional_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
