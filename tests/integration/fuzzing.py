"""Requests made from the console's own OpenAPI document, and what no answer to them may be."""

import warnings
from collections.abc import Iterator
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings

with warnings.catch_warnings():
    # The generator's own dependencies warn while they are imported.
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.core import NOT_SET

PROBLEM = "application/problem+json"


def operations(url: str, *methods: str) -> Iterator[Any]:
    """Yield the operations of a console's document with these methods."""
    document = httpx.get(f"{url}/schema/openapi.json").json()
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = found.ok()
        if operation.method.upper() in methods:
            yield operation


def fuzz(client: httpx.Client, operation, headers: dict[str, str], examples: int) -> set[int]:
    """Ask in so many ways; every answer is no fault, and a refusal says what is wrong."""
    seen: set[int] = set()

    @settings(
        max_examples=examples,
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
            **({} if case.body is NOT_SET else {"json": case.body}),
        )
        seen.add(answer.status_code)
        assert answer.status_code < 500, (case.formatted_path, case.body, answer.text)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == PROBLEM

    hold()
    return seen
