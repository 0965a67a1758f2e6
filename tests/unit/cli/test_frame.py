"""What a person sees when something is wrong: one line, exit code 2."""

import json

import pytest
from interlock.cli.commands.up import parse_speed
from interlock.cli.errors import CliError
from interlock.cli.main import app
from typer.testing import CliRunner

runner = CliRunner()


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "wrong", "advice"),
    [
        (["up"], "missing option '--desk'", "see `interlock up --help`"),
        (["up", "--desk", "absent"], "no desk 'absent'", "give a path"),
        (["up", "--desk", "x", "--colour", "red"], "no such option: --colour", "--help"),
        (["up", "--desk", "x", "--port", "-1"], "--port", "see `interlock up --help`"),
        (["fly"], "no such command 'fly'", "see `interlock --help`"),
        (["status"], "no desk runs in", "interlock up"),
        (["bus", "ls"], "no desk runs in", "interlock up"),
        (["bus", "tail", ">"], "no desk runs in", "interlock up"),
    ],
)
def test_an_error_is_one_line_with_advice(words, wrong, advice):
    answer = runner.invoke(app, words)
    assert answer.exit_code == 2
    assert answer.stdout == ""
    (line,) = answer.stderr.splitlines()
    assert line.startswith("interlock: ")
    assert wrong in line
    assert advice in line


def test_with_json_an_error_is_an_object_on_standard_output():
    answer = runner.invoke(app, ["status", "--json"])
    assert answer.exit_code == 2
    assert answer.stderr == ""
    assert "no desk runs" in json.loads(answer.stdout)["error"]


def test_without_words_it_shows_its_help():
    answer = runner.invoke(app, [])
    assert answer.exit_code == 0
    for command in ("up", "status", "doctor", "down", "bus"):
        assert f"\n  {command} " in answer.stdout


def test_down_with_nothing_to_stop_is_content():
    answer = runner.invoke(app, ["down", "--json"])
    assert answer.exit_code == 0
    assert json.loads(answer.stdout) == {"stopped": []}


def test_a_damaged_run_record_is_one_line(tmp_path):
    (tmp_path / ".interlock").mkdir()
    (tmp_path / ".interlock" / "run.json").write_text('{"desk": 1}')
    answer = runner.invoke(app, ["status"])
    assert answer.exit_code == 2
    assert "delete it" in answer.stderr


def test_a_speed_is_a_factor_or_max():
    assert parse_speed("max") is None
    assert parse_speed("2.5") == 2.5


@pytest.mark.parametrize("text", ["0", "-1", "fast", "inf", "nan", ""])
def test_any_other_speed_is_refused(text):
    with pytest.raises(CliError, match="above zero, or max"):
        parse_speed(text)
