"""The standard's vocabulary: tags, UIDs, SOP classes, transfer syntaxes, DIMSE statuses.

Citations (`PS3.5 §7.1`) are of DICOM PS3 2024c unless they say otherwise.
"""
