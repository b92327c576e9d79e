"""A form field that names one row among very many (a place, a person): typed, not scrolled.

Works without JavaScript: what was typed is looked up on the server, and when several rows answer to it, they come back
as a short list to choose from. With JavaScript (static/js/lookup.js) suggestions appear while one types.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

CANDIDATES = 12
SUGGESTIONS = 20
_LONGEST = 100


# How a field is compared, by the sign before its name (as Django's own admin writes it): from the start, or as a whole.
_WAYS = {"^": "istartswith", "=": "iexact"}
_PREFIX = 4


def search(rows: QuerySet[Any], fields: Sequence[str], text: str) -> QuerySet[Any]:
    """The rows that answer to every word of a text, in any of the fields.

    Args:
        fields: lookups; a word may stand anywhere in them, with `^` before the name at their start, with `=` it must
            be the whole of them.
    """
    for word in text.replace("·", " ").split()[:6]:
        found = Q()
        for field in fields:
            # The 2 of "2 号楼" is not the beginning of every number of this year.
            if field[0] != "^" or len(word) >= _PREFIX:
                found |= Q(**{f"{field.lstrip('^=')}__{_WAYS.get(field[0], 'icontains')}": word})
        rows = rows.filter(found)
    return rows


class LookupWidget(forms.Widget):
    """A text input, the key of the row chosen beside it, and the candidates when there were several."""

    input_type = "text"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.url: str | Promise = ""
        self.candidates: list[tuple[int, str]] = []
        self.text_of: Callable[[Any], str] = str

    def value_from_datadict(
        self, data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str
    ) -> tuple[str, str]:
        # A plain field refuses NUL, which PostgreSQL can not be asked for; here it is looked for before any field cleans.
        text = str(data.get(name) or "").replace("\x00", "").strip()[:200]
        return text, str(data.get(f"{name}_key") or "").strip()[:20]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> Any:
        text, key = value if isinstance(value, tuple) else (self.text_of(value) if value else "", "")
        if isinstance(value, Model):
            key = str(value.pk)
        attributes = {"autocomplete": "off", "maxlength": "200", **self.attrs, **(attrs or {})}
        plain = format_html_join("", ' {}="{}"', ((k, v) for k, v in attributes.items() if v not in (None, False)))
        listed = format_html_join(
            "",
            '<label class="lookup__choice"><input type="radio" name="{}_key" value="{}"> <span>{}</span></label>',
            ((name, pk, words) for pk, words in self.candidates),
        )
        hidden = "" if self.candidates else format_html('<input type="hidden" name="{}_key" value="{}">', name, key)
        return format_html(
            '<div class="lookup" data-lookup="{}"><input type="text" name="{}" value="{}" list="{}_list"{}>'
            '<datalist id="{}_list"></datalist>{}{}</div>',
            self.url,
            name,
            text,
            name,
            plain,
            name,
            hidden,
            format_html('<div class="lookup__choices">{}</div>', listed) if listed else "",
        )


class NamesWidget(forms.Widget):
    """Several names, one to a line, with all there are as suggestions: the browser's own, so they need no JavaScript.

    Each line has a name of its own (`units`, `units-1`, …): what keeps drafts on a phone goes by names.
    """

    use_fieldset = True
    choices: Iterable[tuple[Any, str]] = ()
    fewest, spare, most = 5, 3, 60

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        if not isinstance(data, MultiValueDict):  # from a program: whatever stands there
            return data.get(name)
        lines = [*data.getlist(name), *(data.get(f"{name}-{number}", "") for number in range(1, self.most))]
        return [line.strip()[:_LONGEST] for line in lines if line.strip()][: self.most]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return ""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> Any:
        written = [str(one) for one in value] if isinstance(value, list | tuple) else []
        key = (attrs or {}).get("id") or f"id_{name}"
        odd = bool((attrs or {}).get("aria-invalid"))
        empty = max(self.fewest - len(written), self.spare)
        lines = format_html_join(
            "",
            '<input type="text" name="{}" id="{}_{}" value="{}" list="{}_names" maxlength="{}" autocomplete="off"'
            ' aria-label="{}"{}>',
            (
                (
                    f"{name}-{number}" if number else name,
                    key,
                    number,
                    line,
                    key,
                    _LONGEST,
                    _("第 %(number)d 个") % {"number": number + 1},
                    mark_safe(' aria-invalid="true"') if odd and (line or not (number or written)) else "",
                )
                for number, line in enumerate([*written, *[""] * empty])
            ),
        )
        known = format_html_join("", '<option value="{}"></option>', ((words,) for _key, words in self.choices))
        return format_html('<div class="names">{}<datalist id="{}_names">{}</datalist></div>', lines, key, known)


class LookupField(forms.Field):
    """One row of `rows`, found by what was typed.

    Args:
        rows: what may be chosen, already within the person's scope.
        search: lookups that are searched (`"path"`, `"^code"`), see `search`.
        text: how a row is written in the input; two rows need not differ, the key tells them apart.
        url: address of the suggestions (see `core.admin_base.ScopedModelAdmin.lookup_view`).
    """

    widget = LookupWidget

    def __init__(
        self,
        *,
        rows: QuerySet[Any],
        search: Sequence[str],
        text: Callable[[Any], str] = str,
        url: str | Promise = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rows, self.search, self.text = rows, search, text
        self.widget.url, self.widget.text_of = url, text

    def clean(self, value: Any) -> Any:
        text, key = value if isinstance(value, tuple) else ("", "")
        if not text:
            if self.required:
                raise ValidationError(_("请填写这一项。"), code="required")
            return None
        if key.isascii() and key.isdigit() and len(key) < 19:
            chosen = self.rows.filter(pk=int(key)).first()
            # The text decides: a key left over from an earlier choice must not win over what is seen in the input.
            if chosen is not None and (self.text(chosen) == text or self._answers(chosen, text)):
                return chosen
        return self._only(text)

    def _answers(self, row: Any, text: str) -> bool:
        return search(self.rows.filter(pk=row.pk), self.search, text).exists()

    def _only(self, text: str) -> Any:
        exact = Q()
        for field in self.search:
            exact |= Q(**{field.lstrip("^="): text})
        found = list(self.rows.filter(exact)[:2])
        if len(found) == 1:
            return found[0]
        found = list(search(self.rows, self.search, text)[: CANDIDATES + 1])
        same = [row for row in found if self.text(row) == text]
        if len(found) == 1 or len(same) == 1:
            return (same or found)[0]
        if not found:
            raise ValidationError(_("没有找到“%(text)s”，请换个说法，或只填其中几个字。") % {"text": text[:40]})
        self.widget.candidates = [(row.pk, self.text(row)) for row in found[:CANDIDATES]]
        if len(found) > CANDIDATES:
            raise ValidationError(_("符合的太多，请再填几个字；也可以从下面选一个。"))
        raise ValidationError(_("有 %(count)d 个符合，请从下面选一个。") % {"count": len(found)})
