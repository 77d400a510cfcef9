"""HL7 v2 over MLLP: the listener, and one module per family of messages."""
