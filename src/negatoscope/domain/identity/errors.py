"""Refusals of the accounts.

::

    IdentityError
    ├── UnknownUser        no account of that name
    ├── UserExists         the name is taken
    ├── UnknownRole        not a role of users
    ├── WeakPassword       too short, or the name itself
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
    """The password is too short or is the account's name."""


class SetupLinkRefused(IdentityError):
    """The link was used, has expired, was never made, or an account exists already."""
