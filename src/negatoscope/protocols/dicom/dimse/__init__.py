"""DIMSE: commands, associations, service users, the acceptor (PS3.7)."""
