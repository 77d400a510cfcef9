"""Addresses of other applications: nothing that is put into one can lead elsewhere."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negatoscope.domain.devices.calls import CallContext, CallTemplate, check, fill
from negatoscope.domain.devices.errors import InvalidCallTemplate


def template(text: str, place: str = "STUDY") -> CallTemplate:
    return CallTemplate(label="DPI", place=place, template=text)


@pytest.mark.parametrize(
    "text",
    [
        "https://dpi.example/open?ipp={patient_id:CHU-X}&exam={accession_number}",
        "http://10.1.2.3:8080/{study_instance_uid}/view#u={user}",
        "https://[2001:db8::1]/x?issuer={issuer_of_patient_id}",
        "https://dpi.example",
    ],
)
def test_addresses_that_can_be_used(text: str) -> None:
    check(template(text))


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert({user})",
        "data:text/html,{user}",
        "ftp://dpi.example/{user}",
        "//dpi.example/{user}",
        "https://{user}/",
        "https://{patient_id}.example/",
        "https://dpi.example{user}/",
        "https://dpi.example:{user}/",
        "https://dpi.example:99999/",
        "https://user:secret@dpi.example/",
        "https://dpi.example\\@evil.example/",
        "https://dpi.example/{name}",
        "https://dpi.example/{user:CHU}",
        "https://dpi.example/{user",
        "https://dpi.example/{{user}}",
        "https://dpi.example/ {user}",
        "https://dpi.example/\r\nx",
        "https://dpi.example/é",
        "https://",
        "",
    ],
)
def test_addresses_that_are_refused(text: str) -> None:
    with pytest.raises(InvalidCallTemplate):
        check(template(text))


def test_of_a_patient_no_study_is_known() -> None:
    with pytest.raises(InvalidCallTemplate):
        check(template("https://x/{accession_number}", "PATIENT"))
    check(template("https://x/{patient_id}", "PATIENT"))


@given(value=st.text(min_size=1, max_size=40), user=st.text(min_size=1, max_size=40))
def test_what_is_put_in_stays_a_value(value: str, user: str) -> None:
    context = CallContext(identifiers=[(value, frozenset())], user=user)
    try:
        made = fill("https://dpi.example/a/{patient_id}?who={user}&end=1#f", context)
    except UnicodeEncodeError:  # a lone surrogate is no text
        return
    assert made is not None
    parts = urlsplit(made)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "dpi.example", "f")
    assert parts.path.count("/") == 2
    assert parse_qs(parts.query, keep_blank_values=True) == {"who": [user], "end": ["1"]}


def test_a_number_of_an_authority_and_what_is_not_known() -> None:
    context = CallContext(
        identifiers=[("P1", frozenset({"CHU-X"})), ("I9", frozenset({"INS", "1.2.250"}))],
        study_instance_uid="1.2.3",
    )
    assert fill("https://x/?p={patient_id}", context) == "https://x/?p=P1"
    assert fill("https://x/?p={patient_id:1.2.250}", context) == "https://x/?p=I9"
    assert fill("https://x/?p={patient_id:CHU-Y}", context) is None
    assert fill("https://x/?a={accession_number}", context) is None
