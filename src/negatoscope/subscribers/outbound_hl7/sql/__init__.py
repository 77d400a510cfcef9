"""Its queries."""
