"""From the configuration to the two models and the budgets of their calls."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from interlock.escalation.adapters.asking import Calls, Models
from interlock.escalation.config import EscalationConfig
from interlock.reasoning.answer_cache import FolderCache
from interlock.reasoning.budget import BudgetLimits, BudgetStore, DaySpent, MemoryBudgetStore
from interlock.reasoning.calling import MissingKeyError, caller_of
from interlock.reasoning.endpoint import EndpointConfig
from interlock.runtime.config import ConfigError
from interlock.wire.reasoning import AnswerSource

_log = logging.getLogger(__name__)

type Closer = Callable[[], Awaitable[None]]
type OpenBudget = Callable[[str, BudgetLimits], BudgetStore]
"""Opens the budget of this name."""


def memory_budget(_name: str, limits: BudgetLimits) -> BudgetStore:
    return MemoryBudgetStore(limits, dict[str, DaySpent]())


def redis_budget(url: str, desk: str, closers: list[Closer]) -> OpenBudget:
    """Return a way to open budgets in Redis that a restart does not make new."""
    # redis-py takes 0.3 s to import.
    from interlock.runtime.stores.budget import RedisBudgetStore

    def opened(name: str, limits: BudgetLimits) -> BudgetStore:
        store = RedisBudgetStore(
            url,
            desk=f"{desk}:{name}",
            usd_per_day=limits.usd_per_day,
            calls_per_day=limits.calls_per_day,
        )
        closers.append(store.close)
        return store

    return opened


def models_of(
    config: EscalationConfig, open_budget: OpenBudget, environment: Mapping[str, str]
) -> Models:
    """Return the ways to both models; raise `ConfigError` where a key is missing."""
    cache = FolderCache(Path(config.answer_cache), _log.warning) if config.answer_cache else None
    endpoints = {AnswerSource.CLOUD: config.cloud, AnswerSource.LOCAL: config.local}
    try:
        callers = {
            source: caller_of(
                endpoint,
                open_budget(f"escalation-{source}", _limits(endpoint)),
                environment,
                calls_per_minute=endpoint.calls_per_minute,
                cache=cache,
            )
            for source, endpoint in endpoints.items()
        }
    except MissingKeyError as error:
        raise ConfigError(str(error)) from error
    most = config.max_calls_per_day
    return Models(
        callers=callers,
        calls=Calls(
            of_the_day=open_budget("escalation-calls", _calls(most)),
            but_the_last=open_budget("escalation-calls-but-the-last", _calls(most - 1)),
        ),
    )


def _limits(endpoint: EndpointConfig) -> BudgetLimits:
    return BudgetLimits(
        usd_per_day=endpoint.budget_usd_per_day, calls_per_day=endpoint.budget_calls_per_day
    )


def _calls(most: int) -> BudgetLimits:
    return BudgetLimits(usd_per_day=None, calls_per_day=most)
