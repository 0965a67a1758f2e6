"""The policy in force, where every service can ask for it."""

from typing import Protocol

from interlock.wire.policy import PolicyChanged


class PolicyStore(Protocol):
    """Where the policy in force stands. Both calls raise `UnavailableError`."""

    async def save(self, policy: PolicyChanged) -> bool:
        """Put `policy` in force unless a version as new stands; return whether it was taken."""
        ...

    async def version(self, desk: str) -> int | None:
        """Return the version in force, none where no policy stands."""
        ...

    async def close(self) -> None: ...


class MemoryPolicyStore:
    """The store of a desk that lives in one process."""

    def __init__(self) -> None:
        self._policies: dict[str, PolicyChanged] = {}

    async def save(self, policy: PolicyChanged) -> bool:
        standing = self._policies.get(policy.desk)
        if standing is not None and standing.version >= policy.version:
            return False
        self._policies[policy.desk] = policy
        return True

    async def version(self, desk: str) -> int | None:
        policy = self._policies.get(desk)
        return None if policy is None else policy.version

    async def close(self) -> None:
        """Nothing is open."""
