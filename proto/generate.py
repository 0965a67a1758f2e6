"""Write the generated files below this folder. Run by ``make proto``."""

from pathlib import Path

from interlock.wire.documents import render

FOLDER = Path(__file__).parent


def main() -> None:
    """Write what is rendered and delete schemas of messages that are gone."""
    files = render()
    for old in (FOLDER / "schemas").glob("*.json"):
        if f"schemas/{old.name}" not in files:
            old.unlink()
    for name, text in files.items():
        path = FOLDER / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
