"""The configuration of the embedded NATS server."""

import re
from pathlib import Path

from interlock.cli.servers.nats import NatsUser, desk_users, render_nats_config
from interlock.cli.state_folder import open_state_folder


def rendered(*users: NatsUser) -> str:
    return render_nats_config(port=4222, monitor_port=8222, store=Path("/s/nats"), users=users)


def user(**changes: object) -> NatsUser:
    fields = {"name": "gate", "password": "p", "publish": ("cmd.x",), "subscribe": ("evt.>",)}
    return NatsUser(**{**fields, **changes})


def test_listens_on_loopback_only():
    text = rendered(user())
    assert 'listen: "127.0.0.1:4222"' in text
    assert 'http: "127.0.0.1:8222"' in text


def test_every_acknowledged_message_is_synced():
    assert "sync_interval: always" in rendered(user())


def test_a_user_may_do_what_the_table_allows():
    text = rendered(user(publish=("cmd.exec.submit-order.>", "$JS.ACK.A.gate.>")))
    assert 'publish: {allow: ["cmd.exec.submit-order.>", "$JS.ACK.A.gate.>"]}' in text
    assert 'subscribe: {allow: ["evt.>"]}' in text


def test_nothing_allowed_means_all_denied():
    # To nats-server an empty list of allowed subjects allows every subject.
    assert 'publish: {deny: [">"]}' in rendered(user(publish=()))


def test_quotes_and_dollars_cannot_leave_their_string():
    text = rendered(user(password='a"} $b \\'))
    assert r'password: "a\"} $b \\"' in text


def test_each_user_of_the_desk_has_a_password_of_its_own(tmp_path):
    state = open_state_folder(tmp_path)
    users = desk_users(state)
    assert {"admin", "operator", "gate", "exec", "feed"} <= {each.name for each in users}
    assert len({each.password for each in users}) == len(users)
    assert all(re.fullmatch(r"[0-9a-f]{48}", each.password) for each in users)
    assert desk_users(state) == users


def test_only_the_admin_may_create_streams_and_consumers(tmp_path):
    # Who may create a consumer may overwrite another's, and have the server deliver anywhere.
    for each in desk_users(open_state_folder(tmp_path)):
        creators = [s for s in each.publish if "CREATE" in s or s in (">", "$JS.>", "$JS.API.>")]
        assert not creators or each.name == "admin"
