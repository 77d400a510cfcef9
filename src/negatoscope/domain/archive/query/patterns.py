"""Patterns of text and person name keys (PS3.4 §C.2.2.2.1, §C.2.2.2.4)."""

import re
from functools import lru_cache
from typing import Final

from negatoscope.kit.text import fold

# Lone surrogates stand for wild cards in patterns: stored text can hold an asterisk, but not these.
STAR: Final = "\ud800"  # `*`
ANY: Final = "\ud801"  # `?`
NOT_IN_DATA: Final = str.maketrans({STAR: "\ud802", ANY: "\ud802"})
"""Keeps the marks out of data and keys."""

WILD: Final = re.compile(r"([*?])")
_WORD_BREAKS: Final = re.compile(r"[\s^=*?,.'\-_/\\]+")


def pattern(key: str) -> str:
    """A literal text key with its wild cards marked."""
    text = key.translate(NOT_IN_DATA)
    return text.replace("*", STAR).replace("?", ANY)


def folded_pattern(key: str) -> str:
    """A text key folded between its wild cards, which are marked."""
    return "".join(
        {"*": STAR, "?": ANY}.get(piece) or fold(piece).translate(NOT_IN_DATA)
        for piece in WILD.split(key)
        if piece
    )


def glob(wild: str, text: str) -> bool:
    """Wild card matching (PS3.4 §C.2.2.2.4) in time linear in the text for each piece."""
    first, *others = wild.split(STAR)
    if not others:
        return len(first) == len(text) and _find(first, text, 0) == 0
    *middle, last = others
    if len(first) + len(last) > len(text) or not _starts(first, text, 0):
        return False
    at, end = len(first), len(text) - len(last)
    if not _starts(last, text, end):
        return False
    between = text[:end]
    for piece in middle:
        if piece:
            at = _find(piece, between, at)
            if at < 0:
                return False
            at += len(piece)
    return at <= end


def _starts(piece: str, text: str, at: int) -> bool:
    return all(p in (ANY, t) for p, t in zip(piece, text[at : at + len(piece)], strict=False))


def _find(piece: str, text: str, at: int) -> int:
    if ANY not in piece:
        return text.find(piece, at)
    found = _compiled(piece).search(text, at)
    return found.start() if found else -1


@lru_cache(maxsize=256)
def _compiled(piece: str) -> re.Pattern[str]:
    return re.compile(".".join(map(re.escape, piece.split(ANY))), re.DOTALL)


def name_matches(value: str, key: str) -> bool:
    """Whether a name matches a name key, both as `alphabetic=ideographic=phonetic`."""
    groups = [normal_name(group) for group in value.translate(NOT_IN_DATA).split("=")[:3]]
    wanted = [name_pattern(group) for group in key.split("=")[:3]]
    if len(wanted) == 1:
        candidates = groups if is_beyond_latin(key) else groups[:1]
        return any(_group_matches(group, wanted[0]) for group in candidates if group)
    groups += [""] * (3 - len(groups))
    return all(
        not group_key or _group_matches(group, group_key)
        for group, group_key in zip(groups, wanted, strict=False)
    )


def normal_name(group: str) -> str:
    """One component group, folded component by component, without trailing empty ones."""
    return "^".join(map(fold, group.split("^"))).rstrip("^")


def name_pattern(group: str) -> str:
    """One component group of a key, folded, with its wild cards marked."""
    return "^".join(map(folded_pattern, group.split("^"))).rstrip("^")


def is_beyond_latin(key: str) -> bool:
    """Whether a name key may be meant for an ideographic or phonetic group."""
    return any(c > "\u024f" for c in fold(key))


def name_stem(wild: str) -> str:
    """A compiled group without its trailing components that are empty or a lone `*`."""
    stem = wild
    while stem.endswith(("^", "^" + STAR)):
        stem = stem[:-1] if stem.endswith("^") else stem[:-2]
    return stem


def _group_matches(group: str, wild: str) -> bool:
    stem = name_stem(wild)
    return (stem != wild and glob(stem, group)) or glob(wild, group)


def words(text: str) -> list[str]:
    """Folded words of a name or a name key, wild cards and delimiters left out."""
    return [word for word in _WORD_BREAKS.split(fold(text)) if word]


def fuzzy_name_matches(value: str, key: str) -> bool:
    """Whether each word of the key begins some word of any component of the name."""
    there = words(value)
    return all(any(word.startswith(wanted) for word in there) for wanted in words(key))
