"""The catalogue, rooms, devices and people, appointments, and the worklist of modalities."""
