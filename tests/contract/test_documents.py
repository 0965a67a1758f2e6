"""What the documents say is what the code does, as far as a machine can tell."""

import re
import runpy
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from interlock.cli.main import app
from interlock.wire import catalogue
from typer.main import get_group

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("services/*/README.md")]
DECISIONS = sorted(ROOT.glob("docs/adr/*.md"))
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def _code(text: str) -> list[str]:
    """Return what stands in fences and between backticks."""
    fences = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [*fences, *re.findall(r"`([^`\n]+)`", text)]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_generated_parts_are_current():
    wanted = runpy.run_path(str(ROOT / "docs" / "generate.py"))["render"]()
    stale = [
        path for path, text in wanted.items()
        if not (ROOT / path).exists() or (ROOT / path).read_text(encoding="utf-8") != text
    ]  # fmt: skip
    assert not stale, "run `make proto`"


@pytest.mark.parametrize("service", [*catalogue.SERVICES, *catalogue.PEOPLE])
def test_service_page_has_its_four_parts(service: str):
    text = (ROOT / "services" / service / "README.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert heads == ["Hears", "Says", "Remembers", "If it dies"]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_decision_has_its_form(path: Path):
    text = path.read_text(encoding="utf-8")
    assert re.match(rf"# {int(path.name[:4])}\. \S", text)
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert heads == ["Context", "Decision", "Consequences", "A change violates this when"]


def test_decisions_are_numbered_without_gaps():
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path):
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_commands_in_the_readme_are_there():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    known = get_group(app).commands
    named = re.findall(r"\binterlock ([a-z]+)(?: ([a-z]+)\b)?", "\n".join(_code(text)))
    assert named
    for command, word in named:
        assert command in known, command
        inner = getattr(known[command], "commands", {})
        assert not inner or word in inner, f"{command} {word}"


def test_picture_is_well_formed():
    assert ET.parse(ROOT / "docs" / "picture.svg").getroot().tag.endswith("svg")


def test_glossary_is_sorted():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\*\*(.+?)\*\*", text, re.MULTILINE)
    assert words == sorted(words, key=str.lower)
