"""The one door to stored files: a file is served to whoever may see the row it belongs to, and to nobody else.

There is no open media folder. A floor registers which field of which model is a file (`register`), pages link to it
with `url`, and `core.views.file` finds the row through `visible_to`. Pages without sign-in (a resident with a code)
prove their right themselves and call `respond`.
"""

import mimetypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Model
from django.db.models.fields.files import FieldFile
from django.http import FileResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from core.errors import NotFound

# What a browser may show by itself; anything else is downloaded, so that no file of ours runs as a page of ours.
_SHOWN = {"image/jpeg", "image/png", "image/webp"}


@dataclass(frozen=True)
class Kind:
    """A registered file field. `name` gives the file its name for the person who downloads it."""

    word: str
    model: type[Model]
    field: str
    name: Callable[[Any], str] | None = None


_kinds: dict[str, Kind] = {}


def register(word: str, model: type[Model], field: str, *, name: Callable[[Any], str] | None = None) -> None:
    """Registers a file field under a word of the address. The model's manager must have `visible_to`.

    Args:
        word: stands in the address ("demand-photo").
        field: the FileField or ImageField.
        name: from the row, the file's name as downloaded; else the stored one.
    """
    _kinds[word] = Kind(word, model, field, name)


def url(word: str, obj: Model) -> str:
    """The address of a row's file."""
    return reverse("core:file", args=[word, obj.pk])


def serve(*, user: Any, word: str, pk: int) -> FileResponse:
    """The file of a row the user may see.

    Raises:
        NotFound: no such row, out of the user's sight, or no file there; the three are never told apart.
    """
    kind = _kinds.get(word)
    if kind is None:
        raise _nothing()
    row = kind.model._default_manager.all().visible_to(user).filter(pk=pk).first()  # type: ignore[attr-defined]
    if row is None:
        raise _nothing()
    return respond(getattr(row, kind.field), name=kind.name(row) if kind.name else "")


def respond(file: FieldFile, *, name: str = "") -> FileResponse:
    """A response with a stored file, for a caller who has checked that it may be seen.

    Args:
        name: the file's name for the person; its ending decides nothing.

    Raises:
        NotFound: there is no file, or its name leads out of the store.
    """
    stored = file.name
    if not stored:
        raise _nothing()
    try:
        content = file.storage.open(stored, "rb")
    except (FileNotFoundError, IsADirectoryError, SuspiciousOperation):
        raise _nothing() from None
    guessed = mimetypes.guess_type(stored)[0] or "application/octet-stream"
    shown = guessed in _SHOWN
    response = FileResponse(
        content, as_attachment=not shown, filename=PurePath(name or stored).name, content_type=guessed
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response


# Stores content under a name in a row's file field; the row itself is saved by the caller.
Keep = Callable[[FieldFile, str, bytes], None]


@contextmanager
def written_with_rows() -> Iterator[Keep]:
    """A transaction whose rows bring files along. When it fails, what was stored goes again with the rows.

        with files.written_with_rows() as keep:
            keep(row.file, "x.jpg", content)
            row.save()

    It must be the outermost transaction: when one around it failed later, nobody would know of the files.
    """
    stored: list[FieldFile] = []

    def keep(file: FieldFile, name: str, content: bytes) -> None:
        file.save(name, ContentFile(content), save=False)
        stored.append(file)

    try:
        with transaction.atomic(durable=True):
            yield keep
    except BaseException:
        for file in stored:
            file.delete(save=False)
        raise


def drop_after_commit(*dropped: FieldFile) -> None:
    """Takes the files of rows that are deleted away, once that is certain."""
    for file in dropped:
        if file.name:
            transaction.on_commit(lambda name=file.name, storage=file.storage: storage.delete(name))  # type: ignore[misc]


def _nothing() -> NotFound:
    return NotFound(_("没有找到这个文件，或不在您的管辖范围内。文件也可能已过保存期限。"))
