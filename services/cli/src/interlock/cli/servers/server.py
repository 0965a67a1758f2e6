"""An embedded server: the child that runs it, and the address its clients use."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from interlock.cli.errors import CliError
from interlock.cli.process import Child


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """`url` holds the credentials where the server has one user only; `address` never does."""

    child: Child
    url: str
    address: str


def wheel_file(package: str, *parts: str) -> Path:
    """Return a file of an installed wheel without importing it.

    The three packages import their clients, which takes up to half a second, and one warns.

    Raises
    ------
    CliError
        When the package or the file is absent.
    """
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder).joinpath(*parts)
        if path.is_file():
            return path
    raise CliError(
        f"{'/'.join(parts)} of the package {package} is not installed: run `uv sync`, "
        "or point to a server of your own"
    )
