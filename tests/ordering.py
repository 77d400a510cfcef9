"""Patients and a catalogue to order from."""

from typing import Any

import psycopg

from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry


def register(
    connection: psycopg.Connection[Any],
    value: str,
    *,
    sex: str = "F",
    birth_date: str = "19900101",
) -> int:
    """A registered patient."""
    return (
        Registry(connection)
        .register(
            updates={
                "birth_name": PersonName(family="MARTIN", given="Léa"),
                "sex": sex,
                "birth_date": birth_date,
            },
            identifiers=[
                Identifier(value=value, authority=Authority(namespace="CHU"), type_code="PI")
            ],
            source="user:test",
        )
        .patient
    )


def catalogue_entry(
    connection: psycopg.Connection[Any],
    code_value: str,
    *,
    modality: str = "CT",
    questions: tuple[str, ...] = (),
    needs_vetting: bool = False,
    protocols: tuple[str, ...] = (),
    contrast: str = "NONE",
) -> int:
    """A procedure of the catalogue."""
    row = connection.execute(
        "INSERT INTO catalogue_procedure (code_value, label_fr, modality, duration_min,"
        " safety_questions, needs_vetting, contrast, contrast_agent)"
        " VALUES (%s, %s, %s, 25, %s, %s, %s, %s) RETURNING id",
        (
            code_value,
            f"Examen {code_value}",
            modality,
            list(questions),
            needs_vetting,
            contrast,
            "" if contrast == "NONE" else "Iode",
        ),
    ).fetchone()
    assert row is not None
    for position, one in enumerate(protocols):
        connection.execute(
            "INSERT INTO catalogue_protocol (procedure_fk, position, code_value, code_meaning)"
            " VALUES (%s, %s, %s, %s)",
            (row[0], position, one, f"Protocole {one}"),
        )
    return int(row[0])
