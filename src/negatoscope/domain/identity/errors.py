"""Refusals of the accounts.

::

    IdentityError
    ├── UnknownUser        no account of that name
    ├── UserExists         the name is taken
    ├── UnknownRole        not a role of users
    ├── WeakPassword       short, well known, or made of a name
    ├── LastAdministrator  nobody could administer afterwards
    ├── InvalidCredentials name, password or code
    ├── TotpRequired       the password is right, a code is needed
    ├── TooManyAttempts    wait
    ├── LocalSignInClosed  at the provider, please
    ├── ReasonNeeded       for an emergency access, for its review
    ├── UnknownPatient     no such study or patient
    ├── AmbiguousPatient   several people have that identifier
    ├── TooManyBreaks      emergency accesses in an hour
    ├── LinkRefused        used up, revoked, expired, unknown, or its PIN is wrong
    ├── PinRequired        the link is good and asks for one
    ├── NoRoleForYou       a provider's subject gets no account
    ├── InvalidGrant       a data scope that cannot be
    └── SetupLinkRefused   used, expired, unknown, or no longer needed
"""


class IdentityError(Exception):
    """Base of this module's errors.

    Args:
        message: Lower case, no full stop.
        hint: What to try.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnknownUser(IdentityError):
    """No account has that name."""


class UserExists(IdentityError):
    """An account has that name already."""


class UnknownRole(IdentityError):
    """Not a role of users."""


class WeakPassword(IdentityError):
    """The password is short, well known, or made of a name.

    Args:
        code: Which of these; does not change.
    """

    def __init__(self, message: str, *, hint: str = "", code: str) -> None:
        super().__init__(message, hint=hint)
        self.code = code


class SetupLinkRefused(IdentityError):
    """The link was used, has expired, was never made, or an account exists already."""


class InvalidGrant(IdentityError):
    """A data scope that cannot be."""


class LastAdministrator(IdentityError):
    """Nobody could administer afterwards."""


class InvalidCredentials(IdentityError):
    """Name, password or code: which of them is not told."""


class TotpRequired(IdentityError):
    """The password is right and a code is needed."""


class TooManyAttempts(IdentityError):
    """Too many failures; nothing was looked at.

    Args:
        wait_s: Until the next attempt is looked at.
    """

    def __init__(self, wait_s: float) -> None:
        super().__init__("too many failed sign-ins", hint=f"wait {int(wait_s) + 1} s.")
        self.wait_s = wait_s


class LocalSignInClosed(IdentityError):
    """The account signs in at a provider."""


class ReasonNeeded(IdentityError):
    """No reason worth reading."""


class UnknownPatient(IdentityError):
    """No such study or patient."""


class AmbiguousPatient(IdentityError):
    """Several people have that identifier."""


class TooManyBreaks(IdentityError):
    """Too many emergency accesses in an hour."""


class LinkRefused(IdentityError):
    """The link is used up, revoked, expired or unknown, or its PIN is wrong."""


class PinRequired(IdentityError):
    """The link is good and asks for a PIN."""


class NoRoleForYou(IdentityError):
    """A provider's subject gets no account here."""
