"""The kill switch is pressed under load: each way, with NATS, Redis or the gate gone.

The last order that increases risk goes out within 250 ms, every open one is cancelled within 2 s,
a person is told within 5 s, and nothing is sent until a person resumes.
"""

from random import Random

import uvloop
from interlock.cli.kill_drill import (
    ALERT_TARGET_MS,
    CANCEL_TARGET_MS,
    SCENARIOS,
    SUBMIT_TARGET_MS,
    Round,
    Scenario,
    drill,
    percentile,
)

from tests.chaos.report import Outcome, require_all

FULL, SMOKE = 28, 2
LIMIT_SECONDS = 420
ORDERS = 100


def run(seed: int, trials: int) -> Outcome:
    done = uvloop.run(drill(_plan(seed, trials), ORDERS, lambda _: None))
    submits = [one.submit_ms for one in done]
    cancels = [one.cancelled_ms for one in done]
    alerts = [one.alert_ms for one in done if one.alert_ms is not None]
    worst = percentile(submits, 0.99)
    return Outcome(
        fault="F20",
        what="the kill switch under load",
        seed=seed,
        trials=len(done),
        unit="presses",
        breaches=sum(one.late for one in done),
        detected=len(done),
        recovery_seconds=[value / 1e3 for value in cancels],
        failures=require_all(
            [
                (worst <= SUBMIT_TARGET_MS, f"the last submit came {worst:.0f} ms after a press"),
                (max(cancels) <= CANCEL_TARGET_MS, f"{max(cancels):.0f} ms until all were gone"),
                (max(alerts, default=0.0) <= ALERT_TARGET_MS, f"an alert took {max(alerts)} ms"),
                *((one.whole, f"{_named(one)}: {one.cancelled} cancelled") for one in done),
            ]
        ),
        note=f"last submit p50 {percentile(submits, 0.5):.0f} ms, p99 {worst:.0f} ms; "
        "recovery is the press to the last cancelled order",
    )


def _plan(seed: int, trials: int) -> list[Scenario]:
    """Return each scenario as often as any other, in an order of the seed's."""
    chance, plan = Random(seed), list[Scenario]()
    while len(plan) < trials:
        plan += chance.sample(SCENARIOS, len(SCENARIOS))
    return plan[:trials]


def _named(one: Round) -> str:
    return f"{one.way} without {one.without}"
