"""A route is refused before anything starts where its secret would be seen or it cannot work."""

import logging
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.console.alerts.addresses import read_addresses, without_secrets
from interlock.console.alerts.lines import Line, Note, next_told, rules_of, take
from interlock.console.alerts.memory import FILE, Memory, keep_memory, read_memory
from interlock.console.alerts.routes import AlertRoute
from interlock.console.config import ConsoleConfig
from interlock.model.values import Severity
from interlock.runtime.config import ConfigError, load_desk_file

SECRET = "s3cr3t-t0k3n"
RULES = rules_of(AlertRoute(name="ops", url_env="OPS_URL"))
DESK = Path(__file__).parents[3] / "deploy" / "desks" / "params.toml"


@pytest.fixture
def logged():
    """Return what reaches the log; pytest's own would hear loggers that are cut off as well."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    root, handler = logging.getLogger(), Lines()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


def section(text: str, folder: Path) -> ConsoleConfig:
    path = folder / "desk.toml"
    path.write_text(DESK.read_text() + "\n" + text)
    return load_desk_file(path, {}).section("console", ConsoleConfig)


def test_route_is_read_with_what_it_leaves_out(tmp_path: Path):
    (route,) = section('[[console.alerts]]\nname = "ops"\nurl_env = "OPS_URL"', tmp_path).alerts
    assert route == AlertRoute(
        name="ops",
        url_env="OPS_URL",
        min_severity=Severity.WARNING,
        quiet_minutes=10,
        at_most=10,
        per_minutes=10,
        in_replays=False,
    )


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (f'url = "json://{SECRET}@host"', "has its url in the desk file"),
        (f'urls_file = "json://{SECRET}@host"', "has no place in a desk file"),
        (f'url_env = "json://{SECRET}@host"', "has no place in a desk file"),
        ("", "needs urls_file or url_env"),
        ('url_env = "A"\nurls_file = "b"', "one of them"),
        ('url_env = "A"\nat_most = 0', "at_most must be 1 to 1000"),
        ('url_env = "A"\nquiet_minutes = 2000', "quiet_minutes must be 1 to 1440"),
        ('url_env = "A"\nmin_severity = "loud"', "min_severity"),
        ('url_env = "A"\nto = "me"', "unknown field `to`"),
    ],
)
def test_unusable_route_is_refused_without_its_secret(keys: str, said: str, tmp_path: Path):
    with pytest.raises(ConfigError, match=said) as refused:
        section(f'[[console.alerts]]\nname = "ops"\n{keys}', tmp_path)
    assert SECRET not in str(refused.value)


def test_two_routes_have_two_names(tmp_path: Path):
    one = '[[console.alerts]]\nname = "ops"\nurl_env = "A"\n'
    with pytest.raises(ConfigError, match="two routes are called ops"):
        section(one + one, tmp_path)


def test_a_replay_wakes_nobody_who_did_not_ask_for_it():
    ops = AlertRoute(name="ops", url_env="A")
    lab = AlertRoute(name="lab", url_env="A", in_replays=True)
    config = ConsoleConfig(alerts=[ops, lab])
    assert config.routes_in_use(replaying=True) == [lab]
    assert config.routes_in_use(replaying=False) == [ops, lab]


def test_file_of_several_urls_makes_an_address_of_each(tmp_path: Path):
    (tmp_path / "urls").write_text(f"# the team\n\njson://{SECRET}@host/a\n json://host/b\n")
    found = read_addresses([AlertRoute(name="ops", urls_file="urls")], tmp_path, {})
    assert [one.name for one in found] == ["ops/1", "ops/2"]
    assert SECRET not in repr(found)


def test_variable_holds_one_url(tmp_path: Path):
    route = AlertRoute(name="ops", url_env="OPS_URL")
    (found,) = read_addresses([route], tmp_path, {"OPS_URL": f" json://{SECRET}@host/a\n"})
    assert found.name == "ops"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("\n# nothing\n", "holds no URL"),
        (f"{SECRET}://x", "line 1 of .* is no URL"),
        (f"json://host\n{SECRET}", "line 2 of .* is no URL"),
        (f"slack://{SECRET}", "line 1 of .* is no URL"),
    ],
)
def test_unusable_url_is_refused_without_a_part_of_it(
    content: str | None, said: str, tmp_path: Path, capfd, logged
):
    if content is not None:
        (tmp_path / "urls").write_text(content)
    with pytest.raises(ConfigError, match=said) as refused:
        read_addresses([AlertRoute(name="ops", urls_file="urls")], tmp_path, {})
    assert "\n" not in str(refused.value)
    assert SECRET not in "".join([str(refused.value), *logged, *capfd.readouterr()])


def test_absent_variable_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="the environment lacks OPS_URL"):
        read_addresses([AlertRoute(name="ops", url_env="OPS_URL")], tmp_path, {})


@given(st.lists(st.text("abcXYZ019-_.%", min_size=3, max_size=12), min_size=1, max_size=5))
def test_no_part_of_a_url_stays_in_a_text(parts: list[str]):
    url = "json://" + "/".join(parts)
    said = without_secrets(f"cannot reach {url} or {parts[0].upper()}", url)
    assert not [part for part in parts if part in said.replace("cannot reach", "")]


def test_user_and_password_are_struck_out_quoted_and_unquoted():
    url = f"mailto://ada:{SECRET}%40x@mail.example?to=bob%40example.org"
    said = without_secrets(f"550 {SECRET}@x refused, {SECRET}%40x, bob@example.org", url)
    assert SECRET not in said
    assert "bob" not in said


def test_message_that_was_under_way_waits_again(tmp_path: Path):
    note = Note(severity=Severity.WARNING, service="gate", code="a", text="b", key="k", ts_event=1)
    line = take(Line(), RULES, note, 1)
    step = next_told(line, RULES, 1)
    assert step is not None
    keep_memory(tmp_path, Memory(lines={"ops": step[0]}))
    kept = read_memory(tmp_path).lines["ops"]
    assert (kept.under_way, kept.waiting) == (None, (note,))


def test_unreadable_memory_is_no_reason_to_stop(tmp_path: Path, caplog):
    assert read_memory(tmp_path) == Memory()
    (tmp_path / FILE).write_bytes(b'{"lines": 7}')
    assert read_memory(tmp_path) == Memory()
    assert "cannot be read" in caplog.text
    keep_memory(tmp_path, Memory(ids=("a",)))
    assert read_memory(tmp_path) == Memory(ids=("a",))
    assert msgspec.json.decode((tmp_path / FILE).read_bytes())["ids"] == ["a"]
