"""Errors of the technique below the business.

::

    InfraError
    ├── ConfigurationError      a setting cannot be used
    ├── DatabaseUnavailable     no server answers, or not yet
    ├── UnsafeDatabase          a server that may lose what it acknowledged
    ├── MigrationError          the schema is not the one this version needs
    └── EmbeddedPostgresError   the embedded server cannot be created, started or stopped
"""


class InfraError(Exception):
    """Base of this package's errors.

    Args:
        message: Lower case, no full stop, no patient data.
        hint: One sentence that says what to try; empty when there is nothing to say.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigurationError(InfraError):
    """A setting cannot be used as it is."""


class DatabaseUnavailable(InfraError):
    """No PostgreSQL server answers at the configured address."""


class UnsafeDatabase(InfraError):
    """The server answers but may lose acknowledged data after a crash."""


class MigrationError(InfraError):
    """The schema is newer, older or other than the one this version needs."""


class EmbeddedPostgresError(InfraError):
    """The embedded server cannot be created, started or stopped."""
