"""FHIR R4 over HTTP: what other systems read of us."""
