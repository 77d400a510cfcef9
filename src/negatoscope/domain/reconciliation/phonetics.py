"""How a French name sounds: one key for what is said alike and written differently.

Ours, after the rules of French spelling (mute endings, nasals, digraphs): Lefebvre and Lefèvre,
Dupond and Dupont, Gauthier and Gautier, Philippe and Filipe. Names of other languages get a key too;
it is only ever one sign among others.
"""

import re
from functools import lru_cache
from typing import Final

from negatoscope.kit.text import fold

_RULES: Final = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"(?<=lef)eb(?=vre)", "e"),  # a written b that is not said
        (r"sch|sh", "1"),
        (r"ch(?=[lrnt])", "k"),
        (r"ch", "1"),
        (r"ph", "f"),
        (r"gn", "ni"),
        (r"gu(?=[eiy])", "g"),
        (r"g(?=[eiy])", "j"),
        (r"qu?|ck|cq", "k"),
        (r"c(?=[eiy])", "s"),
        (r"c", "k"),
        (r"(?<=[aeiouy])s(?=[aeiouy])", "z"),
        (r"x(?=[aeiouy])", "ks"),
        (r"w", "v"),
        (r"th", "t"),
        (r"h", ""),
        (r"eaux?|aux?|aul[dt](?=s?$)", "o"),
        (r"ault(?=s?$)|aud(?=s?$)|ot(?=s?$)|os(?=$)", "o"),
        (r"oe?u", "u"),
        (r"eu", "e"),
        (r"ill(?=[aeiouy])", "i"),
        (r"(?:ai|ei)n(?![aeiouyn])|(?:i|y)[nm](?![aeiouynm])", "3"),
        (r"(?:e|a)[nm](?![aeiouynm])", "2"),
        (r"o[nm](?![aeiouynm])", "4"),
        (r"un(?![aeiouyn])", "3"),
        (r"ai|ei|ay|ey|ez(?=$)|er(?=$)|et(?=$)", "e"),
        (r"y", "i"),
        (r"(.)\1+", r"\1"),
    )
)
_ENDING: Final = re.compile(r"(?<=..)(?:es|e|[dtsxzp]+)$")


@lru_cache(maxsize=50_000)
def sound_of(name: str) -> str:
    """The key of one name; empty of what holds no letter."""
    words = re.sub(r"[^a-z]+", "", fold(name))
    if not words:
        return ""
    for pattern, sound in _RULES:
        words = pattern.sub(sound, words)
    words = _ENDING.sub("", words)
    words = _ENDING.sub("", words)
    first, rest = words[:1], words[1:]
    key = (first if first not in "aeiou" else "a" if first == "a" else first) + re.sub(
        r"[aeiou]+", "", rest
    )
    return re.sub(r"(.)\1+", r"\1", key)[:8] or first
