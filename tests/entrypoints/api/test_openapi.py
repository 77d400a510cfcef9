"""``/api/v1`` does what its own description says, whoever asks: requests that schemathesis makes up.

Every operation of ``openapi.json`` as nobody, with an expired token and in each role: no answer is
a 5xx, statuses, media types and documents are those described. A short, repeatable slice runs here;
``make fuzz`` sets ``NEGATOSCOPE_FUZZ_EXAMPLES`` for a long one.
"""

import os
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import httpx
import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from negatoscope.domain.identity import Role, tokens

EXAMPLES = int(os.environ.get("NEGATOSCOPE_FUZZ_EXAMPLES", "0"))
DESCRIPTION = "/api/v1/openapi.json"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
STATES = ["nobody", "expired", *(str(role) for role in reversed(Role))]
"""The administrator last: what is changed is gone for the others."""
#: What answers for as long as somebody listens.
ENDLESS = ("text/event-stream",)


def token_of(served, state: str) -> str | None:
    """The bearer token of an authentication state."""
    if state == "nobody":
        return None
    if state == "expired":
        served.token("radiologist")
        given = tokens.create(
            served.services.database, user_name="test-radiologist", expires_in=timedelta(seconds=1)
        )
        time.sleep(1.1)
        return given
    return served.token(state)


def is_endless(operation) -> bool:
    """Whether an operation may answer with a stream of events."""
    responses = operation.definition.raw.get("responses", {})
    return any(kind in ENDLESS for one in responses.values() for kind in one.get("content", {}))


def test_every_operation_as_described(served, running, helpers) -> None:
    """The examples that break a promise are all told, each with the request that shows it."""
    served.store(helpers.make_ct(1), helpers.make_ct(2, series=2))
    schema = schemathesis.openapi.from_url(running.url + DESCRIPTION, headers=running.headers)
    operations = [result.ok() for result in schema.get_all_operations()]
    operations = [one for one in operations if not is_endless(one)]
    assert len(operations) > 10
    failures: list[str] = []
    for state in STATES:
        token = token_of(served, state)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        most = EXAMPLES or max(1, (200 if state == "administrator" else 60) // len(operations))
        answers: Counter[int] = Counter()
        for operation in operations:
            for mode in GenerationMode:
                try:
                    tried(operation, mode, headers, most, answers)
                except Exception as error:  # noqa: BLE001 - told together at the end
                    failures.append(f"{state}: {operation.label}: {error}"[:3000])
        if token is None or state == "expired":
            given = [code for code in answers.elements() if code < 300]
            assert len(given) < answers.total() / 3, f"{state} is given {answers}"
    assert not failures, "\n\n".join(failures)
    assert httpx.get(f"{running.url}/readyz").status_code == 200


def tried(operation, mode, headers, most, answers) -> None:
    """Requests to one operation, those that its description allows or forbids."""

    @hypothesis.settings(
        max_examples=most,
        deadline=None,
        database=None,
        derandomize=not EXAMPLES,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(operation.as_strategy(generation_mode=mode))
    def check(case) -> None:
        response = case.call(headers=headers)
        answers[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    with suppress(Unsatisfiable):  # without parameters nothing can be wrong
        check()


@pytest.mark.parametrize(
    "path", ["board?text=a%00b", "board?unit=%00", "orders?text=%00", "orders/vetting?modality=%00",
             "registered-patients?text=a%00b", "hospital-units?text=%00", "board?modality=%00"],
)  # fmt: skip
def test_a_nul_in_a_question_is_no_failure_of_ours(served, path) -> None:
    """No text of the index can hold one: it is found nowhere, or refused."""
    answer = served.client("administrator").get(f"/api/v1/{path}")
    assert answer.status_code in (200, 422), answer.text
