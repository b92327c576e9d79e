"""What a person typed, made fit to store; and long text, made fit to show."""

import re
import unicodedata

from django.utils.translation import gettext as _

from core.errors import Invalid

# Line ends of every system; U+0085, U+2028 and U+2029 come along when text is pasted.
_NEWLINES = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Invisible characters that change how text reads or compares (bidirectional overrides, zero-width spaces, byte order
# marks). The joiners U+200C and U+200D stay: emoji and some scripts are built with them.
_INVISIBLE = re.compile(
    r"[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
_TRAILING = re.compile(r"[^\S\n]+(?=\n|\Z)")
_BLANK_LINES = re.compile(r"\n{3,}")


def clean_text(value: str | None, *, max_length: int, label: str, field: str = "", required: bool = False) -> str:
    """Text of several lines, ready to store.

    Control and other invisible characters go, line ends become "\\n", composed characters one form (NFC), spaces at
    line ends and more than one blank line in a row go.

    Args:
        value: what was typed; None counts as empty.
        max_length: characters allowed after cleaning.
        label: the field as the form names it, for the message.
        field: the field's name in code, under which the error carries the message; empty when it has none.
        required: whether empty is refused.

    Raises Invalid when it is too long (the message states both numbers) or required and empty.
    """
    return _within(_clean(value), max_length=max_length, label=label, field=field, required=required)


def clean_line(value: str | None, *, max_length: int, label: str, field: str = "", required: bool = False) -> str:
    """Text of one line, ready to store: as `clean_text`, and any run of white space becomes one space.

    Raises Invalid as `clean_text` does.
    """
    return _within(" ".join(_clean(value).split()), max_length=max_length, label=label, field=field, required=required)


def _clean(value: str | None) -> str:
    if value and value.isprintable() and unicodedata.is_normalized("NFC", value):
        # Nothing of what follows is in it; nearly every cell of a table is like that.
        return value.strip()
    text = _NEWLINES.sub("\n", value or "")
    text = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"})
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return _BLANK_LINES.sub("\n\n", _TRAILING.sub("", text)).strip()


def _within(text: str, *, max_length: int, label: str, field: str, required: bool) -> str:
    if required and not text:
        raise _refusal(_("请填写%(label)s。") % {"label": label}, "required", field)
    if len(text) > max_length:
        message = _("%(label)s最多 %(limit)d 字，现在有 %(count)d 字，请删减后再提交。") % {
            "label": label,
            "limit": max_length,
            "count": len(text),
        }
        raise _refusal(message, "too_long", field)
    return text


def _refusal(message: str, code: str, field: str) -> Invalid:
    return Invalid(message, code=code, fields={field: message} if field else None)


def ellipsis(text: str, length: int) -> str:
    """At most `length` characters of `text`, the last one “…” when something was cut off."""
    if len(text) <= length:
        return text
    return text[: length - 1].rstrip() + "…" if length > 0 else ""


def first_line(text: str, length: int) -> str:
    """The first line that says something, at most `length` characters: a title for text that has none."""
    for line in text.splitlines():
        if line.strip():
            return ellipsis(" ".join(line.split()), length)
    return ""


def split_words(text: str) -> list[str]:
    """Names or codes as people put several into one cell: by spaces, lines, commas and 、; each once."""
    for sign in "、，,；;\n\r\t　":
        text = text.replace(sign, " ")
    return list(dict.fromkeys(text.split()))
