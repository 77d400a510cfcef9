"""The list of studies: what is found, in which order, page by page, by whichever way."""

from datetime import date, timedelta

import pytest

from negatoscope.domain.archive import listing
from negatoscope.domain.archive.errors import InvalidCursor
from negatoscope.domain.archive.listing import Order, StudyCriteria, StudyList, TotalIs, Visible
from negatoscope.domain.archive.synthetic import fill_index
from negatoscope.kit.text import fold

WAYS = {
    "walk": {},
    "long walk": {"WALK_ROWS": 20, "LONG_WALK_ROWS": 1000, "LONG_WALK_MATCHES": 0},
    "found": {"WALK_ROWS": 1, "LONG_WALK_MATCHES": 1000},
    "all the way": {"WALK_ROWS": 1, "LONG_WALK_MATCHES": 1000, "MOST_FOUND": 3},
}


@pytest.fixture
def filled(database):
    """Six hundred studies."""
    fill_index(database, 600)
    return database


def everything(database):
    """Every study with what it is found by, read without the list."""
    with database.connection() as connection:
        return connection.execute(
            "SELECT s.study_instance_uid, s.study_date, s.study_time, s.id, p.patient_name, p.patient_id,"
            " s.accession_number, s.study_description, s.modalities_in_study, s.study_id"
            " FROM study s JOIN patient p ON p.id = s.patient_fk"
        ).fetchall()


def pages(studies, criteria, order, limit=7):
    """All pages, one after the other."""
    found, cursor = [], None
    while True:
        page = studies.page(criteria, order=order, limit=limit, cursor=cursor)
        assert len(page.studies) <= limit
        found += [one.study_instance_uid for one in page.studies]
        cursor = page.next_cursor
        if cursor is None:
            return found


def in_order(rows, order):
    """As the list must have them."""
    keys = {
        Order.NEWEST: lambda row: (row[1], row[2], row[3]),
        Order.OLDEST: lambda row: (row[1], row[2], row[3]),
        Order.NAME: lambda row: (fold(row[4].replace("^", " ")), row[3]),
        Order.NAME_DESCENDING: lambda row: (fold(row[4].replace("^", " ")), row[3]),
        Order.RECEIVED: lambda row: row[3],
    }
    backwards = order in {Order.NEWEST, Order.NAME_DESCENDING, Order.RECEIVED}
    return [row[0] for row in sorted(rows, key=keys[order], reverse=backwards)]


@pytest.mark.parametrize("way", WAYS)
def test_pages_are_the_matches_in_order(filled, monkeypatch, way):
    """By each of the ways, with each order: what a plain comparison of every study gives."""
    for name, value in WAYS[way].items():
        monkeypatch.setattr(listing, name, value)
    studies, rows = StudyList(filled), everything(filled)
    name = rows[5][4].split("^")[0]
    asked = [
        (StudyCriteria(), lambda _row: True),
        (StudyCriteria(text="scanner"), lambda row: "scanner" in fold(row[7])),
        (StudyCriteria(text=f"{name.upper()} "), lambda row: fold(name) in haystack(row)),
        (StudyCriteria(text=rows[9][6][:7]), lambda row: rows[9][6][:7].lower() in haystack(row)),
        (StudyCriteria(modalities=("CT", "mr")), lambda row: {"CT", "MR"} & set(row[8])),
        (StudyCriteria(patient_name=name[:4]), lambda row: fold(name[:4]) in fold(row[4])),
        (StudyCriteria(text="a m"), lambda row: starts(row, "a") and starts(row, "m")),
        (
            StudyCriteria(first=date(2022, 1, 1), last=date(2024, 6, 30), text="ct"),
            lambda row: date(2022, 1, 1) <= row[1] <= date(2024, 6, 30) and starts(row, "ct"),
        ),
        (StudyCriteria(text=rows[3][0]), lambda row: row[0] == rows[3][0]),
        (StudyCriteria(accession_number="A1000"), lambda row: row[6].startswith("A1000")),
        (StudyCriteria(patient_id="10000"), lambda row: row[5].startswith("10000")),
        (StudyCriteria(text="100% _x\\"), lambda _row: False),
    ]
    for criteria, matches in asked:
        wanted = [row for row in rows if matches(row)]
        for order in Order:
            assert pages(studies, criteria, order, 50) == in_order(wanted, order), (criteria, order)
        page = studies.page(criteria, limit=7)
        if page.total_is is TotalIs.EXACT:
            assert page.total == len(wanted)


def haystack(row):
    """What one box looks in."""
    return fold(" ".join(map(str, (*row[4:8], *row[8], row[9]))).replace("^", " "))


def starts(row, letters):
    """Whether a word of it begins so."""
    return any(word.startswith(letters) for word in haystack(row).split())


def test_series_bring_words_and_places(filled):
    """Station, institution, referring physician are looked for in fields of their own."""
    studies = StudyList(filled)
    assert studies.page(StudyCriteria(institution_name="demonstration chu")).total == 600
    assert studies.page(StudyCriteria(institution_name="clinique")).total == 0
    assert studies.page(StudyCriteria(text="demonstration")).total == 0
    stations = [studies.page(StudyCriteria(station_name=f"ct{n}")).total for n in (1, 2, 3, 4)]
    assert all(stations[:3])
    assert stations[3] == 0
    with filled.connection() as connection:
        (name, count) = connection.execute(
            "SELECT referring_physician_name, count(*) FROM study GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
        ).fetchone()
    criteria = StudyCriteria(referring_physician_name=name)
    assert studies.page(criteria, limit=500).total == count


def test_changes_are_found(filled):
    """A renamed patient, another identifier, a corrected description, a new series: at once."""
    studies = StudyList(filled)
    (one, *_) = studies.page(StudyCriteria()).studies
    uid = one.study_instance_uid

    def found(**asked):
        return uid in [s.study_instance_uid for s in studies.page(StudyCriteria(**asked)).studies]

    with filled.connection() as connection:
        key = one.patient_key
        connection.execute(
            "UPDATE patient SET patient_name = 'ŒUVRARD^Zoé', patient_name_folded = 'oeuvrard^zoe'"
            " WHERE id = %s",
            (key,),
        )
        connection.execute("INSERT INTO patient_identifier VALUES (%s, 'INS-998', 'INS')", (key,))
        connection.execute(
            "UPDATE study SET study_description_folded = 'dacryoscanner' WHERE study_instance_uid = %s",
            (uid,),
        )
        connection.execute(
            "INSERT INTO series (study_fk, series_instance_uid, modality, institution_name)"
            " SELECT id, '1.2.3', 'RTDOSE', 'Hôpital Œuvre' FROM study WHERE study_instance_uid = %s",
            (uid,),
        )
    assert found(text="zoe oeuvrard ins-998 dacryo rtdose")
    assert found(patient_id="ins-998")
    assert found(institution_name="hopital oeuvre")
    assert not found(text="dacryo scintigraphie")


def test_studies_without_a_date_come_last(filled):
    """And no range of dates holds them."""
    with filled.connection() as connection:
        connection.execute("UPDATE study SET study_date = NULL WHERE id % 50 = 0")
    studies = StudyList(filled)
    listed = pages(studies, StudyCriteria(), Order.NEWEST, 11)
    assert len(set(listed)) == 600
    dated = studies.page(StudyCriteria(last=date(2100, 1, 1)), limit=500)
    assert dated.total == 588
    assert pages(studies, StudyCriteria(), Order.OLDEST, 100)[::-1] == listed


def test_what_may_not_be_known_is_not_counted(filled):
    """The one condition of the policy applies to rows, pages and totals."""
    studies = StudyList(filled)
    visible = Visible(sql="s.id %% %(one_of)s = 0", parameters={"one_of": 10})
    page = studies.page(StudyCriteria(), limit=100, visible=visible)
    assert len(page.studies) == 60
    assert (page.total, page.total_is) == (60, TotalIs.EXACT)


def test_extreme_words(filled):
    """Cursors of others are refused; words are bounded, and nothing of SQL."""
    studies = StudyList(filled)
    for cursor in (*("", "x", "é", "W10", "WyJuYW1lIiwiYSIsMV0", "===="), *_STRANGE_CURSORS):
        with pytest.raises(InvalidCursor):
            studies.page(StudyCriteria(), cursor=cursor)
    for text in ("a " * 200, "\0", "%" * 100, "'; DROP TABLE study; --", "É" * 5000, "_", "\\"):
        studies.page(StudyCriteria(text=text, patient_name=text, institution_name=text))
    assert studies.page(StudyCriteria(text="%")).total == 0
    assert studies.page(StudyCriteria(first=date.min, last=date.max - timedelta(1))).total == 600


_STRANGE_CURSORS = ("WyJuZXdlc3QiLCJ4IiwxXQ", "bnVsbA")
"""Another value than a time; no list at all."""


def test_every_way_has_its_index(filled):
    """Words go through the trigrams, order through its own index; never through every row."""
    plans = {
        "SELECT 1 FROM study_search x WHERE x.words LIKE '%dup%'": "study_search_words",
        "SELECT 1 FROM study_search x WHERE x.places LIKE '%|ct1%'": "study_search_places",
        "SELECT 1 FROM study_search x ORDER BY studied_at DESC, study_fk DESC LIMIT 5": "study_search_at_id",
        "SELECT 1 FROM study_search x ORDER BY patient_name_key, study_fk LIMIT 5": "study_search_name",
    }
    with filled.connection() as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        for sql, index in plans.items():
            plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {sql}").fetchall())
            assert index in plan, plan
