"""Ids of the recent past, in bounded memory and constant time."""


class RecentIds:
    """Remembers at least the last `kept` ids, and forgets an older half at a time.

    A dict that loses its oldest key at each insertion walks over all keys lost before: 40 us each
    at 100,000.
    """

    __slots__ = ("_new", "_old", "kept")

    def __init__(self, kept: int = 100_000) -> None:
        self.kept = kept
        self._new: set[str] = set()
        self._old: set[str] = set()

    def __contains__(self, identity: str) -> bool:
        return identity in self._new or identity in self._old

    def add(self, identity: str) -> None:
        if len(self._new) >= self.kept:
            self._old, self._new = self._new, set()
        self._new.add(identity)
