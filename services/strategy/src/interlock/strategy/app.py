"""The strategy service, wired."""

from collections.abc import Callable

from interlock.model.desk import DeskConfig
from interlock.runtime.config import DeskFile, changes_between
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


def reloader(config: StrategyConfig) -> Callable[[DeskFile], ConfigReloaded | None]:
    """Return what turns a changed desk file into a report, none where our section is as before."""
    standing = config

    def reload(file: DeskFile) -> ConfigReloaded | None:
        nonlocal standing
        wanted = file.section(STRATEGY, StrategyConfig)
        changes = changes_between(STRATEGY, standing, wanted)
        standing = wanted
        if not changes:
            return None
        return ConfigReloaded(config=wanted, config_hash=file.config_hash, changes=changes)

    return reload


async def assemble(process: Process) -> Parts[StrategyState]:
    file = process.desk_file
    config = file.section(STRATEGY, StrategyConfig)
    return Parts(service=build(file.desk, config), reload=reloader(config))


def main() -> None:
    run(STRATEGY, assemble)
