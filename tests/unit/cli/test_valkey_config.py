"""The configuration of the embedded Valkey server."""

from pathlib import Path

from interlock.cli.servers.valkey import render_valkey_config

TEXT = render_valkey_config(port=6379, folder=Path("/s/valkey"), password="hidden")


def test_every_write_is_synced_before_its_answer():
    assert "appendonly yes" in TEXT
    assert "appendfsync always" in TEXT
    assert 'save ""' in TEXT


def test_it_listens_on_loopback_and_asks_for_the_password():
    assert "bind 127.0.0.1" in TEXT
    assert "requirepass hidden" in TEXT


def test_nothing_is_evicted():
    assert "maxmemory-policy noeviction" in TEXT
