"""Text folded for comparison: what a name is stored and looked up under."""

import unicodedata

_EXPANSIONS = str.maketrans(
    {
        "œ": "oe",
        "æ": "ae",
        "ß": "ss",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "þ": "th",
        "ı": "i",
        "’": "'",
        "‘": "'",
        "ʼ": "'",
    }
)
#: Voicing marks make another kana, not an accent.
_KEPT_MARKS = {"\u3099", "\u309a"}


def fold(text: str) -> str:
    """Fold case, accents, ligatures, width and runs of spaces, once and for all.

    `fold(fold(x)) == fold(x)`. Used both when values are indexed and on the values of queries;
    cut a query at its wildcards before, since a full-width asterisk folds to `*`.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", text).casefold().translate(_EXPANSIONS)
    decomposed = unicodedata.normalize("NFKD", decomposed)
    bare = "".join(c for c in decomposed if unicodedata.category(c) != "Mn" or c in _KEPT_MARKS)
    return " ".join(unicodedata.normalize("NFC", bare).split())
