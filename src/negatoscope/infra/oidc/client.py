"""One provider, as OpenID Connect Core 1.0 and Discovery 1.0 describe it; PKCE (RFC 7636) with S256."""

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from negatoscope.infra.oidc.errors import ProviderRefused, ProviderUnavailable
from negatoscope.infra.oidc.fetching import Fetcher, check_address
from negatoscope.infra.settings import ProviderSettings

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
"""Signatures by the provider's private key; ``none`` and those with a shared secret are not taken."""
METADATA_S: Final = 3600.0
RETRY_S: Final = 10.0
"""After a failure, and between two looks for a key that is not known."""
BACKCHANNEL_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
MAX_TOKEN: Final = 100_000
_HASHES: Final = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A sign-in under way: where the browser goes, and what must be kept until it comes back."""

    url: str
    state: str
    nonce: str
    code_verifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the provider says of somebody.

    Attributes:
        subject: ``sub``; with the issuer, the only name of a person.
        claims: Of the ID token, and of the userinfo where it was asked.
        session_id: ``sid``, for a logout that begins at the provider.
        id_token: As a hint when signing out.
    """

    issuer: str
    subject: str
    claims: Mapping[str, Any]
    session_id: str | None
    id_token: str


class Provider:
    """One configured provider; safe for many threads.

    Args:
        settings: Its issuer, our registration there.
    """

    def __init__(self, settings: ProviderSettings) -> None:
        self.settings = settings
        self._fetcher = Fetcher(settings.issuer)
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._metadata_at_s = float("-inf")
        self._failed_at_s = float("-inf")
        self._keys: KeySet | None = None
        self._keys_at_s = float("-inf")

    # -- what it is -----------------------------------------------------------------------------

    def is_available(self) -> bool:
        """Whether it answered lately; asked again at intervals."""
        try:
            self.metadata()
        except ProviderUnavailable:
            return False
        return True

    def metadata(self) -> dict[str, Any]:
        """Its document (Discovery §4), kept for an hour.

        Raises:
            ProviderUnavailable: there is none to be had, or it is another issuer's.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._metadata_at_s < METADATA_S:
                return self._metadata
            if now - self._failed_at_s < RETRY_S:
                raise ProviderUnavailable("the provider did not answer a moment ago")
            try:
                self._metadata = self._discover()
            except ProviderUnavailable:
                self._failed_at_s = time.monotonic()
                raise
            self._metadata_at_s = time.monotonic()
            return self._metadata

    def _discover(self) -> dict[str, Any]:
        issuer = self.settings.issuer
        status, document = self._fetcher.json(
            "GET", issuer.rstrip("/") + "/.well-known/openid-configuration"
        )
        if status != 200:
            raise ProviderUnavailable(f"the provider's document is answered with {status}")
        if document.get("issuer") != issuer:  # Discovery §4.3
            raise ProviderUnavailable("the document is another issuer's")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            check_address(document.get(name), issuer)
        for name in ("userinfo_endpoint", "end_session_endpoint"):
            if document.get(name) is not None:
                check_address(document[name], issuer)
        return document

    # -- the code flow --------------------------------------------------------------------------

    def start(self, redirect_uri: str) -> Started:
        """Begin a sign-in (Core §3.1.2.1).

        Raises:
            ProviderUnavailable: it cannot be asked.
        """
        endpoint = self.metadata()["authorization_endpoint"]
        state, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        verifier = secrets.token_urlsafe(48)
        parameters = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        if self.settings.acr_values:
            parameters["acr_values"] = self.settings.acr_values
        joint = "&" if urlsplit(endpoint).query else "?"
        return Started(
            url=f"{endpoint}{joint}{urlencode(parameters)}",
            state=state,
            nonce=nonce,
            code_verifier=verifier,
        )

    def finish(
        self,
        *,
        code: str,
        issuer: str | None,
        nonce: str,
        code_verifier: str,
        redirect_uri: str,
    ) -> Told:
        """Exchange the code and check what comes (Core §3.1.3).

        Args:
            code: Of the redirect.
            issuer: ``iss`` of the redirect, if it has one (RFC 9207).
            nonce, code_verifier, redirect_uri: Of the beginning.
        Raises:
            ProviderUnavailable: it cannot be asked.
            ProviderRefused: what it says cannot be accepted.
        """
        metadata = self.metadata()
        if (
            issuer is None
            and metadata.get("authorization_response_iss_parameter_supported") is True
        ):
            raise ProviderRefused("the redirect does not say of which issuer it is")
        if issuer is not None and issuer != self.settings.issuer:
            raise ProviderRefused("the redirect is another issuer's")
        status, answer = self._fetcher.json(
            "POST",
            metadata["token_endpoint"],
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": code_verifier,
                **self._client_in_body(metadata),
            },
            **self._client_in_header(metadata),
        )
        if status >= 500:
            raise ProviderUnavailable(f"the token endpoint answers {status}")
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if status != 200 or not isinstance(id_token, str) or not isinstance(access_token, str):
            raise ProviderRefused("the code was not accepted")
        claims = self._id_token(id_token, nonce, access_token)
        subject = str(claims["sub"])
        merged = dict(claims)
        if self.settings.userinfo and metadata.get("userinfo_endpoint"):
            merged = {
                **self._userinfo(metadata["userinfo_endpoint"], access_token, subject),
                **claims,
            }
        session_id = claims.get("sid")
        return Told(
            issuer=self.settings.issuer,
            subject=subject,
            claims=merged,
            session_id=session_id if isinstance(session_id, str) else None,
            id_token=id_token,
        )

    def _client_in_header(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        secret = self.settings.client_secret
        if secret is None or not self._by_basic(metadata):
            return {}
        return {"auth": (self.settings.client_id, secret)}

    def _client_in_body(self, metadata: Mapping[str, Any]) -> dict[str, str]:
        secret = self.settings.client_secret
        if secret is None:
            return {"client_id": self.settings.client_id}
        if self._by_basic(metadata):
            return {}
        return {"client_id": self.settings.client_id, "client_secret": secret}

    @staticmethod
    def _by_basic(metadata: Mapping[str, Any]) -> bool:
        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return "client_secret_basic" in methods

    def _userinfo(self, endpoint: str, access_token: str, subject: str) -> dict[str, Any]:
        status, claims = self._fetcher.json(
            "GET", endpoint, headers={"Authorization": f"Bearer {access_token}"}
        )
        if status != 200:
            raise ProviderUnavailable(f"the userinfo endpoint answers {status}")
        if claims.get("sub") != subject:  # Core §5.3.2
            raise ProviderRefused("the userinfo is about somebody else")
        return claims

    # -- tokens ---------------------------------------------------------------------------------

    def _id_token(self, token: str, nonce: str, access_token: str) -> dict[str, Any]:
        """The claims of an ID token that holds (Core §3.1.3.7)."""
        header, claims = self._signed(token)
        self._check_common(claims)
        audience = claims["aud"]
        azp = claims.get("azp")
        if isinstance(audience, list) and len(audience) > 1 and azp is None:
            raise ProviderRefused("the ID token has several audiences and no authorized party")
        if azp is not None and azp != self.settings.client_id:
            raise ProviderRefused("the ID token was issued to another party")
        if not _same(claims.get("nonce"), nonce):
            raise ProviderRefused("the ID token answers another request")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise ProviderRefused("the ID token names nobody")
        wanted = (self.settings.acr_values or "").split()
        if wanted and claims.get("acr") not in wanted:
            raise ProviderRefused("the sign-in was not as strong as asked for")
        at_hash = claims.get("at_hash")
        if at_hash is not None and not _same(at_hash, _left_half(header["alg"], access_token)):
            raise ProviderRefused("the access token is not the ID token's")
        return claims

    def logout(self, token: str) -> tuple[str | None, str | None]:
        """Subject and session of a logout token (Back-Channel Logout 1.0 §2.6).

        Raises:
            ProviderUnavailable: its keys cannot be had.
            ProviderRefused: it does not hold.
        """
        _, claims = self._signed(token)
        self._check_common(claims)
        events = claims.get("events")
        if not isinstance(events, dict) or not isinstance(events.get(BACKCHANNEL_EVENT), dict):
            raise ProviderRefused("the token is no logout token")
        if "nonce" in claims:
            raise ProviderRefused("a logout token has no nonce")
        subject, session_id = claims.get("sub"), claims.get("sid")
        if not isinstance(subject, str) and not isinstance(session_id, str):
            raise ProviderRefused("the logout token names neither somebody nor a session")
        return (
            subject if isinstance(subject, str) else None,
            session_id if isinstance(session_id, str) else None,
        )

    def _check_common(self, claims: Mapping[str, Any]) -> None:
        if claims.get("iss") != self.settings.issuer:
            raise ProviderRefused("the token is another issuer's")
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if self.settings.client_id not in audiences:
            raise ProviderRefused("the token is for somebody else")
        now, skew = time.time(), self.settings.clock_skew_s
        for name in ("exp", "iat"):
            value = claims.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ProviderRefused(f"the token has no {name}")
        if claims["exp"] <= now - skew:
            raise ProviderRefused("the token has expired")
        if claims["iat"] > now + skew:
            raise ProviderRefused("the token is of the future")
        not_before = claims.get("nbf")
        if not_before is not None and not (
            isinstance(not_before, int | float) and not_before <= now + skew
        ):
            raise ProviderRefused("the token is not good yet")

    def _signed(self, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and claims of a token whose signature is right; keys are looked up anew once."""
        if len(token) > MAX_TOKEN:
            raise ProviderRefused("the token is too long")
        try:
            header = dict(jws.extract_compact(token.encode("ascii")).headers())
        except (JoseError, ValueError) as error:
            raise ProviderRefused("the token cannot be read") from error
        if header.get("alg") not in ALGORITHMS:
            raise ProviderRefused("the token is not signed with a key of the provider")
        kid = header.get("kid")
        keys = self._key_set(None if kid is None else str(kid))
        try:
            decoded = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError) as error:
            raise ProviderRefused("the signature is not the provider's") from error
        return header, dict(decoded.claims)

    def _key_set(self, kid: str | None) -> KeySet:
        """The provider's keys; fetched anew when one is not known, since providers change them."""
        uri = self.metadata()["jwks_uri"]
        with self._lock:
            now = time.monotonic()
            known = self._keys is not None and (
                kid is None or any(key.kid == kid for key in self._keys.keys)
            )
            if self._keys is not None and (
                (known and now - self._keys_at_s < METADATA_S) or now - self._keys_at_s < RETRY_S
            ):
                return self._keys
            status, document = self._fetcher.json("GET", uri)
            if status != 200:
                raise ProviderUnavailable(f"the keys are answered with {status}")
            keys = [
                key
                for key in document.get("keys") or ()
                if isinstance(key, dict)
                and key.get("kty") in ("RSA", "EC", "OKP")
                and key.get("use", "sig") == "sig"
            ]
            try:
                self._keys = KeySet.import_key_set({"keys": keys})
            except (JoseError, ValueError, TypeError) as error:
                raise ProviderUnavailable("the provider's keys cannot be read") from error
            self._keys_at_s = time.monotonic()
            return self._keys

    # -- the end --------------------------------------------------------------------------------

    def end_session_url(self, id_token: str | None, back_to: str) -> str | None:
        """Where to sign out at the provider too (RP-Initiated Logout 1.0); None when it has no such."""
        try:
            endpoint = self.metadata().get("end_session_endpoint")
        except ProviderUnavailable:
            return None
        if not endpoint:
            return None
        parameters = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back_to}
        if id_token:
            parameters["id_token_hint"] = id_token
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(parameters)}"

    def close(self) -> None:
        """Close connections."""
        self._fetcher.close()


def _same(given: object, wanted: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), wanted.encode())


def _left_half(algorithm: str, text: str) -> str:
    """``at_hash`` (Core §3.1.3.6)."""
    digest = _HASHES.get(algorithm[-3:], hashlib.sha512)(text.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")
