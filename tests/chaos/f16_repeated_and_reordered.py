"""Every event is delivered 1 to 5 times and out of order: every service ends where it should.

A whole desk replays the same data twice in one process, once on a bus that behaves and once on
one that does not; then each service's state is compared, field by field.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from interlock.cli.in_process import InProcessDesk
from interlock.runtime.bus.memory import MemoryServer
from interlock.runtime.launch import Settings
from interlock.runtime.signing import create_keys
from interlock.runtime.switch_file import arm_at_first_start
from interlock.venues.replay import open_replay
from interlock.wire.base import tag_of
from interlock.wire.catalogue import Stream

from tests.bench.desk import PATH
from tests.chaos.desk import chaos_desk
from tests.chaos.report import Outcome, require_all
from tests.chaos.shaken_bus import ShakenServer
from tests.e2e.desk import write_slice

FULL, SMOKE = 8, 1
LIMIT_SECONDS = 240
FIRST_ROW, ROWS = 480, 120
REPLAY_BOUND_SECONDS = 60.0

type States = dict[str, dict[str, Any]]


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


async def _run(seed: int, trials: int) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="interlock-chaos-") as name:
        folder = Path(name)
        data = write_slice(folder / "data.csv", FIRST_ROW, ROWS)
        create_keys(folder / "keys" / "secrets")
        calm_states, calm = await _replay(folder, data, MemoryServer())
        again, overtaken, events, different = 0, 0, 0, list[str]()
        for number in range(trials):
            server = ShakenServer(seed * 1_000 + number)
            states, said = await _replay(folder, data, server)
            events += sum(said.values())
            again += server.delivered_again
            overtaken += server.overtaken
            different += _differences(calm_states, states)
            different += [
                f"{tag}: said {said[tag]} times instead of {calm[tag]}"
                for tag in sorted(calm.keys() | said.keys())
                if said[tag] != calm[tag]
            ]
    return Outcome(
        fault="F16",
        what="every event delivered 1 to 5 times and reordered",
        seed=seed,
        trials=trials,
        unit="replays",
        acknowledged=events,
        breaches=len(different),
        failures=[
            *different[:8],
            *require_all(
                [
                    (again > events / 2, f"only {again} deliveries came again"),
                    (overtaken > 0, "nothing was reordered"),
                    (calm["order.filled.v1"] > 0, "the desk did not trade"),
                ]
            ),
        ],
        note=f"{again} deliveries came again, {overtaken} overtook",
    )


async def _replay(folder: Path, data: Path, server: MemoryServer) -> tuple[States, Counter[str]]:
    state = folder / "state"
    shutil.rmtree(state, ignore_errors=True)
    # The same keys each time: their names are part of what services remember.
    shutil.copytree(folder / "keys", state)
    arm_at_first_start(state)
    settings = Settings(
        desk_file=PATH,
        state=state,
        replay=str(data),
        replay_starts_at=open_replay(str(data)).ts_first,
    )
    desk = InProcessDesk(chaos_desk(), settings, server)
    await desk.start()
    try:
        async with asyncio.timeout(REPLAY_BOUND_SECONDS):
            while not await desk.wait(1.0):
                pass
            while not server.settled():
                await asyncio.sleep(0.01)
            # What is still to come again comes while nothing else does.
            await asyncio.sleep(0.05)
    finally:
        await desk.stop()
    states = {loop.cell.service.name: _plain(loop.cell.state) for loop in desk._loops}
    said = Counter(
        tag_of(type(row.message))
        for stream in Stream
        for row in server.rows(stream)
        if row.message is not None
    )
    return states, said


def _differences(calm: States, shaken: States) -> list[str]:
    return [
        f"{service}.{name}: {_short(shaken[service][name])} instead of {_short(value)}"
        for service, state in calm.items()
        for name, value in state.items()
        if shaken[service][name] != value
    ]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:60]} ... {text[-60:]}"


def _plain(value: Any) -> Any:
    """Return a value that equals another one's where the two states do."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, msgspec.Struct):
        return repr(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    if isinstance(value, list | tuple) or hasattr(value, "popleft"):
        return [_plain(one) for one in value]
    if type(value).__module__.startswith("interlock") and not isinstance(value, Enum):
        names = getattr(type(value), "__slots__", None) or vars(value)
        return {name: _plain(getattr(value, name)) for name in names}
    return value
