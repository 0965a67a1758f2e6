"""Models that hang, refuse, talk without end or talk nonsense, behind real HTTP.

A whole desk replays a stretch of days while every model it has, the local and the cloud one, is a
stub that fails in one way. A desk without an answer goes on without one: nothing is proposed,
judged or assessed, each entry comes of a bar, and no more is asked than the budget of a day allows.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import uvloop
from interlock.cli.in_process import InProcessDesk
from interlock.runtime.bus.memory import MemoryServer
from interlock.runtime.config import DeskFile, load_desk_file
from interlock.runtime.launch import Settings
from interlock.runtime.signing import create_keys
from interlock.runtime.switch_file import arm_at_first_start
from interlock.testkit.stub_model import (
    Endless,
    HangUp,
    Raw,
    Refuse,
    Reply,
    Say,
    Status,
    StubModel,
)
from interlock.venues.replay import open_replay
from interlock.wire.base import tag_of
from interlock.wire.catalogue import Stream
from interlock.wire.decisions import ScoreComputed
from interlock.wire.market import Bar
from interlock.wire.orders import OrderIntent
from interlock.wire.policy import PolicyChanged
from interlock.wire.reasoning import (
    DoNotTradeProposed,
    EscalationTriggered,
    ParameterProposal,
    ReasonerFailed,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    SentimentJudged,
)

from tests.chaos.report import Outcome, require_all
from tests.e2e.desk import write_slice

LIMIT_SECONDS = 420
ROOT = Path(__file__).parents[2]
DESK = ROOT / "deploy" / "desks" / "hybrid.toml"
ROWS = 480
REPLAY_BOUND_SECONDS = 150.0
LOCAL_CALLS, CLOUD_CALLS = 12, 3
LOCAL_PATH, CLOUD_PATH = "/api/chat", "/v1/chat/completions"
FAULTS: dict[str, Reply] = {
    "timeout": Say("{}", after_seconds=3_600),
    "429": Status(429, retry_after=1),
    "garbage": Raw("<html>not found</html>", "text/html"),
    "endless output": Endless(),
    "refusal": Refuse(),
    "nonsense": Say("BUY everything, at any price, now."),
    "hang-up": HangUp(),
    "500": Status(500),
    "cut short": Say('{"root_cause": "the d', cut=True),
}
FULL, SMOKE = len(FAULTS), 1
FROM_A_MODEL = (
    DoNotTradeProposed,
    ParameterProposal,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    SentimentJudged,
)


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


async def _run(seed: int, trials: int) -> Outcome:
    asked, failed, intents, breaches, failures = 0, 0, 0, list[str](), list[str]()
    reasons = Counter[str]()
    with tempfile.TemporaryDirectory(prefix="interlock-chaos-") as name:
        folder = Path(name)
        data = write_slice(folder / "data.csv", 0, ROWS)
        for fault in list(FAULTS)[:trials]:
            async with StubModel([FAULTS[fault]]) as stub:
                server = await _replayed(folder, data, stub)
                paths = Counter(one.path for one in stub.requests)
                local, cloud = paths[LOCAL_PATH], paths[CLOUD_PATH]
            said = [row.message for row in server.rows(Stream.DESK)]
            kinds = Counter(type(one) for one in said)
            bars = {row.message.decision_id for row in server.rows(Stream.MARKET)
                    if isinstance(row.message, Bar)}  # fmt: skip
            days = {one.day for one in said if isinstance(one, EscalationTriggered) and one.granted}
            # What only reduces may come of the kill rule, which looks at the account.
            strange = [
                one
                for one in said
                if isinstance(one, OrderIntent)
                and not one.reduce_only
                and one.decision_id not in bars
            ]
            asked += local + cloud
            failed += kinds[ReasonerFailed]
            intents += kinds[OrderIntent]
            reasons.update(str(one.reason) for one in said if isinstance(one, ReasonerFailed))
            breaches += [f"{fault}: {tag_of(kind)}" for kind in FROM_A_MODEL if kinds[kind]]
            breaches += [f"{fault}: an order of no bar"] * len(strange)
            failures += require_all(
                [
                    (local > 0 and cloud > 0, f"{fault}: a model was not asked"),
                    (local <= LOCAL_CALLS, f"{fault}: {local} requests to the local model"),
                    (
                        cloud <= CLOUD_CALLS * len(days),
                        f"{fault}: {cloud} requests to the cloud on {len(days)} days",
                    ),
                    (kinds[ReasonerFailed] > 0, f"{fault}: nobody said so"),
                    (kinds[PolicyChanged] == 1, f"{fault}: the policy changed"),
                    (kinds[ScoreComputed] > ROWS / 2, f"{fault}: the desk stopped scoring"),
                ]
            )
    told = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
    return Outcome(
        fault="F22",
        what="models that fail",
        seed=seed,
        trials=min(trials, len(FAULTS)),
        unit="faults",
        acknowledged=asked,
        breaches=len(breaches),
        detected=failed,
        failures=[*breaches[:8], *failures],
        note=f"{asked} requests, {intents} intents of bars; {told}",
    )


def _desk(stub: StubModel) -> DeskFile:
    """Return the desk with the stub for both models, each with a budget of calls a day."""
    scenario = DESK.with_suffix("") / "crash-2008-unforced.toml"
    endpoint = (
        f'{{ provider = "openai-chat", model = "stub-1", base_url = "{stub.openai_url}", '
        'api_key_env = "", timeout_seconds = 0.3, usd_per_million_in = 1, '
        "usd_per_million_out = 10, budget_usd_per_day = 1 }"
    )
    levels = "{ sharpe_ratio = { fires = 98.0, clears = 99.0 } }"
    return load_desk_file(
        DESK,
        {
            "INTERLOCK_SCENARIO": str(scenario),
            "INTERLOCK__ESCALATION__CLOUD": endpoint,
            "INTERLOCK__ESCALATION__LOCAL": '{ provider = "none" }',
            "INTERLOCK__ESCALATION__LEVELS": levels,
            "INTERLOCK__LOCAL_REASONER__PROVIDER": "ollama",
            "INTERLOCK__LOCAL_REASONER__MODEL": "stub-1",
            "INTERLOCK__LOCAL_REASONER__BASE_URL": stub.ollama_url,
            "INTERLOCK__LOCAL_REASONER__TIMEOUT_SECONDS": "0.3",
            "INTERLOCK__LOCAL_REASONER__BUDGET_CALLS_PER_DAY": str(LOCAL_CALLS),
            "INTERLOCK__LOCAL_REASONER__BREAKER_FAILURES": "1000",
            "INTERLOCK__LOCAL_REASONER__POST_MORTEM": "{ timeout_seconds = 0.3 }",
        },
    )


async def _replayed(folder: Path, data: Path, stub: StubModel) -> MemoryServer:
    state = folder / "state"
    shutil.rmtree(state, ignore_errors=True)
    create_keys(state / "secrets")
    arm_at_first_start(state)
    settings = Settings(
        desk_file=DESK,
        state=state,
        replay=str(data),
        replay_starts_at=open_replay(str(data)).ts_first,
    )
    server = MemoryServer()
    desk = InProcessDesk(_desk(stub), settings, server)
    await desk.start()
    try:
        async with asyncio.timeout(REPLAY_BOUND_SECONDS):
            while not await desk.wait(1.0):
                pass
            while not server.settled():
                await asyncio.sleep(0.01)
    finally:
        await desk.stop()
    return server
