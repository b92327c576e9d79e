"""Reading what somebody sends without letting it fill the memory."""

from typing import IO

from django.utils.translation import gettext as _

from core.errors import TooLarge

MEGABYTE = 1024 * 1024
_CHUNK = 256 * 1024


def read_at_most(file: IO[bytes], limit: int, *, what: str, advice: str) -> bytes:
    """The whole content of an upload, when it is no larger than `limit` bytes.

    A size that the upload declares is believed only when it is too large; nothing is read then.

    Args:
        file: a Django upload or any binary file; read from its beginning.
        limit: in bytes.
        what: what is sent, for the message (照片).
        advice: what to do about it, a full sentence.

    Raises TooLarge.
    """
    declared = getattr(file, "size", None)
    if declared is not None and declared > limit:
        raise _too_large(limit, declared, what, advice)
    file.seek(0)
    content = bytearray()
    while chunk := file.read(min(_CHUNK, limit + 1 - len(content))):
        content += chunk
        if len(content) > limit:
            raise _too_large(limit, None, what, advice)
    return bytes(content)


def _too_large(limit: int, size: int | None, what: str, advice: str) -> TooLarge:
    message = _("%(what)s不能超过 %(limit)d MB") % {"what": what, "limit": limit // MEGABYTE}
    if size is not None:
        message += _("，这个文件有 %(size)d MB") % {"size": -(-size // MEGABYTE)}
    return TooLarge(f"{message}。{advice}", code="file_too_large")
