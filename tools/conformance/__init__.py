"""The DICOM conformance statement, section by section (PS3.2 Annex A)."""
