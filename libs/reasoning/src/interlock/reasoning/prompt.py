"""A prompt: fixed text with blanks, and the hash of what the model saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from string import Template


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """What the model is told it is, and the question; both with ``$blanks``."""

    name: str
    system: str
    question: str

    @property
    def files(self) -> str:
        """Name and version of the files, and the SHA-256 of what stands in them."""
        return f"{self.name} {prompt_hash(self.system, self.question)}"


def filled(text: str, blanks: Mapping[str, str]) -> str:
    """Return `text` with every blank filled. A blank without a value is an error."""
    return Template(text).substitute(blanks)


def prompt_hash(system: str, question: str) -> str:
    """Return the SHA-256 of a prompt as the model sees it, in hexadecimal."""
    return sha256(f"{system}\n\n{question}".encode()).hexdigest()
