"""Types of resources that are served, besides the audit trail."""

from collections.abc import Mapping
from typing import Final

from negatoscope.entrypoints.fhir import (
    appointment,
    encounter,
    imaging_study,
    patient,
    schedule,
    service_request,
)
from negatoscope.entrypoints.fhir.searching import Kind

KINDS: Final[Mapping[str, Kind | schedule.Slots]] = {
    one.name: one
    for one in (
        patient.KIND,
        encounter.KIND,
        service_request.KIND,
        appointment.KIND,
        schedule.SCHEDULE,
        schedule.SLOT,
        imaging_study.KIND,
    )
}
