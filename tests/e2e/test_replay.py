"""A replay, from the command to the closing summary, undisturbed and under fire."""

import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Self

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.e2e.desk import (
    PATIENCE_SECONDS,
    assert_nothing_happened_twice,
    children,
    decisions,
    interlock,
    running,
    up,
    wait_until,
    write_slice,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

SERVICES = ("gate", "exec", "strategy", "signals", "policy", "ledger", "local-reasoner", "feed")
SERVERS = ("nats", "valkey", "postgres")
SLOW = ("--speed", "600000")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_slice(tmp_path_factory.mktemp("data") / "slice.csv", first=480, rows=240)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, data: Path) -> tuple[Path, dict]:
    """The same replay on the bus, as processes, with spans sent to a collector as well."""
    state = tmp_path_factory.mktemp("undisturbed")
    with Collector() as collector:
        closing = up(state, data, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
        closing["collected"] = collector.spans
    return state, closing


class Collector:
    """An OTLP collector that keeps what it is sent."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, str]] = []
        collected = self.spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    import gzip

                    body = gzip.decompress(body)
                request = ExportTraceServiceRequest.FromString(body)
                for resource in request.resource_spans:
                    for scope in resource.scope_spans:
                        collected.extend((s.trace_id.hex(), s.name) for s in scope.spans)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_a_replay_ends_with_every_count_in_agreement(undisturbed):
    _, closing = undisturbed
    assert closing["lost"] == 0
    assert closing["parked"] == 0
    assert closing["summary"]["bars"] == 240
    assert closing["summary"]["fills"] > 0
    assert closing["summary"]["proposals_applied"] > 0


def test_the_bus_and_one_process_decide_the_same(undisturbed, data: Path, tmp_path: Path):
    state, closing = undisturbed
    alone = up(tmp_path / "alone", data, "--single-process")
    assert decisions(tmp_path / "alone") == decisions(state)
    assert alone["summary"]["sample_decision"] == closing["summary"]["sample_decision"]


def test_a_second_replay_in_the_same_folder_decides_the_same(data: Path, tmp_path: Path):
    up(tmp_path, data, "--single-process")
    first = decisions(tmp_path)
    up(tmp_path, data, "--single-process")
    assert decisions(tmp_path) == first
    assert len(list((tmp_path / "past").iterdir())) == 1


def test_trace_shows_a_decision_from_bar_to_fill(undisturbed):
    state, closing = undisturbed
    decision = closing["summary"]["sample_decision"]
    shown = interlock("trace", decision, "--state", str(state))
    assert shown.returncode == 0, shown.stderr
    wanted = ("feed data.bar", "signals data.bar", "strategy data.features",
              "gate order.intent", "exec order.submit")  # fmt: skip
    assert all(name in shown.stdout for name in wanted)
    collected = {name for trace, name in closing["collected"] if trace == decision}
    assert collected.issuperset(wanted)


@pytest.mark.parametrize("victims", [SERVICES[:4], SERVICES[4:]], ids=" ".join)
def test_killed_services_come_back_and_nothing_is_done_twice(
    victims: tuple[str, ...], undisturbed, data: Path, tmp_path: Path
):
    with running(tmp_path, data, *SLOW) as process:
        for victim in victims:
            _kill(tmp_path, victim)
        wait_until(lambda: _finished(tmp_path))
        process.terminate()
        closing = json.loads(process.communicate(timeout=PATIENCE_SECONDS)[0])
    assert closing["lost"] == 0
    assert closing["restarts"] >= len(victims)
    assert_nothing_happened_twice(tmp_path)
    assert decisions(tmp_path) == decisions(undisturbed[0])


def test_killed_servers_come_back_and_nothing_is_lost_or_done_twice(data: Path, tmp_path: Path):
    """The gate denies while the policy store is away, so the orders may be fewer."""
    with running(tmp_path, data, *SLOW) as process:
        for victim in SERVERS:
            _kill(tmp_path, victim)
        wait_until(lambda: _finished(tmp_path))
        process.terminate()
        closing = json.loads(process.communicate(timeout=PATIENCE_SECONDS)[0])
    assert closing["lost"] == 0
    assert closing["summary"]["bars"] == 240
    assert_nothing_happened_twice(tmp_path)


def test_a_killed_desk_goes_on_where_it_was(undisturbed, data: Path, tmp_path: Path):
    with running(tmp_path, data, *SLOW) as process:
        wait_until(lambda: _journal_rows(tmp_path) > 200)
        process.kill()
        process.wait()
        wait_until(lambda: not _alive(tmp_path))
    closing = up(tmp_path, data)
    assert closing["lost"] == 0
    assert_nothing_happened_twice(tmp_path)
    assert decisions(tmp_path) == decisions(undisturbed[0])


def _kill(state: Path, victim: str) -> None:
    """Kill one child, and wait until another one stands in its place."""
    known = children(state)[victim]["pid"]
    os.kill(known, signal.SIGKILL)
    wait_until(lambda: _is_back(state, victim, known) or _finished(state))


def _is_back(state: Path, victim: str, known: int) -> bool:
    child = children(state).get(victim, {})
    return child.get("pid") != known and child.get("ready", False)


def _finished(state: Path) -> bool:
    record = json.loads((state / "replay.json").read_text())
    return record["finished"]


def _journal_rows(state: Path) -> int:
    path = state / "journal" / "journal.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _alive(state: Path) -> bool:
    return any(Path(f"/proc/{child['pid']}").exists() for child in children(state).values())
