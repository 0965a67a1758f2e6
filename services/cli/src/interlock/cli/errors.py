"""What goes wrong for a person at the command line."""


class CliError(Exception):
    """One line for the person: what is wrong, and what to do. The command exits with 2."""
