"""Queries are named text: ``-- name: x`` starts a block, what follows is the SQL."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

_NAME = re.compile(r"^--\s*name:\s*([a-z][a-z0-9_]*)\s*$", re.MULTILINE)


@cache
def load_queries(package: str, file_name: str) -> Mapping[str, str]:
    """The queries of a file that lies in a package.

    Args:
        package: For instance ``negatoscope.domain.archive.sql``.
        file_name: For instance ``ingest.sql``.
    Raises:
        ValueError: a name occurs twice, a block is empty, or SQL stands before the first name.
    """
    text = resources.files(package).joinpath(file_name).read_text(encoding="utf-8")
    head, *parts = _NAME.split(text)
    if any(line.strip() and not line.startswith("--") for line in head.splitlines()):
        raise ValueError(f"{file_name}: SQL before the first name")
    queries: dict[str, str] = {}
    for name, sql in zip(parts[::2], parts[1::2], strict=True):
        if name in queries:
            raise ValueError(f"{file_name}: two queries are named {name}")
        if not sql.strip():
            raise ValueError(f"{file_name}: query {name} is empty")
        queries[name] = sql.strip()
    return MappingProxyType(queries)
