"""One event, one line, no patient."""

import json
import logging as standard_logging
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from negatoscope.infra import logging
from negatoscope.infra.logging import WITHHELD, describe, withhold_and_escape

SPEAK = """
import logging, sys, structlog
from negatoscope.infra import logging as ours
ours.configure(level="info", format=sys.argv[1], role="test")
log = structlog.get_logger()
log.info("hello", ae_title="A\\r\\n{\\"level\\":\\"fake\\"}\\x1b[31m\\u2028x", patient_name="DUPONT^JEAN")
log.debug("not shown")
logging.getLogger("library").warning("from %s", "elsewhere\\nfake")
try:
    raise ValueError("first line\\nDUPONT")
except ValueError:
    log.exception("failed")
log.info("nested", data={"PatientName": "DUPONT", "list": ["a\\nb"]})
"""


def spoken(style: str) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-c", SPEAK, style], capture_output=True, text=True, check=True
    )
    assert result.stdout == ""
    return result.stderr.splitlines()


def test_json_events_are_one_line_each() -> None:
    """Whatever a peer puts into a value; from the standard library too."""
    events = [json.loads(line) for line in spoken("json")]
    assert [event["event"] for event in events][:3] == ["hello", "from elsewhere\\nfake", "failed"]
    assert events[0]["ae_title"] == 'A\\r\\n{"level":"fake"}\\x1b[31m\\u2028x'
    assert {event["role"] for event in events} == {"test"}
    assert events[1]["level"] == "warning"
    assert events[2]["raised"].startswith("ValueError: first line [")


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_patient_is_named(style: str) -> None:
    """Not by key, not deeper, not by an exception's further lines."""
    lines = spoken(style)
    assert len(lines) == 4
    assert "DUPONT" not in "".join(lines)


@pytest.mark.parametrize(
    "key",
    ["patient_name", "PatientName", "patients_birth_date", "password", "Authorization", "token"],
)
def test_withheld_keys(key: str) -> None:
    """Names, birth dates, secrets."""
    assert withhold_and_escape(None, "info", {key: "x"})[key] == WITHHELD


def test_uids_and_our_own_words_pass() -> None:
    """Messages carry UIDs and our own ids."""
    event = {"event": "e", "study_instance_uid": "1.2.3", "patient_fk": 4, "calling_ae_title": "CT"}
    assert withhold_and_escape(None, "info", dict(event)) == event


def test_the_values_of_a_database_error_stay_there(database_url: str) -> None:
    """PostgreSQL's DETAIL would name key values."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO study (patient_fk, study_instance_uid) SELECT 1, '1' WHERE false"
        )
        with pytest.raises(psycopg.errors.UniqueViolation) as caught:
            connection.execute("INSERT INTO patient (patient_id) VALUES ('SECRET-7'), ('SECRET-7')")
    assert "SECRET-7" in str(caught.value)
    assert "SECRET-7" not in describe(caught.value)
    assert "UniqueViolation" in describe(caught.value)


def test_long_values_are_cut() -> None:
    """An event has an end."""
    shown = withhold_and_escape(None, "info", {"event": "x" * 100_000})["event"]
    assert len(shown) < 5000


def test_nobody_reading_the_log_stops_nothing(tmp_path: Path) -> None:
    """A closed standard error is not an error of ours."""
    program = (
        "import os\nfrom negatoscope.infra import logging\nimport structlog\n"
        "logging.configure(format='json')\nos.close(2)\nstructlog.get_logger().info('x')\nprint('on')"
    )
    result = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)
    assert result.stdout == b"on\n"


def test_configure_takes_every_level() -> None:
    """And leaves one handler on the root logger."""
    before = standard_logging.getLogger().handlers[:]
    try:
        for level in ("debug", "info", "warning", "error"):
            logging.configure(level=level, format="json")
            assert len(standard_logging.getLogger().handlers) == 1
    finally:
        standard_logging.getLogger().handlers[:] = before
