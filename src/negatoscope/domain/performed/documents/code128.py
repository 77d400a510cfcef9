"""Code 128 (ISO/IEC 15417): bars of a text, in the fewest symbols of its code sets B and C."""

from typing import Final

_PATTERNS: Final = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231"
    "113222123122123221223211221132221231213212223112312131311222321122321221312212322112322211"
    "212123212321232121111323131123131321112313132113132311211313231113231311112133112331132131"
    "113123113321133121313121211331231131213113213311213131311123311321331121312113312311332111"
    "314111221411431111111224111422121124121421141122141221112214112412122114122411142112142211"
    "241211221114413111241112134111111242121142121241114212124112124211411212421112421211212141"
    "214121412121111143111341131141114113114311411113411311113141114131311141411131211412211214"
    "211232"
)
_WIDTHS: Final = tuple(_PATTERNS[at : at + 6] for at in range(0, len(_PATTERNS), 6))
"""Widths of bar, space, bar, … in modules, by the symbol's value."""
_START_B: Final = 104
_START_C: Final = 105
_TO_B: Final = 100
_TO_C: Final = 99
_STOP: Final = "2331112"
_RUN: Final = 4
"""Digits from which code set C is shorter."""


def symbols(text: str) -> list[int]:
    """The values of a text's symbols, start, check symbol and all but the stop.

    Raises:
        ValueError: empty, or a character that code sets B and C have not.
    """
    if not text or any(not 32 <= ord(one) <= 126 for one in text):
        raise ValueError("Code 128 B takes printable ASCII characters")
    values: list[int] = []
    at = 0
    is_c = False
    while at < len(text):
        run = _digits(text, at)
        wants_c = run - run % 2 >= (2 if is_c else _RUN) or (not values and run == len(text) == 2)
        if not values:
            values.append(_START_C if wants_c else _START_B)
        elif wants_c != is_c:
            values.append(_TO_C if wants_c else _TO_B)
        is_c = wants_c
        if is_c:
            values.append(int(text[at : at + 2]))
            at += 2
        else:
            values.append(ord(text[at]) - 32)
            at += 1
    check = (values[0] + sum(at * value for at, value in enumerate(values))) % 103
    return [*values, check]


def bars(text: str) -> list[tuple[int, int]]:
    """The black bars of a text: first module and width of each, without the quiet zones.

    Raises:
        ValueError: as `symbols`.
    """
    widths = "".join(_WIDTHS[value] for value in symbols(text)) + _STOP
    found: list[tuple[int, int]] = []
    at = 0
    for number, width in enumerate(int(one) for one in widths):
        if number % 2 == 0:
            found.append((at, width))
        at += width
    return found


def module_count(text: str) -> int:
    """How many modules wide it is, without the quiet zones of ten modules on each side."""
    return 11 * len(symbols(text)) + 13


def _digits(text: str, at: int) -> int:
    end = at
    while end < len(text) and text[end].isascii() and text[end].isdigit():
        end += 1
    return end - at
