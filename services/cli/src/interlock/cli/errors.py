"""What goes wrong for a person at the command line."""


class CliError(Exception):
    """One line for the person: what is wrong, and what to do. The command exits with `status`."""

    status = 2


class RefusedError(CliError):
    """The desk was asked and will not do it: an answer, not a mistake in asking."""

    status = 1

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"refused, {code}: {reason}")
        self.code = code
