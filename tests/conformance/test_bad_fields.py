"""Every field of every message, made unusable in every way: refused by name, or heard and survived.

A message is taken from the wire with one field absent, of another type, no number, infinite,
negative, huge, or of another unit. Either its decoder names the field, or policy, gate and exec
hear it, none of them fails over it, nothing goes to the venue, and the next order has its verdict.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from interlock.wire import codec
from interlock.wire.base import Message
from interlock.wire.catalogue import ENTRIES
from interlock.wire.orders import OrderDenied, SubmitOrder

from tests.conformance.world import World, open_world

EXAMPLES = Path(__file__).parents[2] / "proto" / "examples"
ABSENT = object()
BAD: dict[str, Any] = {
    "absent": ABSENT,
    "null": None,
    "a text": "text",
    "no text": "",
    "true": True,
    "a list": [],
    "a list of lists": [[]],
    "an object": {},
    "no number": float("nan"),
    "no number as text": "NaN",
    "infinite": float("inf"),
    "infinite as text": "-Infinity",
    "negative": -1,
    "negative as text": "-1",
    "zero": 0,
    "zero as text": "0",
    "huge": 10**40,
    "huge as text": "1e400",
    "tiny as text": "1e-400",
    "of another unit": "100 USD",
    "another currency": "XXX",
    "hidden letters": "SPY\u200b\u202e",
}
OURS = {"desk": "proof", "account": "paper-proof", "instrument_id": "SPY"}


def _example(tag: str) -> dict[str, Any]:
    path = min((EXAMPLES / tag).glob("*.json"))
    document: dict[str, Any] = json.loads(path.read_bytes())
    return {name: OURS.get(name, value) for name, value in document.items()}


def _spoiled(document: dict[str, Any], number: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield field, what is wrong with it, and the message, each with an id of its own."""
    for field in document:
        for how, value in BAD.items():
            spoiled = {**document, "message_id": f"{number:032x}", field: value}
            if value is ABSENT:
                del spoiled[field]
            yield field, how, json.dumps(spoiled).encode()
            number += 1


def _hear(world: World, message: Message) -> None:
    """Give it to everybody who listens to its kind, as if the bus had let it through."""
    for entry in ENTRIES:
        if entry.kind is type(message):
            for name in entry.listeners:
                if name in world.rooms:
                    world.rooms[name].waiting.append(message)
    world.settle()


@pytest.mark.parametrize("tag", sorted(entry.tag for entry in ENTRIES))
def test_i9_a_bad_field_is_named_or_survived_and_sends_nothing(tag: str):
    world = open_world()
    world.market()
    refused = heard = 0
    for field, how, body in _spoiled(_example(tag), 1 << 100):
        where = f"{field} is {how}"
        try:
            message = codec.decode(body)
        except codec.UndecodableError as error:
            refused += 1
            nameless = how in {"no number", "infinite"} or field == "type"
            assert nameless or field in str(error), f"{where}: {error}"  # noqa: PT017 - many here
            continue
        heard += 1
        before = len(world.venue.book)
        _hear(world, message)
        assert len(world.venue.book) <= before, where
    assert refused
    world.come_back()
    world.resume()
    world.market()
    verdict = world.ask(world.intent())
    assert isinstance(verdict, SubmitOrder | OrderDenied)
