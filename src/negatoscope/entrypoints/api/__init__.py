"""`/api/v1`: JSON for our own applications and for administrators' scripts."""
