"""A scenario lays its universe and limits over a desk, for one replay only."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from interlock.cli.desks import load_desk, with_scenario
from interlock.cli.errors import CliError
from interlock.feed.dataset import DATA_VARIABLE, data_for, source_of
from interlock.gate.config import GateConfig
from interlock.runtime.config import ConfigError, load_desk_file

DESK = """
[desk]
name = "d"
account = "a"
venue = "paper"
cadence_seconds = 5
equity_usd = 30_000
default_replay = "crash-2008"
instruments = [{ instrument_id = "SPY", venue = "paper" }]

[gate]
collar_bps = 50

[gate.buckets.core]
max_gross_pct = 90
max_name_pct = 1.5
max_order_pct = 1.5
"""
FEW_NAMES = """
[replay]
data = "crash-2008"
why = "four names stand for a book of sixty"

[desk]
instruments = [{ instrument_id = "IBM", venue = "paper" }]

[gate.buckets.core]
max_name_pct = 22.5
"""
DAYS = """
[replay]
data = "days.csv"
first = 2020-03-02
last = 2020-03-03
"""


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "d.toml").write_text(DESK, encoding="utf-8")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "crash-2008.toml").write_text(FEW_NAMES, encoding="utf-8")
    (tmp_path / "d" / "march.toml").write_text(DAYS, encoding="utf-8")
    return load_desk(str(tmp_path / "d.toml"))


def core(file):
    return file.section("gate", GateConfig).buckets["core"]


def test_a_scenario_changes_what_it_names_and_leaves_the_rest(desk):
    file = with_scenario(desk, "crash-2008")
    assert [one.instrument_id for one in file.desk.instruments] == ["IBM"]
    assert (core(file).max_name_pct, core(file).max_gross_pct) == (22.5, 90)
    assert file.section("gate", GateConfig).collar_bps == 50
    assert file.scenario.why
    assert file.config_hash != desk.config_hash


@pytest.mark.parametrize("replay", ["calm-2005", "", "folder/bars.csv"])
def test_a_replay_without_a_scenario_leaves_the_desk_as_it_is(desk, replay):
    assert with_scenario(desk, replay) is desk
    assert core(desk).max_name_pct == 1.5


def test_a_desk_that_trades_live_takes_no_scenario(desk):
    path = Path(desk.path)
    live = DESK.replace("[desk]", '[desk]\nmode = "live"\nlive_allowed = true')
    path.write_text(live, encoding="utf-8")
    with pytest.raises(CliError, match="a scenario is for replays only"):
        with_scenario(load_desk(desk.path), "crash-2008")


def test_an_unknown_key_of_a_scenario_is_named(desk, tmp_path):
    (tmp_path / "d" / "march.toml").write_text(DAYS + "speed = 3", encoding="utf-8")
    with pytest.raises(CliError, match="speed"):
        with_scenario(desk, "march")


def test_the_environment_stands_above_a_scenario(tmp_path, desk):
    environment = {
        "INTERLOCK_SCENARIO": str(tmp_path / "d" / "crash-2008.toml"),
        "INTERLOCK__DESK__EQUITY_USD": "70000",
    }
    assert desk.path
    assert load_desk_file(tmp_path / "d.toml", environment).desk.equity_usd == Decimal(70_000)


def test_a_scenario_replays_its_own_days_of_a_file(desk, tmp_path):
    rows = [f"2020-03-0{day},SPY,1,2,1,{day},100" for day in range(1, 6)]
    text = "\n".join(["date,symbol,open,high,low,close,volume", *rows])
    (tmp_path / "days.csv").write_text(text, encoding="utf-8")
    scenario = with_scenario(desk, "march").scenario
    source = source_of("march", scenario, {DATA_VARIABLE: str(tmp_path)})
    bars = list(data_for(desk.desk, source, scenario).rows())
    assert [bar.close for bar in bars] == [2, 3]
    none = type(scenario)(data="days.csv", first=date(2021, 1, 1))
    with pytest.raises(ConfigError, match="no bars from 2021-01-01"):
        data_for(desk.desk, source, none)


@pytest.mark.parametrize("environment", [{}, {DATA_VARIABLE: "/nowhere"}])
def test_data_that_is_not_there_is_asked_for_in_one_line(desk, environment):
    scenario = with_scenario(desk, "march").scenario
    with pytest.raises(ConfigError, match="set INTERLOCK_DATA to the folder that holds it"):
        source_of("march", scenario, environment)
