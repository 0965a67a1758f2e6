"""From the section of the desk file to a way of calling the model."""

import logging
from collections.abc import Mapping
from pathlib import Path

from interlock.local_reasoner.config import LocalReasonerConfig
from interlock.reasoning import calling
from interlock.reasoning.answer_cache import FolderCache
from interlock.reasoning.budget import BudgetStore
from interlock.reasoning.caller import ModelCaller
from interlock.runtime.config import ConfigError

_log = logging.getLogger(__name__)


def caller_of(
    config: LocalReasonerConfig, budget: BudgetStore, environment: Mapping[str, str]
) -> ModelCaller:
    """Return the way to the configured model, or raise `ConfigError` where its key is missing."""
    cache = FolderCache(Path(config.answer_cache), _log.warning) if config.answer_cache else None
    try:
        return calling.caller_of(
            config, budget, environment, calls_per_minute=config.calls_per_minute, cache=cache
        )
    except calling.MissingKeyError as error:
        raise ConfigError(str(error)) from error
