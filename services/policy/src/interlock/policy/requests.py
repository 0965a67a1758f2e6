"""Entries that wait for people: which stand, who has approved them so far, how the others ended."""

from dataclasses import dataclass, field

from interlock.wire.approvals import (
    ApprovalCounted,
    ApprovalDecided,
    ApprovalRequested,
    ApprovalStanding,
    is_same_person,
)

MOST_PENDING = 256
ENDED_KEPT = 10_000

type ApprovalNews = ApprovalRequested | ApprovalCounted | ApprovalDecided


@dataclass(slots=True)
class Requests:
    """What was asked of people, by request id.

    The first message of a request stands: nobody can change what others have approved. `ended`
    forgets the oldest; one that came back after that would long be expired.
    """

    pending: dict[str, ApprovalRequested] = field(default_factory=dict[str, ApprovalRequested])
    given: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    ended: dict[str, ApprovalDecided] = field(default_factory=dict[str, ApprovalDecided])

    def take(self, heard: ApprovalNews) -> None:
        match heard:
            case ApprovalRequested():
                if heard.request_id not in self.ended:
                    self.pending.setdefault(heard.request_id, heard)
            case ApprovalCounted():
                pending = heard.request_id in self.pending
                if pending and heard.standing is ApprovalStanding.PENDING:
                    self.given[heard.request_id] = heard.given
            case ApprovalDecided():
                self.pending.pop(heard.request_id, None)
                self.given.pop(heard.request_id, None)
                self.ended.setdefault(heard.request_id, heard)
                if len(self.ended) > ENDED_KEPT:
                    del self.ended[next(iter(self.ended))]

    def given_with(self, request_id: str, name: str) -> list[str]:
        """Return who has approved a request once `name` has; a person counts once."""
        given = self.given.get(request_id, [])
        if any(is_same_person(name, other) for other in given):
            return given
        return [*given, name]
