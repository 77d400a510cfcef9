"""What a browser is told without JavaScript, and in which language."""

import base64
import hashlib
import re

import pytest

from negatoscope.domain.identity import users
from negatoscope.entrypoints.web.language import COOKIE, choose

BROWSER = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Accept-Language": "fr"}, "Il n’y a rien ici"),
        ({"Accept-Language": "fr", "Cookie": f"{COOKIE}=en"}, "There is nothing here"),
        ({}, "There is nothing here"),
    ],
)
def test_a_refusal_is_a_page_for_people_and_a_document_for_programs(served, headers, words):
    """Neither repeats what was asked."""
    client = served.client(None)
    page = client.get("/nowhere/<script>", headers=BROWSER | headers)
    assert page.status_code == 404
    assert words in page.text
    assert "nowhere" not in page.text
    assert "<script" not in page.text
    style = re.search(r"<style>(.*?)</style>", page.text)[1]
    told = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = page.headers["content-security-policy"]
    assert f"style-src 'sha256-{told}'" in policy
    assert "default-src 'none'" in policy
    document = client.get("/nowhere", headers={"Accept": "application/json"})
    assert document.json()["code"] == "not-found"


def test_figures_are_refused_with_a_document(served, helpers):
    """Programs read them, whoever asks."""
    users.create(
        served.services.database, name="ana", roles=["secretary"], password=helpers.password
    )
    client = served.client(None)
    client.headers = dict(BROWSER)
    client.post("/api/v1/session", json={"name": "ana", "password": helpers.password})
    page = client.get("/metrics")
    assert page.status_code == 403
    assert page.json()["code"] == "forbidden"


@pytest.mark.parametrize(
    ("cookie", "header", "language"),
    [
        (None, None, "en"),
        (None, "de, fr;q=0.5, en;q=0.4", "fr"),
        (None, "fr;q=0, en", "en"),
        ("fr", "en", "fr"),
        ("xx", "fr-CA", "fr"),
        (None, ";;;,q=,", "en"),
    ],
)
def test_choice_of_the_language(cookie, header, language):
    """The cookie, then the best of the header that we speak."""
    assert choose(cookie, header) == language
