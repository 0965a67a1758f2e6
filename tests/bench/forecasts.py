"""How long the three models take for one instrument, and how long a bar takes with and without."""

import time
from collections.abc import Iterator
from itertools import cycle, islice

from interlock.feed.app import open_waves
from interlock.feed.config import FeedConfig
from interlock.feed.dataset import data_for
from interlock.signals.app import build
from interlock.signals.config import ContextConfig, ModelsConfig, SignalsConfig
from interlock.signals.ports import Forecast
from interlock.wire.market import Bar

from tests.bench.desk import measured_desk
from tests.bench.report import Line, micros, percentile

ASKED = 20_000
P99_TARGET = 100e-6
PLAIN = SignalsConfig()
CONTEXT = SignalsConfig(context=ContextConfig())
MODELS = SignalsConfig(models=ModelsConfig(shipped=True))


def measure() -> Iterator[Line]:
    asked = sorted(_ask())
    p99 = percentile(asked, 0.99)
    yield Line(
        what="p_short, p_mid and size hint of one instrument",
        p50=micros(percentile(asked, 0.5)),
        p99=micros(p99),
        rate=f"{len(asked) / sum(asked):,.0f}/s",
        target="p99 <= 100 us",
        met=p99 <= P99_TARGET,
    )
    for what, config in (
        ("bar to features", PLAIN),
        ("bar to features with context", CONTEXT),
        ("bar to features with context and forecasts", MODELS),
    ):
        taken = sorted(_hear(config))
        yield Line(
            what=what,
            p50=micros(percentile(taken, 0.5)),
            p99=micros(percentile(taken, 0.99)),
            rate=f"{len(taken) / sum(taken):,.0f}/s",
        )


def _bars() -> list[Bar]:
    file = measured_desk()
    data = data_for(file.desk, "crash-2008")
    waves = open_waves(file.section("feed", FeedConfig), file.desk, data)
    return [message for message in waves if isinstance(message, Bar)]


def _ask() -> list[float]:
    service = build(MODELS, measured_desk().desk)
    state = service.state
    questions: list[Forecast] = []
    for bar in _bars():
        state = service.evolve(state, bar)
        questions += [said for said in service.decide(state, bar, 0) if isinstance(said, Forecast)]
    taken: list[float] = []
    for question in islice(cycle(questions), ASKED):
        began = time.perf_counter()
        service.perform(question)
        taken.append(time.perf_counter() - began)
    return taken


def _hear(config: SignalsConfig) -> list[float]:
    taken: list[float] = []
    for _ in range(3):
        service = build(config, measured_desk().desk)
        state = service.state
        for bar in _bars():
            began = time.perf_counter()
            state = service.evolve(state, bar)
            for said in service.decide(state, bar, 0):
                if isinstance(said, Forecast):
                    (report,) = service.perform(said)
                    service.decide(state, report, 0)
            taken.append(time.perf_counter() - began)
    return taken
