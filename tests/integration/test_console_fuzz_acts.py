"""Whatever a person with every right tells the console, it has no fault.

On a desk of its own that obeys: it is stopped, resumed and steered hundreds of times.
"""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from interlock.console.sessions import COOKIE
from interlock.wire.catalogue import REASONER

from tests.integration.drill_desk import DrillDesk, drill_desk
from tests.integration.fuzzing import fuzz, operations

pytestmark = [pytest.mark.servers, pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]

EXAMPLES = 20
ENDS_THE_SESSION = "/api/logout"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk() -> AsyncIterator[DrillDesk]:
    async with drill_desk(REASONER) as running:
        yield running


async def test_no_word_of_an_approver_is_a_fault(desk: DrillDesk):
    async with desk.person("ada") as ada:
        cookie = {"Cookie": f"{COOKIE}={ada.cookies[COOKIE]}"}
        seen = await asyncio.to_thread(tell, desk.url, cookie | dict(ada.headers))
        assert {200, 400} <= seen
        again = {"reason": "", "confirm": "resume drill"}
        assert (await ada.post("/api/resume", json=again)).json()["outcome"] == "obeyed"
        request = await desk.ask_people(1)
        done = await ada.post(f"/api/approvals/{request}/approve", json={})
        assert done.json()["approval"] == "approved", "the desk obeys as before"
        assert (await ada.get("/api/state")).json()["trading_state"] == "active"


def tell(url: str, headers: dict[str, str]) -> set[int]:
    """Try every action of the document and return the statuses that came."""
    seen: set[int] = set()
    with httpx.Client(base_url=url, timeout=30) as client:
        for operation in operations(url, "POST"):
            if operation.path != ENDS_THE_SESSION:
                seen |= fuzz(client, operation, headers, EXAMPLES)
    return seen
