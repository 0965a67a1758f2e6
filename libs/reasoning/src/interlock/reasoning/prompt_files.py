"""The prompts, as versioned text files. A changed prompt is a new file, never an edited one."""

from importlib.resources import files

from interlock.reasoning.prompt import Prompt

_END = ".system.txt"


class UnknownPromptError(ValueError):
    """There is no such version of a prompt. The text says which there are."""


def load_prompt(name: str) -> Prompt:
    """Read the prompt of this name and version, such as ``param-proposal.v1``.

    Raises
    ------
    UnknownPromptError
        Where there is none.
    """
    folder = files("interlock.reasoning") / "prompts"
    known = {one.name.removesuffix(_END) for one in folder.iterdir() if one.name.endswith(_END)}
    if name not in known:
        kind = name.partition(".")[0]
        others = sorted(one for one in known if one.partition(".")[0] == kind)
        raise UnknownPromptError(f"there is no prompt {name}: known are {', '.join(others)}")
    system = (folder / f"{name}.system.txt").read_text(encoding="utf-8")
    question = (folder / f"{name}.question.txt").read_text(encoding="utf-8")
    return Prompt(name=name, system=system.strip(), question=question.strip())
