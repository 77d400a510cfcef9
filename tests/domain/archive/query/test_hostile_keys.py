"""Keys that no honest peer sends find something or nothing; they are never an error."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from negatoscope.domain.archive.query import (
    InformationModel,
    MatchOptions,
    Query,
    QueryLevel,
    search,
    unusable_keys,
)
from negatoscope.domain.archive.query.attributes import ATTRIBUTES
from negatoscope.infra.db import Database

VRS = ["AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "IS", "LO", "LT", "OB", "PN", "SH",
       "ST", "SV", "TM", "UC", "UI", "UL", "UN", "UR", "US", "UT", "XX"]  # fmt: skip
TAGS = st.one_of(
    st.sampled_from(sorted(ATTRIBUTES)),
    st.sampled_from(["00080020", "00400275", "00101002", "00180060", "00091001", "7FE00010"]),
    st.integers(0, 0xFFFFFFFF).map(lambda tag: f"{tag:08X}"),
)
SIMPLE = st.one_of(
    st.none(),
    st.text(max_size=5),
    st.integers(),
    st.floats(),
    st.sampled_from(["*", "?", "*-*", "-", "\\", "1-2-3", "\x00", "\udfff", '""', "9" * 5000]),
    st.fixed_dictionaries({"Alphabetic": st.one_of(st.none(), st.text(max_size=4))}),
)


def elements(vrs: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of some representations, whatever the tag's is, with any values or none at all."""
    return st.fixed_dictionaries(
        {"vr": st.sampled_from(vrs)}, optional={"Value": st.lists(values, max_size=3)}
    )


PLAIN = elements(VRS, SIMPLE)
ITEMS = st.dictionaries(TAGS, PLAIN, max_size=3)
SEQUENCES = elements(["SQ"], ITEMS)
KEYS = st.dictionaries(TAGS, st.one_of(PLAIN, SEQUENCES), max_size=4)


@given(
    keys=KEYS,
    level=st.sampled_from(list(QueryLevel)),
    options=st.builds(
        MatchOptions,
        fuzzy=st.booleans(),
        combined_datetime=st.booleans(),
        every_value=st.booleans(),
    ),
)
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_key_is_an_error(
    index: Database, department: list[Any], keys: Any, level: QueryLevel, options: MatchOptions
) -> None:
    """Whatever the tag, the representation and the value."""
    unusable_keys(keys)
    query = Query(
        level=level,
        keys=keys,
        model=InformationModel.PATIENT_ROOT,
        relational=True,
        options=options,
    )
    headers = (lambda refs: [{} for _ in refs]) if level is QueryLevel.IMAGE else None
    for match in search(index, query, headers=headers):
        assert set(match) >= {t for t in keys if t not in ("00080005", "00080052")} - {
            t for t in keys if t.endswith("0000")
        }
