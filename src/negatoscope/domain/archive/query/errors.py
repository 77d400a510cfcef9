"""Why a query is refused, and what each wire answers."""


class QueryError(Exception):
    """A query is not answered.

    Attributes:
        dimse_status: C-FIND failure status, PS3.4 Table C.4-1.
        error_comment: Error Comment (0000,0902), at most 64 characters, never a patient's data.
        http_status: Of the problem document.
        code: Stable name of the problem.
    """

    dimse_status = 0xC000
    http_status = 500
    code = "query-failed"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.error_comment = message[:64]


class IdentifierMismatch(QueryError):
    """The identifier does not fit the information model (PS3.4 §C.4.1.1.4)."""

    dimse_status = 0xA900
    http_status = 400
    code = "identifier-mismatch"


class UnusableKey(QueryError):
    """A key's value is none of the forms of PS3.4 §C.2.2.2 for its value representation."""

    dimse_status = 0xC010
    http_status = 400
    code = "unusable-key"


class QueryTooExpensive(QueryError):
    """The query ran into its time limit."""

    dimse_status = 0xA700
    http_status = 503
    code = "query-timeout"


class QueryUnavailable(QueryError):
    """The index does not answer."""

    dimse_status = 0xA700
    http_status = 503
    code = "index-unavailable"
