"""pyarrow, imported when first used, and arrays made without pandas.

`pyarrow.array`, `pyarrow.scalar` and `pyarrow.parquet.read_table` import pandas where it is
installed (and bokeh_sampledata installs it): 1.2 s and 40 MB for nothing. What is here, and
`ParquetFile`, do not.
"""

from array import array
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from interlock.venues.replay_rows import ReplayError

# pyarrow has no types of its own: tables and columns are Any between here and RawBar.
type Table = Any
type Column = Any


def arrow(module: str = "") -> Any:
    """Return pyarrow, or one of its modules.

    Raises
    ------
    ReplayError
        When it is not installed.
    """
    try:
        return import_module(f"pyarrow.{module}" if module else "pyarrow")
    except ModuleNotFoundError:
        raise ReplayError("replay files need pyarrow: install interlock-venues[replay]") from None


def int64s(values: Iterable[int]) -> Column:
    """Return a column of whole numbers."""
    pa = arrow()
    numbers = array("q", values)
    return pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)])


def texts(values: Iterable[str]) -> Column:
    """Return a column of texts."""
    pa = arrow()
    encoded = [value.encode() for value in values]
    ends = array("i", [0])
    for text in encoded:
        ends.append(ends[-1] + len(text))
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def first_empty(column: Column) -> int:
    """Return the number of the first row without a value, counted from one."""
    empty: list[bool] = arrow("compute").is_null(column).to_pylist()
    return empty.index(True) + 1
