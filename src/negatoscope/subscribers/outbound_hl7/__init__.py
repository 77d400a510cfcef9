"""Orders, appointments and patients told to other systems over HL7 v2."""
