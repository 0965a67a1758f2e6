"""Whatever is asked of the console, it has no fault: every answer but a 5xx."""

import warnings
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

with warnings.catch_warnings():
    # The generator's own dependencies warn while they are imported.
    warnings.simplefilter("ignore")
    import schemathesis

from interlock.console.sessions import CSRF_HEADER

from tests.integration.console_desk import PATIENCE_SECONDS, console_desk

pytestmark = pytest.mark.servers

EXAMPLES = 25
WITHOUT_END = "/api/stream"
# A word that is right is stored and waits seconds for a service that does not run here: a viewer's
# is read, and refused for its role.
ROLES = {"GET": "ada", "POST": "vera"}
LOGS_IN, LOGS_OUT = "/api/login", "/api/logout"


@pytest.fixture(scope="module")
def addresses(tmp_path_factory) -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """Start a console in a loop of its own; yield its address, and headers by method."""
    import asyncio

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
    document = httpx.get(f"{url}/schema/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    asked = 0
    with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
        for found in schema.get_all_operations():
            operation = found.ok()
            if operation.path in (WITHOUT_END, LOGS_OUT):
                continue
            _fuzz(client, operation, headers[operation.method.upper()])
            asked += 1
    assert asked > 30


def _fuzz(client: httpx.Client, operation, headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def hold(case):
        answer = client.request(
            case.method,
            case.formatted_path,
            params=dict(case.query or {}),
            headers=headers,
            **_body(case),
        )
        assert answer.status_code < 500, (case.formatted_path, answer.text)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"

    hold()


def _body(case) -> dict[str, object]:
    from schemathesis.core import NOT_SET

    return {} if case.body is NOT_SET else {"json": case.body}
