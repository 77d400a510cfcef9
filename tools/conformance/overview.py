"""§1 and §2."""

from conformance.code_tables import services
from conformance.markdown import table
from negatoscope.standard.sop_classes import (
    sop_class_name,
)

USER_ROLES = {
    "verification": "yes (`negatoscope ae echo`)",
    "storage": "yes (C-MOVE and C-GET sub-operations, `negatoscope ae send`)",
    "query": "yes (`negatoscope ae find`)",
    "move": "yes (`negatoscope ae fetch`)",
    "get": "yes (`negatoscope ae fetch --get`)",
    "storage commitment": "yes (`negatoscope ae commit`)",
    "mpps": "yes (copies to `mpps_destinations`)",
}


def overview() -> str:
    """§1."""
    offered = services()
    return f"""# DICOM conformance statement

Negatoscope, archive node. Structure: PS3.2 Annex A. Generated from the code by
`tools/generate_conformance.py`; do not edit.

## 1 Conformance statement overview

Negatoscope receives, keeps, finds and gives back DICOM objects, by DIMSE and by DICOMweb. It keeps every object as it came:
any Storage SOP class, private ones included, in any transfer syntax; stored data sets are never altered. What a
peer does not take as it is stored is transcoded on its way, without loss (§7.3).

Network services:

{
        table(
            ("Service", "SOP classes", "As user (SCU)", "As provider (SCP)"),
            (
                (
                    one.name.capitalize(),
                    "every Storage SOP class, standard or private"
                    if one.takes_unknown_abstract_syntaxes
                    else ", ".join(sop_class_name(uid) for uid in sorted(one.abstract_syntaxes)),
                    USER_ROLES.get(one.name, "no"),
                    "yes",
                )
                for one in offered
            ),
        )
    }

DICOMweb services (as origin server): Store (STOW-RS), Search (QIDO-RS), Retrieve (WADO-RS) of studies, series, instances,
metadata, frames and bulk data as stored. Media: reads file-sets with a DICOMDIR and folders of Part 10 files (§4).

## 2 Introduction

**Audience**: whoever connects a device or an application to this archive. **Remarks**: conformance does not prove that two
systems work together; the test suite of the project runs it against DCMTK, Orthanc, pynetdicom and dicomweb-client. **Terms**
are those of PS3.2 §A.3 and PS3.3 to PS3.8, PS3.15, PS3.18. **Edition** of the standard: 2024c.
"""
