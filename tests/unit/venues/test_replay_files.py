import math
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from interlock.venues.replay import open_replay
from interlock.venues.replay_rows import ReplayError

MINUTE = 60 * 1_000_000_000
START = datetime(2020, 1, 2, 14, 30, tzinfo=UTC)
INTRADAY = (
    "spx_index_1min_2019-11",
    "spy_1min_extended_hours_2025-07",
    "spy_1sec_trade_quote_2013-10-08",
    "spy_5min_2019-01_2020-06",
    "nasdaq100_60min_2025-10",
    "us_1min_2019-02",
    "us_1min_trade_quote_2013_2014",
    "us_60min_2019-10_2020-06",
    "us_etf_1min_2019-12",
    "xyz_es_like_1min_2020-01_2020-03-13",
)


def at(minute):
    return START + timedelta(minutes=minute)


def table(times, symbols=None, **columns):
    made = {"ts": pa.array(times, pa.timestamp("ms", "UTC"))}
    if symbols is not None:
        made["symbol"] = symbols
    for name in ("open", "high", "low", "close"):
        made[name] = [float(100 + index) for index in range(len(times))]
    made["volume"] = [10] * len(times)
    made |= columns
    return pa.table({name: column for name, column in made.items() if column is not None})


@pytest.fixture
def parquet(tmp_path):
    def write(made, name="SPY.parquet"):
        pq.write_table(made, tmp_path / name)
        return str(tmp_path / name)

    return write


@pytest.fixture
def csv(tmp_path):
    def write(text, name="SPY.csv"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def refusal(path, instruments=None):
    with pytest.raises(ReplayError) as raised:
        open_replay(path, instruments)
    text = str(raised.value)
    assert "\n" not in text
    return text


def test_a_bar_is_complete_a_bar_after_its_start(parquet):
    data = open_replay(parquet(table([at(0), at(1), at(2)])))
    first, *_ = data.rows()

    assert data.bar_seconds == 60
    assert first.ts_start == int(START.timestamp()) * 1_000_000_000
    assert first.ts_complete - first.ts_start == MINUTE
    assert data.ts_first == first.ts_complete
    assert data.ts_last == first.ts_complete + 2 * MINUTE


def test_without_a_symbol_column_the_file_names_it(parquet):
    assert open_replay(parquet(table([at(0), at(1)]))).instruments == ("SPY",)


def test_holes_do_not_change_the_length_of_a_bar(parquet):
    times = [at(minute) for minute in (0, 1, 2, 9, 10, 11, 60, 61)]

    assert open_replay(parquet(table(times))).bar_seconds == 60


def test_symbols_are_merged_by_time_and_then_name(parquet):
    times = [at(0), at(1), at(0), at(1)]
    data = open_replay(parquet(table(times, ["B", "B", "A", "A"])))

    assert [(row.symbol, row.close) for row in data.rows()] == [
        ("A", 102.0),
        ("B", 100.0),
        ("A", 103.0),
        ("B", 101.0),
    ]


def test_a_late_row_stays_behind_the_row_it_came_after(parquet):
    times = [at(minute) for minute in (0, 2, 1, 3, 0, 1, 2, 3)]
    data = open_replay(parquet(table(times, ["A"] * 4 + ["B"] * 4)))
    rows = [(row.symbol, (row.ts_start - data.ts_first) // MINUTE + 1) for row in data.rows()]

    assert rows == [
        ("A", 0),
        ("B", 0),
        ("B", 1),
        ("A", 2),
        ("A", 1),
        ("B", 2),
        ("A", 3),
        ("B", 3),
    ]


def test_duplicate_rows_stay_in_the_order_of_the_file(parquet):
    data = open_replay(parquet(table([at(0), at(1), at(1), at(2)])))

    assert [row.close for row in data.rows()] == [100.0, 101.0, 102.0, 103.0]


def test_what_is_not_there_is_not_a_number(parquet):
    made = table([at(0), at(1)], close=pa.array([None, 0.0], pa.float64()))
    first, second = open_replay(parquet(made)).rows()

    assert math.isnan(first.close)
    assert second.close == 0.0
    assert math.isnan(first.bid)


def test_volume_may_be_absent(parquet):
    first, _ = open_replay(parquet(table([at(0), at(1)], volume=None))).rows()

    assert first.volume == 0.0


@pytest.mark.parametrize("names", [("bid_close", "ask_close"), ("bid", "ask")])
def test_closing_quotes_are_read(parquet, names):
    quotes = {name: [1.0, None] for name in names}
    first, second = open_replay(parquet(table([at(0), at(1)], **quotes))).rows()

    assert (first.bid, first.ask) == (1.0, 1.0)
    assert math.isnan(second.bid)
    assert math.isnan(second.bid_size)


def test_dates_are_sessions(parquet):
    made = table([at(0), at(1)])
    made = made.drop(["ts"]).append_column("date", pa.array([date(2020, 1, 2), date(2020, 7, 1)]))
    winter, summer = open_replay(parquet(made)).rows()

    assert winter.ts_complete == datetime(2020, 1, 2, 21, tzinfo=UTC).timestamp() * 1e9
    assert summer.ts_complete == datetime(2020, 7, 1, 20, tzinfo=UTC).timestamp() * 1e9


def test_one_date_is_enough(csv):
    data = open_replay(csv("date,open,high,low,close\n2020-01-02,1,2,1,2\n"))

    assert (data.bars, data.bar_seconds) == (1, 86_400)


def test_csv_reads_like_parquet(csv):
    data = open_replay(
        csv(
            "TS,Symbol,Open,High,Low,Close,Volume,note\n"
            "2020-01-02T14:30:00Z,A,1,2,1,2,5,x\n"
            "2020-01-02 15:31:00+01:00,A,nan,2,1,,0,y\n"
        )
    )
    first, second = data.rows()

    assert data.bar_seconds == 60
    assert (first.symbol, first.close, first.volume) == ("A", 2.0, 5.0)
    assert math.isnan(second.open)
    assert math.isnan(second.close)


def test_only_the_wanted_symbols_are_read(parquet):
    made = table([at(0), at(1), at(0), at(1)], ["B", "B", "A", "A"])
    data = open_replay(parquet(made), ["B"])

    assert (data.instruments, data.bars) == (("B",), 2)


def test_refuses_a_symbol_that_is_not_in_the_file(parquet):
    made = table([at(0), at(1)] * 12, [f"S{index // 2:02}" for index in range(24)])
    text = refusal(parquet(made), ["SPY"])

    assert "has no SPY: it has S00, S01" in text
    assert text.endswith("... (12 in all)")


def test_refuses_a_missing_file(tmp_path):
    assert "there is no file" in refusal(str(tmp_path / "none.parquet"))


def test_refuses_a_folder(tmp_path):
    assert "neither Parquet nor CSV" in refusal(str(tmp_path))


def test_refuses_another_kind_of_file(tmp_path):
    (tmp_path / "bars.xlsx").write_bytes(b"PK")

    assert "neither Parquet nor CSV" in refusal(str(tmp_path / "bars.xlsx"))


def test_refuses_unreadable_parquet(tmp_path, parquet):
    whole = Path(parquet(table([at(0), at(1)]))).read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-40])

    assert "cannot be read" in refusal(str(tmp_path / "cut.parquet"))


def test_refuses_text_that_is_no_csv(csv):
    assert "cannot be read" in refusal(csv("a,b\n1,2,3\n"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_refuses_a_file_it_may_not_read(parquet):
    path = parquet(table([at(0), at(1)]))
    Path(path).chmod(0)

    assert "cannot be read" in refusal(path)


def test_refuses_an_empty_file(csv, tmp_path):
    (tmp_path / "none.csv").write_bytes(b"")

    assert "cannot be read" in refusal(str(tmp_path / "none.csv"))
    assert "holds no rows" in refusal(csv("ts,open,high,low,close\n"))


def test_names_the_missing_columns_and_those_found(csv):
    text = refusal(csv("time,open,high,last\n2020-01-02T14:30:00Z,1,1,1\n"))

    assert "lacks the columns ts (or date), low, close" in text
    assert "it has time, open, high, last" in text


def test_refuses_a_column_that_is_there_twice(csv):
    text = refusal(csv("ts,open,high,low,close,Close\n2020-01-02T14:30:00Z,1,1,1,1,1\n"))

    assert "the column close twice" in text


def test_refuses_times_without_a_zone(csv):
    rows = "2020-01-02 14:30:00,1,1,1,1\n2020-01-02 14:31:00,1,1,1,1\n"
    text = refusal(csv(f"ts,open,high,low,close\n{rows}"))

    assert "ts has no time zone: write times as 2020-01-02T14:30:00Z" in text


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("2020-01-02", "ts holds dates"),
        ("yesterday", "ts holds string, not times"),
        ("1577975400", "ts holds int64, not times"),
    ],
)
def test_refuses_what_is_no_time(csv, cell, reason):
    assert reason in refusal(csv(f"ts,open,high,low,close\n{cell},1,1,1,1\n"))


def test_refuses_times_in_the_date_column(parquet):
    made = table([at(0), at(1)]).rename_columns(["date", "open", "high", "low", "close", "volume"])

    assert "date holds times of day: name the column ts" in refusal(parquet(made))


def test_refuses_an_impossible_year(parquet):
    times = pa.array([253_402_300_799_000, 253_402_300_859_000], pa.timestamp("ms", "UTC"))

    assert "outside the years" in refusal(parquet(table([at(0), at(1)], ts=times)))


def test_refuses_an_empty_time_and_an_empty_symbol(parquet):
    assert "ts is empty in row 2" in refusal(parquet(table([at(0), None])))
    assert "symbol is empty in row 1" in refusal(parquet(table([at(0), at(1)], [None, "A"])))


def test_refuses_text_where_a_price_should_be(csv):
    text = refusal(csv("ts,open,high,low,close\n2020-01-02T14:30:00Z,1,1,1,one\n"))

    assert "close holds what is no number" in text


def test_refuses_one_bar_and_bars_of_less_than_a_second(parquet):
    quick = [START, START + timedelta(milliseconds=100)]

    assert "length needs at least two" in refusal(parquet(table([at(0)])))
    assert "closer than a second" in refusal(parquet(table(quick)))


def test_times_of_any_zone_are_one_time(parquet):
    new_york = timezone(timedelta(hours=-5))
    times = pa.array([at(0).astimezone(new_york), at(1)], pa.timestamp("us", "America/New_York"))
    first, _ = open_replay(parquet(table([at(0), at(1)], ts=times))).rows()

    assert first.ts_start == int(START.timestamp()) * 1_000_000_000


def test_reading_does_not_bring_in_pandas(parquet):
    path = parquet(
        table([at(0), at(1), at(1)], ["A", "A", "A"], bid=[1.0, None, 1.0], ask=[1.0] * 3)
    )
    code = (
        "import sys; from interlock.venues.replay import open_replay; "
        "list(open_replay(sys.argv[1], ['A']).rows()); sys.exit('pandas' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code, path], check=False).returncode == 0


@pytest.mark.shared_data
@pytest.mark.parametrize("name", INTRADAY)
def test_reads_recorded_equity_bars(shared_data, name):
    read_whole(shared_data / "equity_intraday" / f"{name}.parquet")


@pytest.mark.shared_data
def test_knows_every_recorded_equity_file(shared_data):
    names = {path.stem for path in (shared_data / "equity_intraday").glob("*.parquet")}

    assert names == set(INTRADAY)


@pytest.mark.shared_data
@pytest.mark.parametrize("folder", ["crypto", "equity_daily"])
def test_reads_recorded_crypto_and_daily_bars(shared_data, folder):
    for path in sorted((shared_data / folder).glob("*.parquet")):
        read_whole(path)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "seconds"),
    [("spy_1sec_trade_quote_2013-10-08", 1), ("spy_5min_2019-01_2020-06", 300)],
)
def test_infers_the_length_of_recorded_bars(shared_data, name, seconds):
    data = open_replay(str(shared_data / "equity_intraday" / f"{name}.parquet"))

    assert data.bar_seconds == seconds


def read_whole(path):
    data = open_replay(str(path))
    rows = list(data.rows())
    keys = [(row.ts_start, row.symbol) for row in rows]

    assert len(rows) == data.bars == pq.read_metadata(path).num_rows
    assert keys == sorted(set(keys))
    assert {row.symbol for row in rows} == set(data.instruments)
    assert rows[0].ts_complete == data.ts_first
    assert rows[-1].ts_complete == data.ts_last
