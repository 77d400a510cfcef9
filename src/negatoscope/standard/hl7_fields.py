"""Names of fields of the segments that are shown to people (HL7 v2.5.1 chapters 2, 3; IHE PAM).

A position without a name here is shown by its number.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_NAMES: Final = {
    "MSH": (
        "Message Header",
        (
            "Field Separator|Encoding Characters|Sending Application|Sending Facility"
            "|Receiving Application|Receiving Facility|Date/Time of Message|Security|Message Type"
            "|Message Control ID|Processing ID|Version ID|Sequence Number|Continuation Pointer"
            "|Accept Acknowledgment Type|Application Acknowledgment Type|Country Code|Character Set"
            "|Principal Language of Message|Alternate Character Set Handling Scheme"
            "|Message Profile Identifier"
        ),
    ),
    "MSA": (
        "Message Acknowledgment",
        (
            "Acknowledgment Code|Message Control ID|Text Message|Expected Sequence Number"
            "|Delayed Acknowledgment Type|Error Condition"
        ),
    ),
    "ERR": (
        "Error",
        (
            "Error Code and Location|Error Location|HL7 Error Code|Severity|Application Error Code"
            "|Application Error Parameter|Diagnostic Information|User Message"
        ),
    ),
    "EVN": (
        "Event Type",
        (
            "Event Type Code|Recorded Date/Time|Date/Time Planned Event|Event Reason Code|Operator ID"
            "|Event Occurred|Event Facility"
        ),
    ),
    "PID": (
        "Patient Identification",
        (
            "Set ID|Patient ID|Patient Identifier List|Alternate Patient ID|Patient Name"
            "|Mother's Maiden Name|Date/Time of Birth|Administrative Sex|Patient Alias|Race"
            "|Patient Address|County Code|Phone Number - Home|Phone Number - Business"
            "|Primary Language|Marital Status|Religion|Patient Account Number|SSN Number"
            "|Driver's License Number|Mother's Identifier|Ethnic Group|Birth Place"
            "|Multiple Birth Indicator|Birth Order|Citizenship|Veterans Military Status|Nationality"
            "|Patient Death Date and Time|Patient Death Indicator|Identity Unknown Indicator"
            "|Identity Reliability Code|Last Update Date/Time|Last Update Facility"
        ),
    ),
    "PD1": ("Patient Additional Demographic", ""),
    "MRG": (
        "Merge Patient Information",
        (
            "Prior Patient Identifier List|Prior Alternate Patient ID|Prior Patient Account Number"
            "|Prior Patient ID|Prior Visit Number|Prior Alternate Visit ID|Prior Patient Name"
        ),
    ),
    "NK1": ("Next of Kin", "Set ID|Name|Relationship|Address|Phone Number|Business Phone Number"),
    "PV1": (
        "Patient Visit",
        (
            "Set ID|Patient Class|Assigned Patient Location|Admission Type|Preadmit Number"
            "|Prior Patient Location|Attending Doctor|Referring Doctor|Consulting Doctor"
            "|Hospital Service|Temporary Location|Preadmit Test Indicator|Re-admission Indicator"
            "|Admit Source|Ambulatory Status|VIP Indicator|Admitting Doctor|Patient Type"
            "|Visit Number"
        ),
    ),
    "PV2": ("Patient Visit - Additional Information", ""),
    "ZBE": (
        "Movement (IHE PAM)",
        (
            "Movement ID|Start of Movement|End of Movement|Action|Historical Movement"
            "|Original Trigger Event|Responsible Medical Ward|Responsible Nursing Ward"
            "|Nature of Movement"
        ),
    ),
    "ZFA": (
        "Patient's DMP Status (French extension)",
        "Status|Date of Status|Closing Date||||||Objection to Feeding|Date|Objection to Reading|Date",
    ),
    "ZFD": (
        "Additional Demographics (French extension)",
        (
            "Lunar Date|Weeks of Gestation|Consent to SMS|Corrected Date of Birth|Acquired By"
            "|Date of INSi Call|Identity Document|End of Validity"
        ),
    ),
    "NTE": ("Notes and Comments", "Set ID|Source of Comment|Comment|Comment Type"),
    "OBX": (
        "Observation/Result",
        (
            "Set ID|Value Type|Observation Identifier|Observation Sub-ID|Observation Value|Units"
            "|References Range|Abnormal Flags|Probability|Nature of Abnormal Test"
            "|Observation Result Status"
        ),
    ),
}

SEGMENT_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {identifier: name for identifier, (name, _) in _NAMES.items()}
)
"""Identifier to name."""

FIELD_NAMES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        identifier: tuple(fields.split("|")) if fields else ()
        for identifier, (_, fields) in _NAMES.items()
    }
)
"""Identifier to the names of its fields, the first one first."""
