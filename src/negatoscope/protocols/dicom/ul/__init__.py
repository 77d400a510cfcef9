"""The DICOM upper layer protocol for TCP/IP, without I/O (PS3.8)."""
