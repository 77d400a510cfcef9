"""``negatoscope bind``: studies from before orders."""

import pytest

from negatoscope.cli import main
from negatoscope.infra.db import Database
from rows import Rows


def test_what_fits_an_order_is_decided(
    database: Database, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.connection() as connection:
        rows = Rows(connection)
        patient = rows.patient("DUPONT", "ZOÉ")
        rows.identifier(patient, rows.authority("CHU"), "8001")
        rows.procedure(rows.order(patient, accession="A1"), study_instance_uid="1.2.1")
        rows.study("1.2.1", patient_id="8001", issuer="CHU")
        rows.study("1.2.2", patient_id="9", issuer="CHU", accession_number="A1")
        rows.study("1.2.3")
        rows.study("1.2.4", created_at="2020-01-01")

    def bind(*arguments: str) -> list[list[str]]:
        with pytest.raises(SystemExit) as done:
            main(["bind", *arguments, "--database-url", database_url])
        assert done.value.code in (0, None)
        return [line.split() for line in capsys.readouterr().out.splitlines()[1:]]

    assert bind() == [["BOUND", "study-instance-uid", "1"], ["UNBOUND", "patient-differs", "1"]]
    assert bind() == []
    assert bind("--all") == [["UNBOUND", "no-order", "1"]]
