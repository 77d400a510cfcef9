"""The national health identity of France (INS): its authorities, its key, what it makes of a status (RNIV).

An INS is 13 characters and a key of two digits; letters stand in the department of a birth in Corsica.
"""

import re
from typing import Final

from negatoscope.domain.patients.model import Identifier, IdentityStatus, Traits

AUTHORITIES: Final = {
    "1.2.250.1.213.1.4.8": "INS-NIR",
    "1.2.250.1.213.1.4.9": "INS-NIA",
}
"""Authorities of real identities."""
TEST_AUTHORITIES: Final = {
    "1.2.250.1.213.1.4.10": "INS-NIR test",
    "1.2.250.1.213.1.4.11": "INS-NIR demonstration",
}
"""Authorities of identities of nobody: for test sites."""
_FORM: Final = re.compile(r"[0-9]{5}([0-9]{2}|2[AB])[0-9]{6}[0-9]{2}")


def is_ins(identifier: Identifier) -> bool:
    """Whether it is an INS, a real or a test one."""
    universal_id = identifier.authority.universal_id
    return universal_id in AUTHORITIES or universal_id in TEST_AUTHORITIES


def is_test(identifier: Identifier) -> bool:
    """Whether it is an INS of a test or demonstration."""
    return identifier.authority.universal_id in TEST_AUTHORITIES


def key_of(number: str) -> int:
    """The key of the first 13 characters: ``97 - (n mod 97)``, with 2A as 19 and 2B as 18.

    Raises:
        ValueError: they are not 13 digits, Corsican departments aside.
    """
    digits = number[:5] + {"2A": "19", "2B": "18"}.get(number[5:7], number[5:7]) + number[7:13]
    if len(digits) != 13 or not (digits.isascii() and digits.isdigit()):
        raise ValueError("not 13 digits")
    return 97 - int(digits) % 97


def problem_of(value: str) -> str:
    """What is wrong with an INS as written; empty when nothing is: a warning, never a refusal."""
    if _FORM.fullmatch(value) is None:
        return "it is not 13 characters and a key of two digits"
    if key_of(value) != int(value[13:]):
        return "its key does not fit"
    return ""


def status_of(traits: Traits, identifiers: tuple[Identifier, ...]) -> IdentityStatus:
    """The status of an identity by RNIV: two facts, checked against a document and got from INSi.

    Args:
        traits: PID-32 says whether it was checked; silence is no.
        identifiers: In force; an INS is there or not.
    """
    is_checked = traits.identity_status == "VALI"
    has_ins = any(is_ins(one) for one in identifiers)
    if is_checked:
        return IdentityStatus.QUALIFIED if has_ins else IdentityStatus.VALIDATED
    return IdentityStatus.RETRIEVED if has_ins else IdentityStatus.PROVISIONAL
