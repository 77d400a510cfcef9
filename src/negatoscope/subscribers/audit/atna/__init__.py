"""Tell audit repositories (IHE ATNA): DICOM audit messages over syslog."""
