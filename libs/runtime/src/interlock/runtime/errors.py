"""Errors of broken wires, as opposed to broken messages."""


class UnavailableError(Exception):
    """Something the service needs is not there now; the same thing may work later."""


class TooLargeError(Exception):
    """A message that no broker of ours takes. It will be as large the next time."""
