"""The escalation room, wired."""

import os
from collections.abc import Awaitable, Sequence

from interlock.escalation.adapters.asking import Models
from interlock.escalation.adapters.calling import (
    OpenBudget,
    memory_budget,
    models_of,
    redis_budget,
)
from interlock.escalation.config import EscalationConfig
from interlock.escalation.core import decide
from interlock.escalation.inputs import Setting
from interlock.escalation.ports import AskModel
from interlock.escalation.question import SCHEMA_OF
from interlock.escalation.state import EscalationState, evolve
from interlock.model.desk import DeskConfig
from interlock.reasoning.endpoint import ProviderKind
from interlock.reasoning.prompt import Prompt
from interlock.reasoning.prompt_files import UnknownPromptError, load_prompt
from interlock.runtime.config import ConfigError
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.service import Service
from interlock.wire.base import Effect, Report
from interlock.wire.catalogue import ESCALATION
from interlock.wire.reasoning import CallKind

FREE = frozenset({ProviderKind.RULES, ProviderKind.NONE})


def build(desk: DeskConfig, config: EscalationConfig, models: Models) -> Service[EscalationState]:
    def perform(effect: Effect) -> Awaitable[Sequence[Report]]:
        assert isinstance(effect, AskModel)
        return models.ask(effect)

    return Service(
        name=ESCALATION,
        state=EscalationState(
            setting=setting_of(desk),
            config=config,
            prompts=_prompts(config.prompt_version),
        ),
        evolve=evolve,
        decide=decide,
        perform=perform,
    )


def _prompts(version: str) -> dict[CallKind, Prompt]:
    try:
        return {call: load_prompt(f"{name}.{version}") for call, name in SCHEMA_OF.items()}
    except UnknownPromptError as error:
        raise ConfigError(f"prompt_version of [escalation]: {error}") from error


def setting_of(desk: DeskConfig) -> Setting:
    return Setting(
        desk=desk.name,
        account=desk.account,
        buckets={one.instrument_id: one.bucket for one in desk.instruments},
        sectors={one.instrument_id: one.sector for one in desk.instruments},
        day_starts_at_utc_hour=desk.day_starts_at_utc_hour,
    )


async def assemble(process: Process) -> Parts[EscalationState]:
    file, url = process.desk_file, process.settings.redis_url
    config = file.section(ESCALATION, EscalationConfig)
    paid = not {config.cloud.provider, config.local.provider} <= FREE
    open_budget: OpenBudget = memory_budget
    if url and paid:
        open_budget = redis_budget(url, file.desk.name, process.closers)
    models = models_of(config, open_budget, os.environ)
    process.closers.append(models.close)
    return Parts(service=build(file.desk, config, models))


def main() -> None:
    run(ESCALATION, assemble)
