"""A relying party of OpenID Connect: discovery, the code flow with PKCE, what a provider says of somebody."""

from negatoscope.infra.oidc.client import Provider, Started, Told
from negatoscope.infra.oidc.errors import OidcError, ProviderRefused, ProviderUnavailable

__all__ = ["OidcError", "Provider", "ProviderRefused", "ProviderUnavailable", "Started", "Told"]
