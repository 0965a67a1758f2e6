"""From the section of the desk file to a way of calling the model."""

from collections.abc import Mapping

from interlock.local_reasoner.config import LocalReasonerConfig
from interlock.reasoning import calling
from interlock.reasoning.budget import BudgetStore
from interlock.reasoning.caller import ModelCaller
from interlock.runtime.config import ConfigError


def caller_of(
    config: LocalReasonerConfig, budget: BudgetStore, environment: Mapping[str, str]
) -> ModelCaller:
    """Return the way to the configured model, or raise `ConfigError` where its key is missing."""
    try:
        return calling.caller_of(config, budget, environment)
    except calling.MissingKeyError as error:
        raise ConfigError(str(error)) from error
