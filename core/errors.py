"""The one family of errors an action may raise, and what each means to a face.

Every message is written for the cadre who reads it: what is wrong, where, and what to do.
Pages map an error in `core.middleware`, the API in `core.api`; both read `status` from here.
"""

from collections.abc import Mapping


class DomainError(Exception):
    """A refusal with a message a cadre understands.

    Args:
        message: Chinese text, already translated and complete.
        code: short stable word for programs (`"stale"`, `"reason_missing"`).
        fields: field name -> message, when single inputs are at fault.
    """

    status = 400
    code = "invalid"

    def __init__(self, message: str, *, code: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = str(message)
        self.code = code or type(self).code
        self.fields: dict[str, str] = {name: str(text) for name, text in (fields or {}).items()}


class Invalid(DomainError):
    """The input can not be used as it is (400)."""


class Forbidden(DomainError):
    """The object is in the person's scope, the deed is not (403)."""

    status = 403
    code = "forbidden"


class NotFound(DomainError):
    """No such object, or none this person may know of; the two are never told apart (404)."""

    status = 404
    code = "not_found"


class Conflict(DomainError):
    """Somebody else was faster, or the page is old; nothing was overwritten (409)."""

    status = 409
    code = "conflict"


class InvalidTransition(Conflict):
    """The move does not start from the state the object is in now (409)."""

    code = "invalid_transition"


class Stale(Conflict):
    """The page the person acted on showed an older version (409)."""

    code = "stale"


class TooLarge(DomainError):
    """More than the portal takes in one go (413)."""

    status = 413
    code = "too_large"


class Throttled(DomainError):
    """Too many requests from one place or address (429). `retry_after` counts the seconds until it may be tried again."""

    status = 429
    code = "throttled"
    retry_after = 0
