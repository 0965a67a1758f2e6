"""Where desk files are found: by path, in the working folder, or in the packaged copy."""

import os
from pathlib import Path

from interlock.cli.errors import CliError
from interlock.runtime.config import SCENARIO_VARIABLE, ConfigError, DeskFile, load_desk_file

WORKING_FOLDER = Path("deploy/desks")
PACKAGED_FOLDER = Path(__file__).parent / "desks"


def find_desk(name_or_path: str, folders: tuple[Path, ...] = ()) -> Path:
    """Return the file of a desk.

    Parameters
    ----------
    name_or_path
        A name such as ``params``, or a path, which ends in ``.toml`` or holds a ``/``.
    folders
        Where names are looked for, best first; without it the two folders of this module.

    Raises
    ------
    CliError
        When there is no such desk; the text lists those known.
    """
    folders = folders or (WORKING_FOLDER, PACKAGED_FOLDER)
    if name_or_path.endswith(".toml") or "/" in name_or_path:
        path = Path(name_or_path)
        if path.is_file():
            return path
        raise CliError(f"there is no desk file {path}: {_known(folders)}")
    for folder in folders:
        path = folder / f"{name_or_path}.toml"
        if path.is_file():
            return path
    raise CliError(f"there is no desk {name_or_path!r}: {_known(folders)}")


def load_desk(name_or_path: str, folders: tuple[Path, ...] = ()) -> DeskFile:
    """Find and read a desk file; raise `CliError` where it is absent or cannot be used."""
    try:
        return load_desk_file(find_desk(name_or_path, folders))
    except ConfigError as error:
        raise CliError(str(error)) from error


def with_scenario(file: DeskFile, replay: str) -> DeskFile:
    """Return the desk as it is in the scenario of this name, or as it is where it has none.

    Scenarios lie in a folder beside the desk file that is called like it.
    """
    path = Path(file.path).with_suffix("") / f"{replay}.toml"
    if not replay or "/" in replay or not path.is_file():
        return file
    try:
        return load_desk_file(Path(file.path), {**os.environ, SCENARIO_VARIABLE: str(path)})
    except ConfigError as error:
        raise CliError(str(error)) from error


def read_section[C](file: DeskFile, service: str, kind: type[C]) -> C:
    """Return a service's section of a desk file; raise `CliError` where it cannot be used."""
    try:
        return file.section(service, kind)
    except ConfigError as error:
        raise CliError(str(error)) from error


def known_desks(folders: tuple[Path, ...] = ()) -> list[str]:
    """Return the names of all desks that `find_desk` finds by name."""
    searched = folders or (WORKING_FOLDER, PACKAGED_FOLDER)
    return sorted({path.stem for folder in searched for path in folder.glob("*.toml")})


def _known(folders: tuple[Path, ...]) -> str:
    names = known_desks(folders)
    if names:
        return f"known desks are {', '.join(names)}"
    return f"no desk files lie in {folders[0]}; run in the project's folder or give a path"
