"""Named queries of the search."""
