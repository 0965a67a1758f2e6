"""What an attack is: how it goes, the codes that stop it, and the same without it, which passes."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.world import World, codes, open_world

APPROVED = "approved"

type Worlds = Callable[[], World]
type Step = Callable[[World], object]
type Changed = dict[str, Any] | Callable[[World], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One line of the table.

    `name` is that of the list in the specification of attacks. `run` returns what came of the
    attack: codes, or words. `control` does the same without the attack and must return
    `APPROVED`: otherwise the attack passes because everything is denied. `servers` marks one that
    starts processes.
    """

    name: str
    how: str
    expected: tuple[str, ...]
    run: Callable[[], Sequence[str]]
    control: Callable[[], str]
    servers: bool = False

    @property
    def case(self) -> str:
        return f"{self.name}: {self.how}"


def told(verdict: Sequence[str]) -> str:
    return ", ".join(sorted(verdict)) or APPROVED


def order(
    name: str,
    how: str,
    *expected: str,
    world: Worlds = open_world,
    fair: Worlds | None = None,
    attack: Step = lambda _: None,
    before: Step = lambda _: None,
    honest: Changed | None = None,
    **changed: Any,
) -> Attack:
    """Return an attack that ends in one order.

    `before` happens in the control as well, `attack` and the changed fields do not. `world` is the
    attacked one, `fair` the control's where that is another. `honest` changes both orders.
    """

    def asked(place: World, fields: dict[str, Any]) -> list[str]:
        fair_fields = honest(place) if callable(honest) else honest or {}
        verdict = codes(place.ask(place.intent(**{**fair_fields, **fields})))
        assert not place.watch.breaches, place.watch.breaches
        return verdict

    def run() -> Sequence[str]:
        place = world()
        before(place)
        attack(place)
        return asked(place, changed)

    def control() -> str:
        place = (fair or world)()
        before(place)
        return told(asked(place, {}))

    return Attack(name=name, how=how, expected=tuple(expected), run=run, control=control)


def in_folder[T](work: Callable[[Path], T]) -> T:
    """Do `work` in a folder of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="interlock-attack-") as name:
        return work(Path(name))


def plain() -> str:
    """Be the control of an attack on what every order needs: a plain order."""
    place = open_world()
    return told(codes(place.ask(place.intent())))
