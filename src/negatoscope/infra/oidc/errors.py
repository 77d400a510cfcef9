"""What goes wrong with a provider.

::

    OidcError
    ├── ProviderUnavailable   it does not answer, or not as a provider does
    └── ProviderRefused       its answer about somebody cannot be accepted
"""


class OidcError(Exception):
    """Base of this package's errors; messages carry nothing of a token or of a person."""


class ProviderUnavailable(OidcError):
    """It does not answer, or not as a provider does."""


class ProviderRefused(OidcError):
    """Its answer about somebody cannot be accepted."""
