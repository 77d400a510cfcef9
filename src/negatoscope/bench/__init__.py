"""Load for any DICOM or DICOMweb server, and the measuring of it."""
