"""Whatever is asked of the console, it has no fault: every answer but a 5xx."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from interlock.console.sessions import CSRF_HEADER

from tests.integration.console_desk import PATIENCE_SECONDS, console_desk
from tests.integration.fuzzing import fuzz, operations

pytestmark = pytest.mark.servers

EXAMPLES = 25
WITHOUT_END = "/api/stream"
# A viewer's words are read, and refused for the role: nobody here would obey an approver's.
ROLES = {"GET": "ada", "POST": "vera"}
LOGS_OUT = "/api/logout"


@pytest.fixture(scope="module")
def addresses(tmp_path_factory) -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """Start a console in a loop of its own; yield its address, and headers by method."""
    with asyncio.Runner() as runner:
        world = console_desk(tmp_path_factory.mktemp("fuzz"))
        desk = runner.run(world.__aenter__())
        try:
            yield desk.url, {method: _headers(desk, name) for method, name in ROLES.items()}
        finally:
            runner.run(world.__aexit__(None, None, None))


def _headers(desk, name: str) -> dict[str, str]:
    answer = httpx.post(f"{desk.url}/api/login", json={"token": desk.tokens[name]})
    return {
        CSRF_HEADER: answer.json()["csrf"],
        "Cookie": answer.headers["set-cookie"].partition(";")[0],
    }


def test_no_question_of_the_document_is_a_fault(addresses):
    url, headers = addresses
    asked = 0
    with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
        for operation in operations(url, *ROLES):
            if operation.path not in (WITHOUT_END, LOGS_OUT):
                fuzz(client, operation, headers[operation.method.upper()], EXAMPLES)
                asked += 1
    assert asked > 30
