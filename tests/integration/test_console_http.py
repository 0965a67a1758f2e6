"""The console over real HTTP: who gets in, what they see, and what bad input comes to."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import httpx
import pytest
import pytest_asyncio
from interlock.cli.main import app
from interlock.console.sessions import COOKIE, CSRF_HEADER
from interlock.console.tokens import TOKENS_FILE, add_token, revoke
from interlock.console.views.people import Role
from typer.testing import CliRunner

from tests.integration.console_desk import (
    PATIENCE_SECONDS,
    SCRIPT,
    THESIS,
    ConsoleDesk,
    console_desk,
)

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="module")]

READS = (
    *("/api/session", "/api/state", "/api/positions", "/api/orders", "/api/equity"),
    *("/api/bars?instrument=SPY", "/api/marks?instrument=SPY", "/api/decisions"),
    *("/api/controls", "/api/buckets", "/api/policy", "/api/policy/history"),
    *("/api/policy/diff?from=1&to=2", "/api/scorecard", "/api/calibration", "/api/budgets"),
    *("/api/health", "/api/alerts", "/api/approvals", "/api/gpt5-status", "/api/risk-status"),
    "/api/model-stats",
)
ACTS = {
    "/api/kill": {},
    "/api/resume": {"reason": "", "confirm": "resume params"},
    "/api/force-demo": {},
    "/api/clear-quarantine": {},
    "/api/policy/rollback": {"version": 1, "reason": "x"},
    "/api/reasoner/pause": {},
    "/api/reasoner/resume": {},
    "/api/dial": {"level": 1},
    "/api/approvals/x/approve": {},
    "/api/approvals/x/reject": {"reason": "no"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory) -> AsyncIterator[ConsoleDesk]:
    async with console_desk(tmp_path_factory.mktemp("console")) as running:
        yield running


def code_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("path", READS)
async def test_what_can_be_read_is_read_by_a_viewer_and_by_nobody_else(desk, path):
    async with httpx.AsyncClient(base_url=desk.url) as nobody:
        assert code_of(await nobody.get(path)) == (401, "login")
    async with desk.person("vera") as viewer:
        answer = await viewer.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ACTS)
async def test_an_action_needs_a_session_its_word_and_a_role(desk, path):
    async with httpx.AsyncClient(base_url=desk.url) as nobody:
        assert code_of(await nobody.post(path, json=ACTS[path])) == (401, "login")
    async with desk.person("vera") as viewer:
        assert code_of(await viewer.post(path, json=ACTS[path])) == (403, "role")
        word = viewer.headers.pop(CSRF_HEADER)
        assert code_of(await viewer.post(path, json=ACTS[path])) == (401, "csrf")
        viewer.headers[CSRF_HEADER] = word[:-1] + ("0" if word[-1] != "0" else "1")
        assert code_of(await viewer.post(path, json=ACTS[path])) == (401, "csrf")
    async with desk.person("otto") as operator:
        if "approvals" in path:
            assert code_of(await operator.post(path, json=ACTS[path])) == (403, "role")


async def test_another_persons_word_is_not_ones_own(desk):
    async with desk.person("otto") as one, desk.person("ada") as other:
        one.headers[CSRF_HEADER] = other.headers[CSRF_HEADER]
        assert code_of(await one.post("/api/kill", json={})) == (401, "csrf")


async def test_the_cookie_is_for_this_page_only(desk):
    async with httpx.AsyncClient(base_url=desk.url) as client:
        answer = await client.post("/api/login", json={"token": desk.tokens["vera"]})
        sealed = answer.headers["set-cookie"]
        assert "HttpOnly" in sealed
        assert "samesite=strict" in sealed.lower()
        assert desk.tokens["vera"] not in sealed
        body = answer.json()
        assert (body["name"], body["role"], body["desk"]) == ("vera", "viewer", "params")
        for cut in (1, 10):
            forged = {COOKIE: client.cookies[COOKIE][:-cut] + "A" * cut}
            async with httpx.AsyncClient(base_url=desk.url, cookies=forged) as thief:
                assert code_of(await thief.get("/api/state")) == (401, "login")


async def test_a_logout_ends_the_session_for_who_copied_it_too(desk):
    async with desk.person("vera") as viewer:
        copied = dict(viewer.cookies)
        assert (await viewer.post("/api/logout")).status_code == 204
        async with httpx.AsyncClient(base_url=desk.url, cookies=copied) as thief:
            assert code_of(await thief.get("/api/state")) == (401, "login")


async def test_a_token_that_is_taken_away_ends_its_sessions(desk):
    words = ["console", "token", "--role", "viewer", "--name", "Eve Short"]
    state = ["--state", str(desk.state.root)]
    made = CliRunner().invoke(app, [*words, *state])
    assert made.exit_code == 0, made.output
    desk.tokens["eve"] = made.stdout.strip()
    async with desk.person("eve") as eve:
        assert (await eve.get("/api/session")).json()["name"] == "Eve Short"
        gone = CliRunner().invoke(app, ["console", "revoke", "--name", "Eve Short", *state])
        assert gone.exit_code == 0, gone.output
        assert code_of(await eve.get("/api/session")) == (401, "login")


async def ended(stream: httpx.Response) -> bool:
    """Return whether a stream comes to its end by itself, in time."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for _ in stream.aiter_bytes():
            pass
    return True


async def test_an_open_stream_ends_with_the_logout_of_its_session(desk):
    async with desk.person("vera") as other, other.stream("GET", "/api/stream") as kept:
        async with desk.person("vera") as viewer, viewer.stream("GET", "/api/stream") as stream:
            await viewer.post("/api/logout")
            assert await ended(stream)
        assert b"retry" in await anext(kept.aiter_bytes()), "another session of hers goes on"
        assert (await other.get("/api/session")).status_code == 200


async def test_an_open_stream_ends_with_the_token_it_came_from(desk):
    desk.tokens["mallory"] = add_token(desk.state.secrets, "mallory", Role.VIEWER)
    async with desk.person("mallory") as viewer, viewer.stream("GET", "/api/stream") as stream:
        assert revoke(desk.state.secrets, "mallory") == 1
        assert await ended(stream)
        assert code_of(await viewer.get("/api/stream")) == (401, "login")


async def test_damaged_tokens_are_said_and_no_fault(desk):
    path = desk.state.secrets / TOKENS_FILE
    whole = path.read_bytes()
    async with desk.person("vera") as viewer:
        path.write_text("[")
        try:
            assert code_of(await viewer.get("/api/state")) == (503, "tokens")
            answer = await viewer.post("/api/login", json={"token": "any"})
            assert code_of(answer) == (503, "tokens")
        finally:
            path.write_bytes(whole)
        assert (await viewer.get("/api/state")).status_code == 200


async def test_wrong_tokens_are_slowed_down_and_right_ones_wait_as_well(tmp_path_factory):
    async with (
        console_desk(tmp_path_factory.mktemp("slow")) as desk,
        httpx.AsyncClient(base_url=desk.url) as client,
    ):
        for _ in range(5):
            answer = await client.post("/api/login", json={"token": "guess"})
            assert code_of(answer) == (401, "token")
        for token in ("guess", desk.tokens["ada"]):
            answer = await client.post("/api/login", json={"token": token})
            assert code_of(answer) == (429, "login_rate")
            assert 1 <= int(answer.headers["retry-after"]) <= 61


@pytest.mark.parametrize("host", ["evil.example", "evil.example:5555", "", "127.0.0.1.evil.test"])
async def test_a_name_that_is_not_ours_is_refused(desk, host):
    async with httpx.AsyncClient(base_url=desk.url) as client:
        answer = await client.get("/api/session", headers={"Host": host})
        assert answer.status_code in (400, 421)
        assert answer.status_code == 400 or code_of(answer) == (421, "host")


async def test_another_page_may_not_post(desk):
    async with desk.person("otto") as operator:
        foreign = {"Origin": "http://evil.example"}
        answer = await operator.post("/api/force-demo", json={}, headers=foreign)
        assert code_of(answer) == (403, "origin")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/decisions/nope", 404, "unknown"),
        ("/api/decisions/" + "a" * 300, 400, "input"),
        ("/api/decisions?cursor=nonsense", 400, "input"),
        ("/api/decisions?cursor=%00", 400, "input"),
        ("/api/decisions?limit=0", 400, "input"),
        ("/api/decisions?limit=1000", 400, "input"),
        ("/api/decisions?limit=x", 400, "input"),
        ("/api/decisions?epoch=99999999999999999999", 400, "input"),
        ("/api/decisions?min_conviction=nan", 400, "input"),
        ("/api/decisions?kind=other", 400, "input"),
        ("/api/decisions?instrument=%00", 400, "input"),
        ("/api/orders?status=some", 400, "input"),
        ("/api/equity?since=yesterday", 400, "input"),
        ("/api/equity?since=99999999999999999999999", 400, "input"),
        ("/api/bars", 400, "input"),
        ("/api/marks?instrument=", 400, "input"),
        ("/api/policy/diff?from=1&to=99", 404, "unknown"),
        ("/api/policy/diff?from=a&to=2", 400, "input"),
        ("/api/alerts?severity=loud", 400, "input"),
        ("/api/approvals?state=odd", 400, "input"),
        ("/api/nothing", 404, "unknown"),
        ("/assets/nothing.js", 404, "unknown"),
    ],
)
async def test_a_bad_question_is_a_problem_that_says_why(desk, path, status, code):
    async with desk.person("vera") as viewer:
        answer = await viewer.get(path)
        assert code_of(answer) == (status, code), answer.text
        assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/resume", {"reason": "x", "confirm": "resume"}, 400),
        ("/api/resume", {"reason": "x", "confirm": "resume other"}, 400),
        ("/api/resume", {"confirm": 7}, 400),
        ("/api/policy/rollback", {"version": 1.5, "reason": "x"}, 400),
        ("/api/policy/rollback", {"version": -1, "reason": "x"}, 400),
        ("/api/policy/rollback", {"version": 10**30, "reason": "x"}, 400),
        ("/api/dial", {"level": 4}, 400),
        ("/api/dial", {"level": "much"}, 400),
        ("/api/kill", {"reason": "x" * 2_000}, 400),
        ("/api/kill", {"reason": "x", "extra": 1}, 400),
        ("/api/kill", {"reason": "x" * 100_000}, 413),
        ("/api/kill", [], 400),
        ("/api/approvals/x/reject", {"reason": "  "}, 400),
    ],
)
async def test_a_bad_word_is_refused_and_does_nothing(desk, path, body, status):
    async with desk.person("ada") as approver:
        answer = await approver.post(path, json=body)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert not (desk.state.root / "KILL_SWITCH").exists()


async def test_the_decision_list_leafs_through_everything_once(desk):
    async with desk.person("vera") as viewer:
        whole = (await viewer.get("/api/decisions")).json()
        assert whole["next"] is None
        assert {one["kind"] for one in whole["items"]} == {"order", "proposal"}
        seen, cursor = [], ""
        while cursor is not None:
            page = (await viewer.get(f"/api/decisions?limit=2&cursor={cursor}")).json()
            seen += page["items"]
            cursor = page["next"]
        assert seen == whole["items"]
        moments = [int(one["ts_event"]) for one in seen]
        assert moments == sorted(moments, reverse=True)


@pytest.mark.parametrize(
    ("query", "verdicts"),
    [
        ("verdict=denied", ["denied"]),
        ("verdict=approved", ["approved"] * 3),
        ("verdict=accepted", ["accepted"]),
        ("verdict=denied&instrument=SPY", ["denied"]),
        ("verdict=denied&instrument=AAPL", []),
        ("instrument=SPY&kind=order", ["approved", "approved", "approved", "denied"]),
        ("min_conviction=1", []),
        ("code=nothing.such", []),
        ("epoch=999", []),
        ("desk=other", []),
    ],
)
async def test_the_decision_list_shows_what_was_asked_for(desk, query, verdicts):
    async with desk.person("vera") as viewer:
        page = (await viewer.get(f"/api/decisions?{query}")).json()
        assert [one["verdict"] for one in page["items"]] == verdicts


async def test_denials_are_found_by_their_code(desk):
    async with desk.person("vera") as viewer:
        (denied,) = (await viewer.get("/api/decisions?verdict=denied")).json()["items"]
        assert denied["codes"]
        for code in denied["codes"]:
            page = (await viewer.get(f"/api/decisions?code={code}&verdict=denied")).json()
            assert [one["intent_id"] for one in page["items"]] == [denied["intent_id"]]
        detail = (await viewer.get(f"/api/decisions/{denied['decision_id']}")).json()
        (verdict,) = detail["verdicts"]
        failed = {one["code"]: one for one in verdict["controls"] if not one["held"]}
        assert failed.keys() == set(denied["codes"])
        assert all(one["observed"] and one["limit"] for one in failed.values())
        assert detail["outcome"]["result"] == "none"


async def test_a_closed_trade_is_told_with_its_events_and_what_it_made(desk):
    async with desk.person("vera") as viewer:
        page = (await viewer.get("/api/orders?limit=200")).json()
        (sold,) = [one for one in page["items"] if one["side"] == "sell"]
        detail = (await viewer.get(f"/api/decisions/{sold['decision_id']}")).json()
        statuses = [one["status"] for one in detail["order_events"]]
        assert statuses == ["initialized", "submitted", "filled"]
        assert [Decimal(one["price"]) for one in detail["fills"]] == [Decimal("99.5")]
        assert detail["verdicts"][0]["verdict"] == "approved"
        assert all(one["held"] for one in detail["verdicts"][0]["controls"])
        still_open = (await viewer.get("/api/orders?status=open")).json()["items"]
        assert [one["status"] for one in still_open] == ["accepted"]


async def test_a_models_huge_answer_travels_as_text_of_a_json_document(desk):
    async with desk.person("vera") as viewer:
        (line,) = (await viewer.get("/api/decisions?kind=proposal")).json()["items"]
        calls = []
        for decision_id in {line["decision_id"], *await _model_decisions(desk)}:
            answer = await viewer.get(f"/api/decisions/{decision_id}")
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["x-content-type-options"] == "nosniff"
            calls += answer.json()["model_calls"]
        (call,) = calls
        assert call["answer"] == THESIS
        assert (call["detail"], call["parsed"]) == (SCRIPT, None)


async def _model_decisions(desk: ConsoleDesk) -> list[str]:
    from interlock.runtime.stores.postgres import Postgres

    async with Postgres(desk.postgres_url, application="test") as store:
        return [row["decision_id"] for row in await store.rows("SELECT * FROM model_calls")]


async def test_policy_history_and_what_differs(desk):
    async with desk.person("vera") as viewer:
        history = (await viewer.get("/api/policy/history?limit=1")).json()
        assert [one["version"] for one in history["items"]] == [2]
        older = (await viewer.get(f"/api/policy/history?cursor={history['next']}")).json()
        assert [one["version"] for one in older["items"]] == [1]
        diff = (await viewer.get("/api/policy/diff?from=1&to=2")).json()
        assert diff["changes"] == [{"name": "threshold_bps", "old": 1.0, "new": 1.1}]


async def test_the_api_describes_itself_without_asking_anybody(desk):
    async with httpx.AsyncClient(base_url=desk.url) as client:
        page = await client.get("/schema")
        assert page.headers["content-type"].startswith("text/html")
        assert "://" not in page.text.replace("http://", "", 0).split("<body>")[1]
        document = (await client.get("/schema/openapi.json")).json()
        wanted = {path.partition("?")[0] for path in READS} | set(ACTS) | {"/api/stream"}
        known = set(document["paths"])
        assert {path.replace("/x/", "/{request_id}/") for path in wanted} <= known
