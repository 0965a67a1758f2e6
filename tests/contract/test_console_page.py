"""The console's built page is what its sources make, small, and leaves nothing to elsewhere."""

import gzip
import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "services" / "console" / "web" / "build.py"
MOST_KB = 300
NOT_LOADED = {"built-from.sha256", "licenses.txt"}


@cache
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("console_page_build", BUILD)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built() -> dict[str, bytes]:
    page: Path = build().PAGE
    return {
        path.relative_to(page).as_posix(): path.read_bytes()
        for path in page.rglob("*")
        if path.is_file()
    }


def test_built_page_is_of_these_sources_and_views():
    recorded = build().RECORD.read_text(encoding="utf-8").strip()
    assert recorded == build().built_from(), "run `make web`"


def test_changed_view_changes_what_the_page_is_built_from(monkeypatch):
    before = build().built_from()
    monkeypatch.setattr(build(), "api_document", lambda: "another")
    assert build().built_from() != before


def test_whole_page_is_small():
    loaded = [body for name, body in built().items() if name not in NOT_LOADED]
    assert sum(len(gzip.compress(body)) for body in loaded) <= MOST_KB * 1_000


def test_index_loads_own_files_only_and_holds_nothing_inline():
    index = built()["index.html"].decode()
    targets = re.findall(r'(?:src|href)="([^"]+)"', index)
    assert targets
    assert all(target.removeprefix("/") in built() for target in targets)
    assert not re.search(r"<style|style=|<script[^>]*>[^<]| on[a-z]+=", index)


def test_styles_fetch_nothing_from_elsewhere():
    styles = [body.decode() for name, body in built().items() if name.endswith(".css")]
    assert styles
    targets = [target for text in styles for target in re.findall(r"url\(([^)]*)\)", text)]
    assert targets
    assert all(target.startswith("/assets/") for target in targets)
