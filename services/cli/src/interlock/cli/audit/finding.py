"""What an audit may find: the first thing that is wrong, by a code, a row and a line of text."""


class FindingError(Exception):
    """The journal does not hold what it must. `seq` is the row that shows it, where one does."""

    def __init__(self, code: str, seq: int | None, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.seq = seq
