"""Every registered UID of PS3.6 Annex A, and the few that are not a class or a syntax."""

from dataclasses import dataclass

#: PS3.7 §A.2.1.
DICOM_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
#: PS3.4 §J.3.5, well-known instance that N-ACTION names.
STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE = "1.2.840.10008.1.20.1.1"
#: PS3.4 §CC.2, well-known instances of subscriptions.
UPS_GLOBAL_SUBSCRIPTION_INSTANCE = "1.2.840.10008.5.1.4.34.5"
UPS_FILTERED_GLOBAL_SUBSCRIPTION_INSTANCE = "1.2.840.10008.5.1.4.34.5.1"
#: PS3.4 §H.4.6, the one Printer instance.
PRINTER_INSTANCE = "1.2.840.10008.5.1.1.17"
PRINTER_CONFIGURATION_RETRIEVAL_INSTANCE = "1.2.840.10008.5.1.1.17.376"
#: PS3.4 §B.3.1.4, service class of related general SOP classes in common extended negotiation.
STORAGE_SERVICE_CLASS = "1.2.840.10008.4.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredUid:
    """A row of PS3.6 Table A-1."""

    uid: str
    name: str
    type: str
    keyword: str
    is_retired: bool


def registered_uid(uid: str) -> RegisteredUid | None:
    """The registry's row for a UID; None when private or unknown."""
    from negatoscope.standard._generated.uid_registry import UID_REGISTRY

    row = UID_REGISTRY.get(uid)
    if row is None:
        return None
    name, kind, keyword, is_retired = row
    return RegisteredUid(uid=uid, name=name, type=kind, keyword=keyword, is_retired=is_retired)


def name_for(uid: str) -> str:
    """Name of a UID, the UID itself when it has none."""
    row = registered_uid(uid)
    return row.name if row is not None and row.name else uid
