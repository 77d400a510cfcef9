"""Elements that resources share: codings, identifiers, names, references, instants.

Systems of identifiers: an OID is ``urn:oid:…``; another universal identifier (FINESS) and a local name
are ``urn:negatoscope:authority:…``, since FHIR wants a URI and has none for them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from negatoscope.domain.patients import Authority, Identifier, PersonName

AUTHORITY: Final = "urn:negatoscope:authority:"
SCHEME: Final = "urn:negatoscope:coding-scheme:"
V2_0203: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
FR_0203: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
SNOMED: Final = "http://snomed.info/sct"
_INS: Final = {
    "1.2.250.1.213.1.4.8": "INS-NIR",
    "1.2.250.1.213.1.4.9": "INS-NIA",
    "1.2.250.1.213.1.4.10": "INS-NIR-TEST",
    "1.2.250.1.213.1.4.11": "INS-NIR-DEMO",
}
_SYSTEMS: Final = {
    "CCAM": "https://smt.esante.gouv.fr/terminologie-ccam",
    "LN": "http://loinc.org",
    "SCT": SNOMED,
    "SNM3": SNOMED,
    "DCM": DCM,
    "RADLEX": "http://radlex.org",
}
"""Coding Scheme Designator (PS3.16 §8) to the URI of the code system."""
_SCHEMES: Final = {uri: scheme for scheme, uri in reversed(_SYSTEMS.items())}


def pruned(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty: FHIR has no empty elements."""
    return {name: value for name, value in resource.items() if value not in (None, "", [], {})}


def instant(at: datetime) -> str:
    """A FHIR instant or dateTime, UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def maybe(at: datetime | None) -> str | None:
    """The same; None of nothing."""
    return None if at is None else instant(at)


def period(start_at: datetime | None, end_at: datetime | None) -> dict[str, str]:
    """A Period; empty of nothing."""
    return pruned({"start": maybe(start_at), "end": maybe(end_at)})


def concept(*codings: Mapping[str, Any], text: str = "") -> dict[str, Any]:
    """A CodeableConcept."""
    found = [pruned(one) for one in codings if one.get("code")]
    return pruned({"coding": found, "text": text})


def coding_system(scheme: str) -> str | None:
    """URI of a coding scheme designator."""
    if not scheme:
        return None
    return _SYSTEMS.get(scheme.upper(), f"{SCHEME}{scheme}")


def coding_scheme(system: str) -> str:
    """Coding scheme designator of a URI; empty: none."""
    return _SCHEMES.get(system, system.removeprefix(SCHEME) if system.startswith(SCHEME) else "")


def reference(kind: str, number: int | str | None, display: str = "") -> dict[str, Any]:
    """A literal reference."""
    return pruned(
        {
            "reference": None if number is None else f"{kind}/{number}",
            "type": kind,
            "display": display,
        }
    )


def system_of(authority: Authority) -> str | None:
    """URI by which an authority's identifiers are known."""
    if authority.universal_id:
        is_oid = authority.universal_id_type == "ISO"
        return f"{'urn:oid:' if is_oid else AUTHORITY}{authority.universal_id}"
    return f"{AUTHORITY}{authority.namespace}" if authority.namespace else None


def issuer_system(issuer: str) -> str | None:
    """The same of an issuer that is one text: an OID, or a name."""
    if not issuer:
        return None
    is_oid = set(issuer) <= set("0123456789.") and "." in issuer
    return f"{'urn:oid:' if is_oid else AUTHORITY}{issuer}"


def issuer_of(system: str) -> str:
    """The issuer that a system stands for."""
    return system.removeprefix("urn:oid:").removeprefix(AUTHORITY)


def identifier(one: Identifier, *, use: str = "") -> dict[str, Any]:
    """An identifier with its system, type and assigner."""
    ins = _INS.get(one.authority.universal_id)
    kind = (
        {"system": FR_0203, "code": ins}
        if ins
        else {"system": V2_0203, "code": one.type_code or None}
    )
    return pruned(
        {
            "use": "official" if ins else use,
            "type": concept(kind),
            "system": system_of(one.authority),
            "value": one.value,
            "assigner": pruned({"display": one.authority.namespace}),
        }
    )


def numbered(code: str, value: str, issuer: str) -> dict[str, Any] | None:
    """An identifier of an order: PLAC, FILL, ACSN; None without a value."""
    if not value:
        return None
    return pruned(
        {
            "type": concept({"system": V2_0203, "code": code}),
            "system": issuer_system(issuer),
            "value": value,
        }
    )


def human_name(name: PersonName, *, use: str) -> dict[str, Any] | None:
    """A HumanName; None of an empty one."""
    if name.is_empty:
        return None
    given = [name.given, *(one for one in name.further.split() if one != name.given)]
    return pruned({"use": use, "family": name.family, "given": [one for one in given if one]})


def person_name(text: str) -> str:
    """A PN (family^given^middle^prefix^suffix) as it is read aloud."""
    family, given, middle, prefix, suffix = (text.split("=", maxsplit=1)[0].split("^") + [""] * 5)[
        :5
    ]
    return " ".join(part for part in (prefix, given, middle, family, suffix) if part)
