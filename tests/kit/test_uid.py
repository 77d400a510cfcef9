"""UIDs: ours are valid and unique, a peer's are judged by PS3.5 §9.1."""

import pytest

from negatoscope.kit.uid import is_harmless_uid, is_valid_uid, new_uid


def test_new_uids_are_valid_and_differ():
    """Each is under 2.25 and at most 64 characters."""
    made = {new_uid() for _ in range(1000)}
    assert len(made) == 1000
    assert all(is_valid_uid(uid) and uid.startswith("2.25.") for uid in made)


@pytest.mark.parametrize("text", ["1.2", "1.2.840.10008.1.1", "2.25." + "1" * 59, "1.0.0"])
def test_valid(text):
    """Components are numbers without leading zeros."""
    assert is_valid_uid(text)


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.", ".1", "1..2", "1.02", "00.1", "1.2a", "../../x", "1.2\x00", "1.2 ", "1.2\n",
     "2.25." + "1" * 60, "1.٢", "1.2/3", "-1.2"],
)  # fmt: skip
def test_hostile_or_malformed(text):
    """Letters, paths, controls, other digits and 65 characters are refused."""
    assert not is_valid_uid(text)


@pytest.mark.parametrize(
    ("text", "harmless"),
    [("1.2.3", True), ("1.02.3", True), ("1..2", True), ("", False), ("../x", False),
     ("1.2\x00", False), ("1." + "0" * 63, False), ("1.2 ", False)],
)  # fmt: skip
def test_harmless_text_is_digits_and_dots(text, harmless):
    """Old writers put leading zeros; nothing else gets near a log or a file."""
    assert is_harmless_uid(text) is harmless
