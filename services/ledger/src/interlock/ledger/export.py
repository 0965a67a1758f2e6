"""Proposals and what was applied, as Parquet: one pair of files a day and parameter."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from interlock.model.equity import trading_day
from interlock.wire.policy import ProposalJudged, ProposalVerdict


def export_proposals(
    rows: Iterable[ProposalJudged], folder: Path, day_starts_at_utc_hour: int
) -> list[Path]:
    """Write ``<folder>/<desk>/<day>/<parameter>.{proposals,applied}.parquet``.

    Every row of the day is in the first file, the accepted ones in the second. A file is replaced
    whole or not at all.

    Returns
    -------
    list of Path
        The files written, in order.
    """
    groups = defaultdict[tuple[str, str, str], list[ProposalJudged]](list)
    for row in rows:
        day = trading_day(row.ts_event, day_starts_at_utc_hour)
        date = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).date().isoformat()
        groups[row.desk, date, row.parameter].append(row)
    written = list[Path]()
    for (desk, date, parameter), group in sorted(groups.items()):
        place = folder / _file_name(desk) / date
        applied = [row for row in group if row.verdict is ProposalVerdict.ACCEPTED]
        for suffix, content in (("proposals", group), ("applied", applied)):
            target = place / f"{_file_name(parameter)}.{suffix}.parquet"
            _write(target, content)
            written.append(target)
    return written


def _file_name(text: str) -> str:
    """Keep names that models and desks chose from naming another folder."""
    safe = "".join(c if c.isalnum() or c in "-_" else f"%{ord(c):02X}" for c in text)
    return safe or "%00"


# pyarrow takes 100 ms to import, and has no types of its own.
def _schema(pa: Any) -> Any:
    return pa.schema(
        [
            ("time", pa.timestamp("ns", tz="UTC")),
            ("desk", pa.string()),
            ("parameter", pa.string()),
            ("provider", pa.string()),
            ("old", pa.float64()),
            ("proposed", pa.float64()),
            ("applied", pa.float64()),
            ("delta", pa.float64()),
            ("seen_in_window", pa.int64()),
            ("accepted_in_window", pa.int64()),
            ("freeze_reasons", pa.list_(pa.string())),
            ("verdict", pa.string()),
            ("phase", pa.string()),
            ("policy_version", pa.int64()),
            ("decision_id", pa.string()),
            ("proposal_id", pa.string()),
            ("ts_desk", pa.int64()),
        ]
    )


def _write(target: Path, rows: Sequence[ProposalJudged]) -> None:
    pa, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    schema = _schema(pa)
    plain = [{**msgspec.to_builtins(row), "time": row.ts_event} for row in rows]
    columns = {name: [row[name] for row in plain] for name in schema.names}
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".draft")
    parquet.write_table(pa.table(columns, schema=schema), draft)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(target)
