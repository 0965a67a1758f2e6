"""A small disk of its own under one folder of a desk, which a fault fills and empties."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

SIZE_MIB = 256
"""Enough for a fresh cluster of PostgreSQL; it takes memory only as it is filled."""
FILLER = "filler"
_PIECE = b"\0" * 65_536


def cannot_mount(folder: Path) -> str:
    """Return why no disk can be mounted here, empty where one can."""
    folder.mkdir()
    try:
        with small_disk(folder):
            return ""
    except OSError as error:
        return f"a small disk needs the right to mount: {error}"


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, exist_ok=True)
    size = f"size={SIZE_MIB}m,mode=0700"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip())
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def move_onto_disk(folder: Path, disks: ExitStack) -> None:
    """Mount a small disk on a folder that is in use by nobody, and keep what is in it."""
    kept = folder.with_name(f"{folder.name}.kept")
    folder.rename(kept)
    disks.enter_context(small_disk(folder))
    subprocess.run(["cp", "-a", f"{kept}/.", str(folder)], check=True)
    shutil.rmtree(kept)


def fill(folder: Path) -> None:
    """Write until there is no room for a byte, not even in a file's last block."""
    with (folder / FILLER).open("wb", buffering=0) as file:
        try:
            while True:
                file.write(_PIECE)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        os.fsync(file.fileno())


def empty(folder: Path) -> None:
    (folder / FILLER).unlink()
