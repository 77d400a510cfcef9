"""The page: sign-in, set-up, studies, what a browser is told, in two languages."""

import html as html_module
import io
import re
import string
import zipfile

import pytest

from negatoscope.domain.devices import ae
from negatoscope.domain.identity import setup, users
from negatoscope.entrypoints.web.page.app import local_path
from negatoscope.entrypoints.web.page.html import Html, html
from negatoscope.entrypoints.web.page.language import Language, Speaker, choose, person_name
from negatoscope.entrypoints.web.page.words import WORDS

STUDY = "1.2.826.0.1.3680043.10.1.1"
BROWSER = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def browser(served, helpers):
    """A browser signed in as administrator."""
    users.create(
        served.services.database, name="ana", roles=["administrator"], password=helpers.password
    )
    client = served.client(None)
    client.headers = dict(BROWSER)
    form = {"name": "ana", "password": helpers.password, "next": "/connect"}
    answer = client.post("/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/connect")
    return client


def csrf(page):
    """The token that forms of a page carry."""
    return re.search(r'name="csrf" value="([0-9a-f]+)"', page.text)[1]


def test_a_browser_is_sent_to_the_door(served):
    """And comes back to where it wanted to go."""
    client = served.client(None)
    client.headers = dict(BROWSER)
    answer = client.get("/?text=dupont")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2F%3Ftext%3Ddupont"
    page = client.get(answer.headers["location"])
    assert page.status_code == 200
    assert "form-action 'self'" in page.headers["content-security-policy"]


def test_wrong_passwords(served, helpers):
    """401, the same words whether or not the account exists, and slower and slower."""
    users.create(
        served.services.database, name="ana", roles=["radiologist"], password=helpers.password
    )
    client = served.client(None)
    client.headers = dict(BROWSER)
    pages = [client.post("/sign-in", data={"name": n, "password": "no"}) for n in ("ana", "bob")]
    assert [page.status_code for page in pages] == [401, 401]
    assert pages[0].text.replace("ana", "") == pages[1].text.replace("bob", "")
    for _ in range(5):
        last = client.post("/sign-in", data={"name": "ana", "password": "no"})
    assert last.status_code == 429
    assert int(last.headers["retry-after"]) >= 1
    with served.services.database.connection() as connection:
        count = connection.execute(
            "SELECT count(*) FROM audit_event WHERE action = 'sign in' AND outcome = 'REFUSED'"
        ).fetchone()[0]
    assert count == 5


def test_other_sites_cannot_sign_in_or_change(served, browser):
    """A form posted from elsewhere is refused, with and without a cookie."""
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "", "Origin": "http://x"}):
        answer = browser.post("/sign-in", data={"name": "a", "password": "b"}, headers=headers)
        assert answer.status_code == 403
        answer = browser.post("/tasks/done", data={"id": "1"}, headers=headers)
        assert answer.status_code in (401, 403)
    answer = browser.post("/tasks/done", data={"id": "1", "csrf": "wrong"})
    assert answer.status_code == 403


def test_sign_out_ends_the_session(browser):
    """The cookie is gone and the door closed."""
    assert browser.post("/sign-out").headers["location"] == "/sign-in"
    assert browser.get("/").headers["location"].startswith("/sign-in")


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/studies/1.2?x=y", "/studies/1.2?x=y"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("", "/"),
    ],
)
def test_one_goes_on_within_the_site(asked, given):
    """No open redirect, no second header."""
    assert local_path(asked) == given


def test_the_first_administrator(served, helpers):
    """The link makes one account, then is used up; weak and unequal passwords are explained."""
    secret = setup.create(served.services.database)
    client = served.client(None)
    client.headers = dict(BROWSER)
    assert client.get(f"/setup/{secret}").status_code == 200
    form = {"secret": secret, "name": "ana", "password": "short", "repeat": "short"}
    assert client.post("/setup", data=form).status_code == 422
    form |= {"password": helpers.password, "repeat": "other"}
    assert client.post("/setup", data=form).status_code == 422
    form |= {"repeat": helpers.password}
    answer = client.post("/setup", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert client.get("/tasks").status_code == 200
    assert client.post("/setup", data=form).status_code == 410


def test_an_empty_archive_says_how_to_begin(browser):
    """With the command for this server."""
    page = browser.get("/")
    assert "The archive is empty" in page.text
    assert "negatoscope import FOLDER" in page.text


def test_studies_are_listed_and_found(served, browser, helpers):
    """By name without accents, identifier, accession number, date, modality."""
    served.store(helpers.make_ct(1), helpers.make_ct(2))
    served.store(helpers.make_ct(1, study="1.2.9", name="MARTIN^Paul", patient_id="P2"))
    for query in ("", "text=eloise+dupont", "text=P1", "text=A7", "from=2026-11-01&modality=CT"):
        page = browser.get(f"/?{query}")
        assert page.status_code == 200
        assert "DUPONT Éloïse" in page.text, query
    for query in ("text=durand", "to=2020-01-01", "modality=MR", "text=%25"):
        assert "DUPONT Éloïse" not in browser.get(f"/?{query}").text, query
    page = browser.get("/?text=eloise")
    assert "2\u00a0objects" in page.text
    assert "23\u00a0Nov\u00a02026" in page.text
    assert "cannot be read" in browser.get("/?from=yesterday").text


def test_a_study_with_its_series(served, browser, helpers):
    """Counts, links, and commands with its UID."""
    served.store(helpers.make_ct(1), helpers.make_ct(1, series=2))
    page = browser.get(f"/studies/{STUDY}")
    assert page.status_code == 200
    for expected in ("DUPONT Éloïse", "Thorax 1.0", "2\u00a0series", f"StudyInstanceUID={STUDY}"):
        assert expected in page.text
    for link in re.findall(r'href="(/(?:dicom-web|studies)/[^"]+)"', page.text):
        assert browser.get(html_module.unescape(link)).status_code == 200, link
    missing = browser.get("/studies/1.2.3")
    assert (missing.status_code, "text/html" in missing.headers["content-type"]) == (404, True)


def test_a_study_as_files(served, browser, helpers):
    """A ZIP whose data sets are those received; its names are ours."""
    objects = [helpers.make_ct(1), helpers.make_ct(2), helpers.make_ct(1, series=2)]
    served.store(*objects)
    answer = browser.get(f"/studies/{STUDY}/archive.zip")
    assert answer.headers["content-disposition"] == f'attachment; filename="{STUDY}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        found = [helpers.data_set_of(archive.read(name)) for name in archive.namelist()]
        assert archive.namelist() == ["0001/000001.dcm", "0001/000002.dcm", "0002/000001.dcm"]
    assert found == [helpers.data_set_of(helpers.part10(one)) for one in objects]


def test_hostile_values_stay_text(served, browser, helpers):
    """A name, a description or a search that is markup is shown, not obeyed."""
    attack = '"><script>alert(1)</script>'
    served.store(helpers.make_ct(1, name=attack, StudyDescription=attack, AccessionNumber="<b>"))
    for page in (
        browser.get("/"),
        browser.get(f"/studies/{STUDY}"),
        browser.get(f"/?text={attack}"),
    ):
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;" in page.text


def test_application_entities_and_their_test(served, browser, free_port):
    """The list, and a C-ECHO that nobody answers."""
    assert "No application entity" in browser.get("/entities").text
    ae.add(served.services.database, ae_title="CT1", host="127.0.0.1", port=free_port)
    page = browser.get("/entities")
    assert f"127.0.0.1:{free_port}" in page.text
    form = {"ae_title": "CT1", "csrf": csrf(page)}
    assert "CT1 does not answer" in browser.post("/entities/test", data=form).text


def test_objects_set_aside_are_decided(served, browser, helpers):
    """The administrator accepts one; the number in the menu goes."""
    served.store(helpers.make_ct(1))
    served.store(helpers.make_ct(1, ImageComments="changed"))
    page = browser.get("/tasks")
    assert "Same UID, other content" in page.text
    assert '<span class="pill">1</span>' in page.text
    number = re.search(r'name="id" value="(\d+)"', page.text)[1]
    form = {"id": number, "csrf": csrf(page)}
    assert "Accepted." in browser.post("/tasks/accept", data=form).text
    assert "already dealt with" in browser.post("/tasks/accept", data=form).text
    (found,) = served.client().get(f"/dicom-web/studies/{STUDY}/metadata").json()
    assert found["00204000"]["Value"] == ["changed"]


def test_the_language_is_the_readers(browser):
    """By Accept-Language, then by the switch."""
    french = browser.get("/", headers={"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.8"})
    assert '<html lang="fr">' in french.text
    assert "Se déconnecter" in french.text
    assert browser.get("/language?to=fr&next=/").status_code == 303
    assert "Se déconnecter" in browser.get("/").text


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


@pytest.mark.parametrize("key", sorted(WORDS))
def test_both_languages_say_the_same(key):
    """Same fields, no empty sentence."""
    english, french = WORDS[key]
    fields = [{name for _, name, _, _ in string.Formatter().parse(t) if name} for t in WORDS[key]]
    assert fields[0] == fields[1]
    assert english
    assert french


def test_words_are_all_used():
    """A sentence nobody says is one to keep in step for nothing."""
    from importlib import resources

    folder = resources.files("negatoscope.entrypoints.web.page")
    source = "".join(
        folder.joinpath(name).read_text("utf-8") for name in ("app.py", "views.py", "language.py")
    )
    prefixes = {"nav.", "sex.", "reason.", "tasks.", "connect."}
    for key in WORDS:
        stem = key.removesuffix(".one").removesuffix(".many")
        said = f'"{stem}"' in source or f"'{stem}'" in source
        assert said or any(key.startswith(p) for p in prefixes), key


def test_numbers_and_dates():
    """As each language writes them."""
    import datetime as dt

    english, french = Speaker(Language.ENGLISH), Speaker(Language.FRENCH)
    assert (english.number(12345), french.number(12345)) == ("12,345", "12\u202f345")
    assert english.size(1_234_567) == "1.2\u00a0MB"
    assert french.size(999_950_000) == "1,0\u00a0Go"
    assert french.date(dt.date(2026, 1, 1)) == "1er\u00a0janv.\u00a02026"
    assert french.count(0, "study") == "0\u00a0examen"
    assert english.count(0, "study") == "0\u00a0studies"
    assert english.age(dt.date(1961, 5, 3), dt.date(2026, 5, 2)) == "64\u00a0y"
    assert english.age(dt.date(2026, 5, 3), dt.date(2026, 9, 2)) == "3\u00a0months"
    assert english.age(dt.date(2027, 1, 1), dt.date(2026, 1, 1)) == ""
    assert english.time("1405") == "14:05"
    assert english.time("xx") == ""


def test_person_names():
    """Components in reading order, further writings in parentheses."""
    assert person_name("Yamada^Tarou=山田^太郎") == "Yamada Tarou (山田 太郎)"
    assert person_name("DUPONT^Jean^^Dr^") == "Dr DUPONT Jean"
    assert person_name("^^^^") == ""
    assert person_name(None) == ""


def test_templates_escape():
    """What is not HTML is escaped, in text and in attributes, in lists too."""
    made = html('<a title="{a}">{b}{c}</a>', a='"', b=["<", Html("<b>")], c=None)
    assert made == '<a title="&quot;">&lt;<b></a>'
