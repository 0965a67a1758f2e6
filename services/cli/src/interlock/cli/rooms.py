"""The services of a desk: where each is wired, and which section of the desk file is whose."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from interlock.cli.errors import CliError
from interlock.console.config import ConsoleConfig
from interlock.escalation.config import EscalationConfig
from interlock.exec.config import ExecConfig
from interlock.feed.config import FeedConfig
from interlock.gate.config import GateConfig
from interlock.ledger.config import LedgerConfig
from interlock.local_reasoner.config import LocalReasonerConfig
from interlock.policy.config import PolicyConfig
from interlock.runtime.config import ConfigError, DeskFile
from interlock.signals.config import SignalsConfig
from interlock.strategy.config import StrategyConfig
from interlock.venues.registry import SECTIONS as ACCOUNTS
from interlock.venues.registry import section_type
from interlock.wire.catalogue import (
    CONSOLE,
    ESCALATION,
    EXEC,
    FEED,
    GATE,
    LEDGER,
    POLICY,
    REASONER,
    SIGNALS,
    STRATEGY,
)

if TYPE_CHECKING:
    from interlock.runtime.launch import Assemble

SECTIONS: dict[str, type] = {
    FEED: FeedConfig,
    SIGNALS: SignalsConfig,
    REASONER: LocalReasonerConfig,
    ESCALATION: EscalationConfig,
    STRATEGY: StrategyConfig,
    POLICY: PolicyConfig,
    GATE: GateConfig,
    EXEC: ExecConfig,
    LEDGER: LedgerConfig,
    CONSOLE: ConsoleConfig,
}


def module_of(service: str) -> str:
    return f"interlock.{service.replace('-', '_')}"


def assembly_of(service: str) -> "Assemble[Any]":
    assemble: Assemble[Any] = import_module(f"{module_of(service)}.app").assemble
    return assemble


def check_sections(file: DeskFile) -> None:
    """Read every section as its service will, before anything is started.

    Raises
    ------
    CliError
        For a section nobody reads, an unknown key, or a value that cannot be used.
    """
    known = {name.replace("-", "_") for name in SECTIONS} | set(ACCOUNTS)
    stray = sorted(file.sections.keys() - known)
    if stray:
        raise CliError(
            f"{file.path}: nobody reads section [{stray[0]}]; known are {', '.join(sorted(known))}"
        )
    try:
        for service, kind in SECTIONS.items():
            file.section(service, kind)
        for account in file.sections.keys() & set(ACCOUNTS):
            file.section(account, section_type(account))
    except ConfigError as error:
        raise CliError(str(error)) from error
