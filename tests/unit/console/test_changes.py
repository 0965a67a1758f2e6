"""What open pages are sent, and that nothing grows."""

import asyncio
import json

import pytest
from interlock.console.changes import KEPT, LOOK_SECONDS, MOST_A_TURN, Changes


def events(body: bytes) -> list[tuple[int, str, object]]:
    found = []
    for block in body.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in lines:
            found.append((int(lines["id"]), lines["event"], json.loads(lines["data"])))
    return found


async def opened(changes: Changes, last: int | None = None):
    """Return a reader that has got its first bytes."""
    reader = changes.read(last, may_read=lambda: True)
    assert (await anext(reader)).startswith(b"retry: ")
    return reader


async def test_of_one_thing_only_the_last_word_is_sent():
    changes = Changes(first_number=100)
    reader = await opened(changes)
    for value in range(1_000):
        changes.note("state", "", value)
    changes.turn()
    assert events(await anext(reader)) == [(100, "state", 999)]


async def test_of_too_many_the_newest_are_sent():
    changes = Changes(first_number=0)
    reader = await opened(changes)
    for value in range(MOST_A_TURN + 5):
        changes.note("order", str(value), value)
    changes.turn()
    assert [value for _, _, value in events(await anext(reader))] == list(range(5, MOST_A_TURN + 5))


async def test_who_comes_back_gets_what_came_meanwhile():
    changes = Changes(first_number=0)
    watcher = await opened(changes)
    for value in range(4):
        changes.note("fill", str(value), value)
    changes.turn()
    reader = await opened(changes, last=1)
    assert [number for number, _, _ in events(await anext(reader))] == [2, 3]
    await watcher.aclose()


@pytest.mark.parametrize("last", [0, 10**18])
async def test_who_was_away_too_long_or_comes_from_elsewhere_is_told(last):
    changes = Changes(first_number=1_000)
    watcher = await opened(changes)
    changes.note("fill", "", 1)
    changes.turn()
    reader = await opened(changes, last=last)
    ((_, name, data),) = events(await anext(reader))
    assert (name, data) == ("missed", {"missed": True})
    await watcher.aclose()


async def test_what_happened_while_nobody_read_was_missed():
    changes = Changes(first_number=0)
    watcher = await opened(changes)
    changes.note("fill", "", 1)
    changes.turn()
    await watcher.aclose()
    changes.note("fill", "", 2)
    changes.turn()
    reader = await opened(changes, last=0)
    assert [name for _, name, _ in events(await anext(reader))] == ["missed"]


async def test_the_ring_is_bounded_in_events_and_in_bytes():
    changes = Changes(first_number=0)
    watcher = await opened(changes)
    for turn in range(100):
        for value in range(MOST_A_TURN):
            changes.note("order", str(value), turn)
        changes.turn()
        assert len(changes._ring) <= KEPT
    big = "x" * 1_000_000
    for turn in range(40):
        changes.note("alert", str(turn), big)
        changes.turn()
    assert changes._bytes < 17 * 1024**2
    assert changes._bytes == sum(len(one.body) for one in changes._ring)
    await watcher.aclose()


async def test_a_reader_that_stands_still_holds_nothing_up_and_is_told():
    changes = Changes(first_number=0)
    slow = await opened(changes)
    for turn in range(KEPT // MOST_A_TURN + 2):
        for value in range(MOST_A_TURN):
            changes.note("order", str(value), turn)
        changes.turn()
    assert [name for _, name, _ in events(await anext(slow))] == ["missed"]
    changes.note("order", "last", "last")
    changes.turn()
    assert [data for _, _, data in events(await anext(slow))] == ["last"]


async def test_an_end_ends_every_reader():
    changes = Changes()
    reader = await opened(changes)
    waiting = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)
    changes.close()
    with pytest.raises(StopAsyncIteration):
        await waiting
    assert changes.readers == 0


async def test_a_reader_who_may_read_no_more_gets_nothing_that_came_since():
    changes, rights = Changes(), [True]
    reader = changes.read(None, may_read=lambda: rights[0])
    await anext(reader)
    rights[0] = False
    changes.note("order", "secret", 1)
    changes.turn()
    with pytest.raises(StopAsyncIteration):
        await anext(reader)
    assert changes.readers == 0


async def test_a_quiet_reader_ends_with_its_right_too():
    changes, rights = Changes(), [True]
    reader = changes.read(None, may_read=lambda: rights[0])
    await anext(reader)
    waiting = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)
    rights[0] = False
    async with asyncio.timeout(5 * LOOK_SECONDS):
        with pytest.raises(StopAsyncIteration):
            await waiting
