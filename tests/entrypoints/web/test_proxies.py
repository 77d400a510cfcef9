"""Behind a proxy: links and the audit trail tell the client's side, from trusted proxies only."""

import pytest

from negatoscope.entrypoints.web.app import create_app
from negatoscope.entrypoints.web.proxies import Forwarded, TrustedProxies

STUDY = "1.2.826.0.1.3680043.10.1.1"


def read(headers, client="10.0.0.1", trusted=("10.0.0.0/8",)):
    """What is read of a request's headers."""
    scope = {"client": (client, 1), "headers": [(k.encode(), v.encode()) for k, v in headers]}
    return TrustedProxies(trusted).read(scope)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], Forwarded()),
        ([("forwarded", 'for=1.2.3.4;host="a.example:8443";proto=https')],
         Forwarded("1.2.3.4", "a.example:8443", "https")),
        ([("forwarded", 'for="[2001:db8::1]:99"')], Forwarded("2001:db8::1")),
        ([("forwarded", "for=6.6.6.6"), ("forwarded", "for=1.2.3.4, for=10.0.0.9;proto=https")],
         Forwarded("1.2.3.4", None, "https")),
        ([("forwarded", "for=_hidden;host=<script>;proto=gopher")], Forwarded()),
        ([("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.0.0.9"), ("x-forwarded-proto", "https"),
          ("x-forwarded-host", "a.example")], Forwarded("1.2.3.4", "a.example", "https")),
        ([("forwarded", ';;=,==,"')], Forwarded()),
    ],
)  # fmt: skip
def test_what_is_read(headers, found):
    """RFC 7239, or the headers before it; what cannot be read is as if it were not there."""
    assert read(headers) == found


def test_nobody_else_is_believed():
    """The same headers from an address that is no proxy."""
    headers = [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-host", "evil.example")]
    assert read(headers, client="1.1.1.1") == Forwarded()
    assert read(headers, trusted=()) == Forwarded()


def test_links_and_audit_trail(served, settings, helpers):
    """Retrieve URLs begin with the proxy's address; the row names the client."""
    assert served.store(helpers.make_ct(1)).status_code == 200
    headers = {"Forwarded": "for=203.0.113.7;host=pacs.example;proto=https"}
    plain = served.client().get("/dicom-web/studies", headers=headers).json()
    assert plain[0]["00081190"]["Value"] == [f"http://archive.test/dicom-web/studies/{STUDY}"]
    trusting = settings.model_copy(update={"trusted_proxies": ("127.0.0.1",)})
    served.application = create_app(trusting, served.services)
    client = served.client("secretary")
    found = client.get("/dicom-web/studies", headers=headers).json()
    assert found[0]["00081190"]["Value"] == [f"https://pacs.example/dicom-web/studies/{STUDY}"]
    with served.services.database.connection() as connection:
        row = connection.execute(
            "SELECT peer FROM audit_event WHERE actor_name = 'test-secretary'"
            " ORDER BY id DESC LIMIT 1"
        ).fetchone()
    assert row == ("203.0.113.7",)
