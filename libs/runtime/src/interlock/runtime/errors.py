"""Errors of broken wires, as opposed to broken messages."""


class UnavailableError(Exception):
    """Something the service needs is not there now; the same thing may work later."""
