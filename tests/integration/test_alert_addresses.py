"""Messages to people over real sockets, in the words of each receiver's own protocol."""

import json
import logging
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from interlock.console.alerts import addresses
from interlock.console.alerts.addresses import Address, read_addresses, send, send_and_wait
from interlock.console.alerts.routes import AlertRoute
from interlock.model.values import Severity
from interlock.testkit.alert_receivers import http_receiver, mailbox

SECRET = "s3cr3tT0k3nOfOps"
TITLE = "CRITICAL hybrid: kill_switch.pressed"
BODY = "pressed by ada (a < b & c > d)\n2026-11-21 21:44:47 UTC, by exec"
SLACK = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
TELEGRAM = "123456789:abcdefg_hijklmnop"
TWILIO = "AC" + "735c8a85" * 4


@pytest.fixture
def receiver():
    with http_receiver() as running:
        yield running


@pytest.fixture
def logged():
    """Return every line of the log; pytest's own would hear loggers that are cut off as well."""
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


def address(url: str) -> Address:
    route = AlertRoute(name="ops", url_env="OPS_URL")
    (found,) = read_addresses([route], Path(), {"OPS_URL": url})
    return found


def say(url: str, severity: Severity = Severity.CRITICAL) -> str:
    return send_and_wait(address(url), TITLE, BODY, severity)


def test_webhook_gets_json(receiver):
    assert say(f"json://ada:{SECRET}@127.0.0.1:{receiver.port}/hook") == ""
    (got,) = receiver.taken
    assert got.path == "/hook"
    assert got.headers["Authorization"].startswith("Basic ")
    posted = json.loads(got.body)
    assert (posted["title"], posted["message"], posted["type"]) == (TITLE, BODY, "failure")


def test_slack_gets_its_own_shape_with_its_markup_escaped(receiver, monkeypatch):
    from apprise.plugins.slack import NotifySlack

    monkeypatch.setattr(NotifySlack, "webhook_url", f"{receiver.base}/services")
    receiver.body = "ok"
    assert say(f"slack://{SLACK}") == ""
    (got,) = receiver.taken
    assert got.path == f"/services/{SLACK}"
    (shown,) = json.loads(got.body)["attachments"]
    assert shown["title"] == TITLE
    assert "a &lt; b &amp; c &gt; d" in shown["text"]
    assert "http" not in got.body


def test_telegram_gets_its_own_shape_with_its_markup_escaped(receiver, monkeypatch):
    from apprise.plugins.telegram import NotifyTelegram

    monkeypatch.setattr(NotifyTelegram, "notify_url", f"{receiver.base}/bot")
    assert say(f"tgram://{TELEGRAM}/12315544") == ""
    (got,) = receiver.taken
    assert got.path == f"/bot{TELEGRAM}/sendMessage"
    posted = json.loads(got.body)
    assert posted["chat_id"] == 12315544
    assert TITLE in posted["text"]
    assert "a &lt; b &amp; c &gt; d" in posted["text"]


def test_sms_is_cut_to_one_message(receiver, monkeypatch):
    from apprise.plugins.twilio import NotifyTwilio

    url = f"{receiver.base}/{{sid}}/Messages.json"
    monkeypatch.setattr(NotifyTwilio, "notify_sms_url", url)
    to = address(f"twilio://{TWILIO}:{'0a1b2c3d' * 4}@15551234567/15557654321")
    assert send_and_wait(to, TITLE, "x" * 400, Severity.CRITICAL) == ""
    (got,) = receiver.taken
    (text,) = parse_qs(got.body)["Body"]
    assert text.startswith(TITLE)
    assert len(text) <= 160


def test_mail_is_a_mail():
    with mailbox() as (port, mails):
        url = f"mailto://ada:{SECRET}@127.0.0.1:{port}?from=desk@example.org&to=ops@example.org"
        assert say(f"{url}&mode=insecure") == ""
    (mail,) = mails
    assert mail["Subject"] == TITLE
    assert "ops@example.org" in mail["To"]
    text = mail.get_body(("plain", "html"))
    assert text is not None
    assert "pressed by ada" in text.get_content()
    assert "<script" not in mail.as_string()


@pytest.mark.parametrize(
    "url",
    [
        f"json://ada:{SECRET}@127.0.0.1:PORT/{SECRET}?token={SECRET}",
        f"mmost://127.0.0.1:PORT/{SECRET}",
        f"form://ada:{SECRET}@127.0.0.1:PORT/{SECRET}",
    ],
)
@pytest.mark.parametrize("status", [0, 403, 500])
def test_failure_is_told_without_the_secret(url, status, receiver, logged, capfd):
    url = url.replace("PORT", str(receiver.port))
    if status:
        receiver.status = status
        receiver.body = f"no {SECRET} here"
    else:
        receiver.stop()
    problem = say(url)
    assert problem
    said = "".join([problem, *logged, *capfd.readouterr()])
    assert SECRET not in said
    assert problem != "it was not taken, and no reason given"


def test_mail_server_that_is_away_is_told_without_the_secret(logged, capfd):
    with mailbox() as (port, _):
        pass
    url = f"mailto://ada:{SECRET}@127.0.0.1:{port}?from=a@example.org&to=b@example.org"
    problem = say(f"{url}&mode=insecure")
    assert problem
    assert SECRET not in "".join([problem, *logged, *capfd.readouterr()])


async def test_receiver_that_hangs_is_left_to_itself(receiver, monkeypatch):
    monkeypatch.setattr(addresses, "SEND_SECONDS", 0.2)
    to = address(f"json://127.0.0.1:{receiver.port}/hook?rto=20")
    receiver.pause_seconds = 1.5
    for _ in range(addresses.MOST_HANGING):
        assert await send(to, TITLE, BODY, Severity.INFO) == "no answer within 0.2 s"
    assert await send(to, TITLE, BODY, Severity.INFO) == "3 messages to it hang"
    for thread in to.hanging:
        thread.join()
    receiver.pause_seconds = 0
    assert await send(to, TITLE, BODY, Severity.INFO) == ""
