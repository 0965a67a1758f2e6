"""What came of each piece of damage: noticed, harmless, or neither."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Damage:
    """Counts for one kind of file. `unnoticed` names what changed something and nobody saw."""

    what: str
    detected: int = 0
    harmless: int = 0
    unnoticed: list[str] = field(default_factory=list[str])

    def judge(self, done: str, *, harmless: bool, detected: bool) -> None:
        if detected:
            self.detected += 1
        elif harmless:
            self.harmless += 1
        else:
            self.unnoticed.append(f"{self.what}: {done}")

    @property
    def trials(self) -> int:
        return self.detected + self.harmless + len(self.unnoticed)

    @property
    def told(self) -> str:
        return f"{self.what} {self.detected} detected, {self.harmless} harmless"
