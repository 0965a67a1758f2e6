"""The strategy service, wired."""

from interlock.model.desk import DeskConfig
from interlock.runtime.config import DeskFile
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.service import Service
from interlock.strategy.config import StrategyConfig
from interlock.strategy.core import decide
from interlock.strategy.state import ConfigReloaded, StrategyState, evolve
from interlock.wire.catalogue import STRATEGY


def build(desk: DeskConfig, config: StrategyConfig) -> Service[StrategyState]:
    state = StrategyState(
        desk=desk.name,
        account=desk.account,
        venue=desk.venue,
        cadence_seconds=desk.cadence_seconds,
        config=config,
        instruments={one.instrument_id: one for one in desk.instruments},
    )
    return Service(name=STRATEGY, state=state, evolve=evolve, decide=decide)


def reload(file: DeskFile) -> ConfigReloaded:
    return ConfigReloaded(config=file.section(STRATEGY, StrategyConfig))


async def assemble(process: Process) -> Parts[StrategyState]:
    file = process.desk_file
    service = build(file.desk, file.section(STRATEGY, StrategyConfig))
    return Parts(service=service, reload=reload)


def main() -> None:
    run(STRATEGY, assemble)
