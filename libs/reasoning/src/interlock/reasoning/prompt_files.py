"""The prompts, as versioned text files. A changed prompt is a new file, never an edited one."""

from importlib.resources import files

from interlock.reasoning.prompt import Prompt


def load_prompt(name: str) -> Prompt:
    """Read the prompt of this name and version, such as ``param-proposal.v1``."""
    folder = files("interlock.reasoning") / "prompts"
    system = (folder / f"{name}.system.txt").read_text(encoding="utf-8")
    question = (folder / f"{name}.question.txt").read_text(encoding="utf-8")
    return Prompt(name=name, system=system.strip(), question=question.strip())
