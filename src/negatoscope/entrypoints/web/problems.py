"""Every refusal as a problem document (RFC 9457) with a code that does not change.

Clients decide on ``code``; ``title`` and ``detail`` are for people and may be reworded. No text
here carries a patient's name, birth date or identifier.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

MEDIA_TYPE = "application/problem+json"


class ProblemType(NamedTuple):
    """What a code means."""

    status: int
    title: str


PROBLEM_TYPES: Mapping[str, ProblemType] = {
    # The request cannot be read.
    "bad-request": ProblemType(400, "The request cannot be read"),
    "bad-query": ProblemType(400, "A query parameter cannot be used"),
    "bad-uid": ProblemType(400, "A path segment is not a UID"),
    "bad-frame-list": ProblemType(400, "The frame list cannot be used"),
    "bad-workitem": ProblemType(400, "The workitem or the request about it cannot be taken"),
    "bad-multipart": ProblemType(400, "The multipart body cannot be read"),
    "query-too-wide": ProblemType(400, "Too much matches in too many places; say more"),
    "invalid-input": ProblemType(422, "A value is missing or cannot be used"),
    "query-too-long": ProblemType(414, "The query string is too long"),
    # Who asks.
    "unauthenticated": ProblemType(401, "A bearer token or a session is needed"),
    "invalid-credentials": ProblemType(401, "Name, password or code are wrong"),
    "totp-required": ProblemType(401, "A code of the authenticator is needed"),
    "forbidden": ProblemType(403, "This account may not do that"),
    "outside-scope": ProblemType(403, "The study is outside what this account sees"),
    "local-sign-in-closed": ProblemType(403, "This account signs in at the provider"),
    "pin-required": ProblemType(401, "The link asks for a PIN"),
    "link-refused": ProblemType(403, "The link is not, or no longer, good"),
    "provider-refused": ProblemType(403, "The provider's answer cannot be accepted"),
    "cross-site": ProblemType(403, "The request comes from another site"),
    "too-many-attempts": ProblemType(429, "Too many failed sign-ins"),
    # What is asked for.
    "not-found": ProblemType(404, "There is nothing here"),
    "patient-not-found": ProblemType(404, "No such patient"),
    "study-not-found": ProblemType(404, "No such study"),
    "series-not-found": ProblemType(404, "No such series"),
    "instance-not-found": ProblemType(404, "No such instance"),
    "workitem-not-found": ProblemType(404, "No such workitem or subscriber"),
    "frame-not-found": ProblemType(404, "No such frame"),
    "bulkdata-not-found": ProblemType(404, "No such bulk data"),
    "method-not-allowed": ProblemType(405, "This resource does not take that method"),
    "not-acceptable": ProblemType(406, "None of the accepted media types can be given"),
    "transfer-syntax-not-available": ProblemType(
        406, "The instance is not stored in that transfer syntax"
    ),
    "not-displayable": ProblemType(406, "The object cannot be shown as a picture"),
    "request-timeout": ProblemType(408, "The request body stopped coming"),
    "reason-needed": ProblemType(422, "A reason is needed"),
    "ambiguous-patient": ProblemType(409, "Several people have that identifier"),
    "reconciliation-refused": ProblemType(409, "It cannot be done as things are"),
    "cannot-undo": ProblemType(409, "It cannot be taken back any more"),
    "changed-since": ProblemType(409, "Something changed since it was looked at"),
    "similar-patients": ProblemType(409, "Patients with the same name and birth date are known"),
    "safety-questions": ProblemType(409, "Safety questions wait for an answer"),
    "too-many-breaks": ProblemType(429, "Too many emergency accesses in an hour"),
    "last-administrator": ProblemType(409, "Nobody could administer afterwards"),
    "weak-password": ProblemType(422, "The password would be guessed first"),
    "stale-version": ProblemType(409, "It was changed meanwhile"),
    "slot-taken": ProblemType(409, "Another appointment is in the way"),
    "outside-hours": ProblemType(409, "It cannot be booked then"),
    "not-bookable": ProblemType(
        409, "The state of the order or the appointment does not allow that"
    ),
    "conflict": ProblemType(409, "The state of the resource does not allow that"),
    "identity-unchecked": ProblemType(409, "Nobody checked who the patient is"),
    "vetting-needed": ProblemType(409, "A radiologist has to accept it first"),
    "body-too-large": ProblemType(413, "The request body is too large"),
    "range-not-satisfiable": ProblemType(416, "The range lies outside the resource"),
    "too-large-to-render": ProblemType(413, "What would have to be drawn is too large"),
    "unsupported-media-type": ProblemType(415, "The request body's media type is not taken"),
    "unsupported-content-encoding": ProblemType(415, "The request body's encoding is not taken"),
    "search-too-broad": ProblemType(422, "The search takes too long"),
    # Our side.
    "internal-error": ProblemType(500, "The server failed; the failure is in its log"),
    "object-unreadable": ProblemType(500, "The stored object cannot be read"),
    "pixels-unreadable": ProblemType(406, "The stored pixels cannot be decoded"),
    "ae-unreachable": ProblemType(502, "The application entity did not answer as it should"),
    "printer-unreachable": ProblemType(502, "The label printer does not answer"),
    "provider-unavailable": ProblemType(503, "The sign-in provider does not answer"),
    "database-unavailable": ProblemType(503, "The database does not answer; try again"),
    "out-of-resources": ProblemType(503, "The archive takes no objects now; send them again"),
    "busy": ProblemType(503, "The server is at its limit; try again"),
}
"""The published codes."""


class Problem(Exception):
    """A refusal on its way to the client.

    Args:
        code: A key of ``PROBLEM_TYPES``.
        detail: One sentence about this occurrence.
        retry_after_s: Sent as Retry-After.
        challenge: Sent as WWW-Authenticate.
        allow: Sent as Allow.
        extra: Further members of the document.
        headers: Further headers, names in lower case.
    """

    def __init__(
        self,
        code: str,
        *,
        detail: str | None = None,
        retry_after_s: int | None = None,
        challenge: str | None = None,
        allow: str | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(code if detail is None else f"{code}: {detail}")
        self.code = code
        self.type = PROBLEM_TYPES[code]
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.challenge = challenge
        self.allow = allow
        self.extra = extra or {}
        self.more_headers = headers

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.type.status

    def document(self) -> dict[str, Any]:
        """The members of RFC 9457 §3.1 and ours."""
        document: dict[str, Any] = {
            "type": f"urn:negatoscope:problem:{self.code}",
            "title": self.type.title,
            "status": self.type.status,
            "code": self.code,
        }
        if self.detail is not None:
            document["detail"] = self.detail
        document.update(self.extra)
        return document

    def body(self) -> bytes:
        """The document as JSON."""
        return orjson.dumps(self.document())

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers that go with it."""
        headers = [
            (b"content-type", MEDIA_TYPE.encode("ascii")),
            (b"cache-control", b"no-store"),
            *self.more_headers,
        ]
        if self.retry_after_s is not None:
            headers.append((b"retry-after", str(self.retry_after_s).encode("ascii")))
        if self.challenge is not None:
            headers.append((b"www-authenticate", self.challenge.encode("ascii")))
        if self.allow is not None:
            headers.append((b"allow", self.allow.encode("ascii")))
        return headers
