"""Write ``docs/conformance/statement.md`` from the code's own tables (PS3.2 Annex A).

Tables come from the code: a service that is added, an attribute that becomes queryable, a status
that is renamed changes the statement; ``tests/test_conformance.py`` compares the committed page with
what this makes. Only the sentences between the tables are written here.
"""

import sys
from pathlib import Path

from conformance.annexes import annexes, changes, character_sets, media, pixels, security
from conformance.archive_services import commitment, query, retrieve, storage_statuses
from conformance.code_tables import routes
from conformance.dicomweb import dicomweb
from conformance.networking import (
    associations,
    general_statuses,
    implementation_model,
    network,
    presentation_contexts,
)
from conformance.overview import overview
from conformance.workflow_services import modality_worklist, worklist

__all__ = ["main", "routes", "statement"]
PAGE = Path(__file__).resolve().parents[1] / "docs" / "conformance" / "statement.md"


def statement() -> str:
    """The whole page."""
    sections = (
        overview, implementation_model, associations, presentation_contexts, storage_statuses, query, retrieve,
        commitment, worklist, modality_worklist, general_statuses, network, dicomweb, media, character_sets, security, annexes,
        pixels, changes,
    )  # fmt: skip
    return "\n".join(section().rstrip("\n") + "\n" for section in sections)


def main() -> int:
    """Write the page; ``--check`` only compares."""
    text = statement()
    if "--check" in sys.argv[1:]:
        if PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(
            "docs/conformance/statement.md is not what the code says: run `make docs`",
            file=sys.stderr,
        )
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
