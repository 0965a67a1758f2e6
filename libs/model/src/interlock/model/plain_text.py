"""Text from outside is data: normalised, without hidden characters, never longer than asked."""

import unicodedata

_KEPT_CONTROLS = "\n\t"
_LINE_ENDS = {"\u2028": "\n", "\u2029": "\n", "\r": "\n"}
# Control, format (zero width, bidirectional, tags), private use, surrogates, unassigned.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
# Letters and marks that print as nothing, and so can carry what a reader does not see.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


def plain_text(text: str, max_chars: int) -> str:
    """Return `text` in NFKC, without characters that cannot be seen, cut to `max_chars`.

    It is cut before the normalisation as well: NFKC can make one character into eighteen.
    """
    text = text[:max_chars].replace("\r\n", "\n")
    text = unicodedata.normalize("NFKC", text)
    seen = "".join(_LINE_ENDS.get(c, c) for c in text if not _is_hidden(c))
    return unicodedata.normalize("NFKC", seen)[:max_chars]


def _is_hidden(character: str) -> bool:
    if character in _KEPT_CONTROLS or character in _LINE_ENDS:
        return False
    if character in _INVISIBLE or unicodedata.category(character) in _HIDDEN_CATEGORIES:
        return True
    return any(ord(character) in selectors for selectors in _VARIATION_SELECTORS)
