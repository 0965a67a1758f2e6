import hashlib
import json
import logging
import shutil

import pytest
from interlock.signals.adapters.serving import SHIPPED, folders_of, load_models
from interlock.signals.config import ContextConfig, ModelsConfig, SignalsConfig
from interlock.signals.inputs import INPUTS
from interlock.signals.model_sets import MODELS
from interlock.signals.ports import Forecast, Forecasted
from interlock.wire.base import caused_id, root_ids
from interlock.wire.codec import decode, encode
from interlock.wire.market import FeaturesComputed
from interlock.wire.policy import PolicyChanged
from msgspec import structs

from tests.unit.signals.market import bars_of, heard_by, service_of

NAME = "stocks-2004-12-31"
BARS = bars_of("calm-2005", first=200)


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(SHIPPED / NAME, tmp_path / NAME)


def config_of(folder):
    return SignalsConfig(models=ModelsConfig(folder=str(folder)))


def forecasts(folder, bars=BARS):
    return heard_by(service_of(config_of(folder)), bars)


def policy(version, **parameters):
    message_id, decision_id = root_ids(PolicyChanged, version)
    return PolicyChanged(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=BARS[0].ts_event,
        desk="hybrid",
        version=version,
        parameters={name.replace("__", "."): value for name, value in parameters.items()},
        changes=[],
        author="a person",
        reason="",
        proposal_id=None,
        config_hash="",
    )


def rename(folder, change):
    """Let the set's own account of itself be another, its files unchanged."""
    path = folder / "meta.json"
    meta = json.loads(path.read_text())
    change(meta)
    path.write_text(json.dumps(meta))


def replace_model(folder, name, body):
    """Put another file in a model's place, its hash too: no flaw that a hash can tell."""
    (folder / name).write_bytes(body)
    rename(folder, lambda meta: meta["files"].update({name: hashlib.sha256(body).hexdigest()}))


def test_each_bar_is_forecast_and_says_by_which_models(folder):
    said = forecasts(folder)

    assert len(said) == len(BARS)
    for features in said:
        assert 0.0 < features.p_short < 1.0
        assert 0.0 < features.p_mid < 1.0
        assert features.size_hint is not None
        assert (features.model_set, features.missing_models) == (NAME, ())
        assert decode(encode(features)) == features
    assert len({features.p_short for features in said[100:]}) > 5


def test_forecasting_changes_nothing_else_in_a_message(folder):
    plain = heard_by(service_of(SignalsConfig(context=ContextConfig())), BARS)
    cleared = [
        structs.replace(features, p_short=None, p_mid=None, size_hint=None, model_set="")
        for features in forecasts(folder)
    ]

    assert cleared == plain


def test_a_bar_that_comes_again_makes_the_same_message(folder):
    service = service_of(config_of(folder))
    once = heard_by(service, BARS[:-1])
    last = heard_by(service, [BARS[-1], BARS[-1]])

    assert last[0] == last[1] == forecasts(folder)[-1]
    assert last[0].message_id == caused_id(BARS[-1], FeaturesComputed)
    assert once == forecasts(folder)[:-1]


def test_asking_the_models_touches_nothing_outside():
    assert Forecast.harmless


def test_a_missing_model_is_an_absent_forecast_and_no_crash(folder, caplog):
    whole = forecasts(folder)
    (folder / "p_mid.onnx").unlink()
    with caplog.at_level(logging.ERROR):
        said = forecasts(folder)

    assert {features.missing_models for features in said} == {("p_mid",)}
    assert {features.p_mid for features in said} == {None}
    assert [features.p_short for features in said] == [features.p_short for features in whole]
    assert [record.getMessage() for record in caplog.records] == [
        f"model p_mid of {folder} is not used: p_mid.onnx cannot be read: No such file or directory"
    ]


def test_one_flipped_bit_makes_a_model_unusable(folder, caplog):
    path = folder / "size_hint.onnx"
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)

    assert forecasts(folder)[-1].missing_models == ("size_hint",)
    assert "by its hash" in caplog.text


@pytest.mark.parametrize("body", [b"", b"no model", bytes(1_000)])
def test_a_file_that_is_no_model_is_unusable_even_with_its_own_hash(folder, body):
    replace_model(folder, "p_short.onnx", body)

    assert forecasts(folder)[-1].missing_models == ("p_short",)


def test_a_model_of_another_set_is_unusable_in_this_one(folder, caplog):
    replace_model(folder, "p_mid.onnx", (SHIPPED / "stocks-2009-12-31" / "p_mid.onnx").read_bytes())

    assert forecasts(folder)[-1].missing_models == ("p_mid",)
    assert "another set or last day" in caplog.text


def test_a_set_that_claims_an_earlier_last_day_than_its_models_is_unusable(folder):
    rename(folder, lambda meta: meta.update(trained_to="2001-12-31"))

    assert forecasts(folder)[-1].missing_models == MODELS


def test_a_model_that_says_no_number_says_nothing(folder):
    name = "size_hint.onnx"
    body = (folder / name).read_bytes()
    # The bias of the last layer, one number in a field of four bytes right after its name.
    field = b"second_biasJ\x04"
    at = body.index(field) + len(field)
    not_a_number = b"\x00\x00\xc0\x7f"
    replace_model(folder, name, body[:at] + not_a_number + body[at + 4 :])
    said = forecasts(folder)

    assert {features.missing_models for features in said} == {("size_hint",)}
    assert all(features.p_short is not None for features in said)


@pytest.mark.parametrize(
    ("p_short", "size_hint", "missing"),
    [
        (float("nan"), 0.5, ("p_short",)),
        (1.5, float("inf"), ("p_short", "size_hint")),
        (-0.1, None, ("p_short", "size_hint")),
        (0.0, -12.0, ()),
    ],
)
def test_what_is_no_probability_or_no_number_is_not_passed_on(folder, p_short, size_hint, missing):
    service = service_of(config_of(folder))
    state = service.evolve(service.state, BARS[0])
    (asked,) = service.decide(state, BARS[0], 0)
    report = Forecasted(
        features=asked.features,
        model_set=NAME,
        p_short=p_short,
        p_mid=0.5,
        size_hint=size_hint,
    )
    (said,) = service.decide(state, report, 0)

    assert said.missing_models == missing


@pytest.mark.parametrize("damage", [b"", b"{", b'{"name": "x"}', b"\xff\xfe"])
def test_a_set_that_does_not_say_what_it_is_is_not_used(folder, damage, caplog):
    (folder / "meta.json").write_bytes(damage)
    said = forecasts(folder)

    assert {features.missing_models for features in said} == {MODELS}
    assert {features.model_set for features in said} == {""}
    assert "meta.json cannot be read" in caplog.text


def test_a_folder_without_sets_is_a_desk_without_forecasts(tmp_path, caplog):
    assert forecasts(tmp_path / "nothing", BARS[:1])[0].missing_models == MODELS
    assert "there are no models to serve" in caplog.text


def test_models_made_with_other_indicators_do_not_serve(folder, caplog):
    config = structs.replace(config_of(folder), rsi_period=21)
    said = heard_by(service_of(config), BARS[:8])

    assert said[-1].missing_models == MODELS
    assert "it was trained with another rsi_period: 14.0" in caplog.text


def test_models_of_other_inputs_do_not_serve(folder, caplog):
    rename(folder, lambda meta: meta["inputs"].pop())

    assert forecasts(folder)[-1].missing_models == MODELS
    assert "other inputs" in caplog.text


def test_models_of_daily_bars_say_nothing_of_minutes(folder):
    minutes = [structs.replace(bar, bar_seconds=60) for bar in BARS]

    assert forecasts(folder, minutes)[-1].missing_models == MODELS


def test_a_bar_of_a_day_that_the_models_have_seen_is_refused(folder):
    old = structs.replace(
        next(bar for bar in BARS if bar.instrument_id == "IBM"),
        ts_event=1_104_526_800_000_000_000,  # 2004-12-31 21:00 UTC
    )
    first = next(bar for bar in BARS if bar.instrument_id == "AAPL")
    said = forecasts(folder, [first, old])

    assert said[0].model_set == NAME
    assert said[1].instrument_id == "IBM"
    assert said[1].missing_models == MODELS


def test_what_policy_switches_off_the_models_do_not_see(folder):
    # After 200 rows most indicators are warm: the models see something to be taken away.
    whole = forecasts(folder)
    off = policy(2, **{f"feature__{one.name}": 0.0 for one in INPUTS})
    blind = forecasts(folder, [off, *BARS])
    again = forecasts(folder, [off, policy(3, feature__rsi=1.0), *BARS])

    assert len({(f.p_short, f.p_mid, f.size_hint) for f in blind}) == 1
    assert len({(f.p_short, f.p_mid, f.size_hint) for f in whole}) > 50
    assert [f.rsi for f in blind] == [f.rsi for f in whole]
    assert again == whole


def test_one_switch_reaches_the_models_at_the_next_bar(folder):
    at = 150
    switched = forecasts(folder, [*BARS[:at], policy(2, feature__momentum=0.0), *BARS[at:]])
    whole = forecasts(folder)

    assert switched[:at] == whole[:at]
    assert [f.size_hint for f in switched[at:]] != [f.size_hint for f in whole[at:]]


def test_a_set_or_a_folder_of_sets_can_be_named(folder):
    assert list(folders_of(ModelsConfig(folder=str(folder)))) == [folder]
    assert list(folders_of(ModelsConfig(folder=str(folder.parent)))) == [folder]


def test_models_work_on_one_thread(folder):
    models = load_models(config_of(folder))

    assert len(models.sessions) == len(MODELS)
    for session in models.sessions.values():
        options = session.get_session_options()
        assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


@pytest.mark.parametrize("wrong", [{}, {"shipped": True, "folder": "models"}])
def test_models_come_from_one_place(wrong):
    with pytest.raises(ValueError, match="either shipped = true or folder"):
        ModelsConfig(**wrong)
