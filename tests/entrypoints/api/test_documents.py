"""Labels and letters over HTTP, read back from the PDF; a printer that listens gets ZPL."""

import socket
import threading
from datetime import UTC, datetime

import pypdfium2
import pytest

from department import Department
from negatoscope.infra.settings import DocumentSettings, PrinterSettings

TOMORROW = datetime(2030, 12, 3, 8, 5, tzinfo=UTC)


@pytest.fixture
def printer():
    """A printer that takes one job; gives its port and what it got."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        got: list[bytes] = []

        def take():
            connection, _ = server.accept()
            with connection:
                while part := connection.recv(4096):
                    got.append(part)

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield server.getsockname()[1], got, thread


@pytest.fixture
def settings(settings, printer):
    """With a hospital and two printers, one of which is switched off."""
    documents = DocumentSettings(
        hospital="CHU de Valmorel",
        address="1 place de l'Hôpital\n99000 Valmorel",
        printers=(
            PrinterSettings(name="Accueil", host="127.0.0.1", port=printer[0]),
            PrinterSettings(name="Off", host="127.0.0.1", port=1),
        ),
    )
    return settings.model_copy(update={"documents": documents})


@pytest.fixture
def made(served):
    with served.services.database.connection() as connection:
        department = Department(connection)
        room = department.room("Scanner 1", location="Bâtiment A, rez-de-chaussée")
        scan = department.procedure(
            "ZBQH001", "Scanner du thorax injecté", "CT",
            label_en="Chest CT with contrast", preparation_fr="Restez à jeun. #panic(1)",
            preparation_en="Do not eat.", contrast="REQUIRED",
            safety_questions=["RENAL_FUNCTION", "PREGNANCY"],
        )  # fmt: skip
        patient = department.patient(
            "LEFÈVRE", "Zoé", ipp="8001", used="DUBOIS", sex="U", address="3 rue des Lilas"
        )
        procedure = department.requested(
            department.order(patient, accession="26A0000007"), catalogue=scan
        )
        step = department.step(procedure, TOMORROW)
        appointment = department.appointment(patient, TOMORROW, [step], room)
    return {"procedure": procedure, "appointment": appointment}


def text_of(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    document = pypdfium2.PdfDocument(answer.content)
    return " ".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", " ")


def test_a_letter_in_two_languages(served, made):
    api = served.client("secretary")
    path = f"/api/v1/appointments/{made['appointment']}/letter.pdf"
    french = text_of(api.get(path))
    for part in (
        "CHU de Valmorel", "DUBOIS Zoé", "3 rue des Lilas", "mardi 3 décembre 2030 à 9 h 05",
        "Scanner du thorax injecté", "Scanner 1", "rez-de-chaussée", "Restez à jeun. #panic(1)",
        "26A0000007", "créatinine", "metformine",
    ):  # fmt: skip
        assert part in french, part
    english = text_of(api.get(path, params={"language": "en"}))
    for part in ("Tuesday 3 December 2030 at 9:05", "Chest CT with contrast", "Do not eat."):
        assert part in english, part
    assert "enceinte" not in french  # she is 69


def test_labels(served, made):
    api = served.client("technologist")
    path = f"/api/v1/examinations/{made['procedure']}/label"
    text = text_of(api.get(f"{path}.pdf"))
    for part in ("LEFÈVRE", "Zoé", "03/05/1961", " I", "util. DUBOIS", "26A0000007"):
        assert part in text, part
    assert text_of(api.get(f"{path}.pdf", params={"copies": 3, "sheet": True})).count("26A") == 3
    zpl = api.get(f"{path}.zpl", params={"dots_per_mm": 12})
    assert zpl.text.startswith("^XA\n^CI28\n^PW840\n")


def test_a_printer_gets_its_label(served, made, printer):
    api = served.client("technologist")
    path = f"/api/v1/examinations/{made['procedure']}/label/prints"
    assert [one["name"] for one in api.get("/api/v1/label-printers").json()] == ["Accueil", "Off"]
    assert api.post(path, json={"printer": "Accueil", "copies": 2}).status_code == 202
    printer[2].join(5)
    assert b"^PQ2" in b"".join(printer[1])
    refused = api.post(path, json={"printer": "Off"})
    assert (refused.status_code, refused.json()["code"]) == (502, "printer-unreachable")
    assert api.post(path, json={"printer": "10.0.0.1:9100"}).status_code == 404


def test_what_there_is_not(served, made):
    api = served.client("technologist")
    with served.services.database.connection() as connection:
        connection.execute("UPDATE appointment SET state = 'CANCELLED'")
    for path in (
        f"appointments/{made['appointment']}/letter.pdf",
        "appointments/999999/letter.pdf",
        "examinations/999999/label.pdf",
        "examinations/999999/label.zpl",
    ):
        assert api.get(f"/api/v1/{path}").status_code == 404, path
    label = f"/api/v1/examinations/{made['procedure']}/label.pdf"
    assert api.get(label, params={"copies": 25}).status_code == 422
    assert served.client("clinician").get(label).status_code == 403
    assert served.client(None).get(label).status_code == 401


def test_sizes_fit_a_sheet():
    with pytest.raises(ValueError, match="wider"):
        DocumentSettings(label_width_mm=80, sheet_columns=3)
    with pytest.raises(ValueError, match="taller"):
        DocumentSettings(label_height_mm=40, sheet_rows=8)
