"""No shipped model has seen a day that it forecasts: proven from the files themselves."""

import hashlib
from datetime import UTC, date, datetime

import msgspec
import pytest
from interlock.signals.adapters.serving import SHIPPED, folders_of, load_models, open_model
from interlock.signals.config import ModelsConfig, SignalsConfig
from interlock.signals.model_sets import META_FILE, MODELS, ModelSet, serving
from interlock.signals.training.table import bars_sha256
from interlock.venues.replay import open_replay
from interlock.venues.replay_named import NAMED_SETS

from tests.unit.signals.market import bars_of, heard_by, service_of

CONFIG = SignalsConfig(models=ModelsConfig(shipped=True))
FOLDERS = list(folders_of(ModelsConfig(shipped=True)))
REPLAYS = sorted(NAMED_SETS.keys() - {"stocks"})
DAY = 86_400


def meta_of(folder):
    return msgspec.json.decode((folder / META_FILE).read_bytes(), type=ModelSet)


def day_of(ts):
    return datetime.fromtimestamp(ts / 1e9, UTC).date()


def test_the_shipped_sets_end_where_the_replays_begin():
    ends = {meta_of(folder).trained_to for folder in FOLDERS}

    assert {date(2004, 12, 31), date(2006, 12, 31), date(2009, 12, 31), date(2013, 3, 1)} == ends


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_set_is_its_files_and_each_of_them_names_the_last_day_it_saw(folder):
    one = meta_of(folder)

    assert one.name == folder.name
    assert {path.name for path in folder.iterdir()} == {META_FILE, *one.files}
    for model in MODELS:
        body = (folder / f"{model}.onnx").read_bytes()
        assert hashlib.sha256(body).hexdigest() == one.files[f"{model}.onnx"]
        inside = open_model(folder, one, model).get_modelmeta().custom_metadata_map
        assert inside == {"set": one.name, "trained_to": one.trained_to.isoformat()}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_set_was_trained_on_the_public_set_up_to_that_day_and_on_nothing_else(folder):
    one = meta_of(folder)
    bars = [bar for bar in bars_of("stocks") if day_of(bar.ts_event) <= one.trained_to]

    assert one.data.dataset == "stocks"
    assert "public domain" in one.data.origin
    assert (one.data.bars, one.data.sha256) == (len(bars), bars_sha256(bars))
    assert one.trained_from == day_of(bars[0].ts_event)


@pytest.mark.parametrize("name", REPLAYS)
def test_a_shipped_replay_is_served_by_a_set_that_ended_before_it(name):
    data = open_replay(name)
    models = load_models(CONFIG)
    one = serving(models.sets, data.ts_first, data.bar_seconds)

    assert one is not None
    assert one.seen_until < data.ts_first
    (meta,) = [meta_of(folder) for folder in FOLDERS if folder.name == one.name]
    assert meta.trained_to < NAMED_SETS[name].first
    said = heard_by(service_of(CONFIG, models), bars_of(name))
    assert {features.model_set for features in said} == {one.name}
    assert all(features.missing_models == () for features in said)


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (date(2005, 1, 3), "stocks-2004-12-31"),
        (date(2007, 1, 3), "stocks-2006-12-31"),
        (date(2010, 1, 4), "stocks-2009-12-31"),
        (date(2013, 3, 1), "stocks-2009-12-31"),
        (date(2020, 1, 2), "stocks-2013-03-01"),
        (date(2004, 12, 31), None),
        (date(2001, 1, 2), None),
    ],
)
def test_the_latest_set_that_ends_before_the_first_bar_serves(first, name):
    close = int(datetime(first.year, first.month, first.day, 21, tzinfo=UTC).timestamp()) * 10**9
    one = serving(load_models(CONFIG).sets, close, DAY)

    assert (None if one is None else one.name) == name


def test_the_years_that_models_have_seen_are_not_forecast():
    said = heard_by(service_of(CONFIG), bars_of("stocks", first=300))

    assert {features.model_set for features in said} == {""}
    assert all(features.missing_models == MODELS for features in said)
    assert all(features.p_short is None for features in said)


def test_all_shipped_sets_together_are_small():
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*")) < 1_000_000
