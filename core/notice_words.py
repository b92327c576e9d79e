"""The words of notices: what the portal has built in, and what a county put in their place.

A template names fields in braces: {需求标题}. Which fields there are is said per kind (`core.notice_kinds`); what leaves
the portal has fewer. A template that names another one is refused when it is written, never found out at night.
"""

from collections.abc import Iterable, Mapping
from string import Formatter
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import Actor
from core.errors import Conflict, Invalid, NotFound, Stale
from core.models import NoticeTemplate
from core.notice_kinds import Field, examples, fields_of, find, kind_label, outside_fields_of
from core.text import clean_line, clean_text, ellipsis

MANAGE_NOTICE = "notice.manage"

# Before every text that leaves: operators ask for the signature, and readers look for it.
SIGNATURE = "【经纬】"
LIMITS = {"title": 120, "body": 500, "outside": 120}


class UnfitError(ValueError):
    """A text that is no template of this kind; the message says why."""


def parts(text: str) -> list[tuple[str, str]]:
    """The template as (words, field that follows) pairs; the field is empty at the end.

    Raises:
        UnfitError: braces that do not pair, or more in them than a plain name.
    """
    try:
        found = list(Formatter().parse(text))
    except ValueError:
        raise UnfitError(_("大括号没有成对，每个字段要写成 {字段}。")) from None
    for _words, field, spec, conversion in found:
        if field is not None and (spec or conversion):
            raise UnfitError(_("字段“%(field)s”里只能写字段名。") % {"field": field})
    return [(words, "" if field is None else field or " ") for words, field, _spec, _conversion in found]


def check(text: str, fields: Iterable[Field]) -> None:
    """Raises UnfitError when the text names a field that is not among `fields`; the message lists them."""
    known = [field.word for field in fields]
    strange = [name for _words, name in parts(text) if name and name not in known]
    if strange:
        allowed = "、".join(f"{{{name}}}" for name in known)
        named = "、".join(f"{{{name.strip()}}}" for name in dict.fromkeys(strange))
        raise UnfitError(_("没有字段%(strange)s，可以用的有：%(allowed)s。") % {"strange": named, "allowed": allowed})


def fill(text: str, values: Mapping[str, str]) -> str:
    """The template with its fields filled in.

    Raises:
        LookupError: a field has no value here; the caller takes the built-in words.
    """
    return "".join(words + (str(values[name]) if name else "") for words, name in parts(text))


def inside(
    template: NoticeTemplate | None, kind: str, *, title: str, body: str, fields: Mapping[str, str]
) -> tuple[str, str]:
    """Title and body as a county's readers find them in the portal."""
    if template is None or not (template.title or template.body):
        return title, body
    values = _called({**fields, "kind": kind_label(kind), "headline": title, "text": body}, fields_of(kind))
    try:
        own_title = fill(template.title, values) if template.title else title
        own_body = fill(template.body, values) if template.body else body
    except (LookupError, UnfitError):
        # Posted before the field was there: news is never lost over its words.
        return title, body
    return ellipsis(own_title, LIMITS["title"]), ellipsis(own_body, LIMITS["body"])


def outside(template: NoticeTemplate | None, kind: str, fields: Mapping[str, str]) -> str:
    """What leaves the portal about one notice. It names no matter, no place and no person."""
    given = {**fields, "kind": kind_label(kind) or _("新消息"), "link": address()}
    values = _called(given, outside_fields_of(kind))
    if template is not None and template.outside:
        try:
            return SIGNATURE + fill(template.outside, values)
        except (LookupError, UnfitError):
            pass
    return SIGNATURE + fill(built_in_outside(), values)


def _called(values: Mapping[str, str], fields: Iterable[Field]) -> dict[str, str]:
    """The values of these fields, by what templates call them."""
    return {field.word: values[field.name] for field in fields if field.name in values}


def built_in_outside() -> str:
    return _("有新的“{通知类型}”通知，请登录查看：{登录网址}")


def address() -> str:
    """Where one signs in to read on."""
    return f"{settings.PUBLIC_URL}/notices/"


def preview(kind: str, *, title: str, body: str, outside: str) -> dict[str, str]:
    """How a template reads on a made-up case."""
    draft = NoticeTemplate(kind=kind, title=title, body=body, outside=outside)
    values = examples(kind)
    shown_title, shown_body = inside(draft, kind, title=values["headline"], body=values["text"], fields=values)
    return {"title": shown_title, "body": shown_body, "outside": globals()["outside"](draft, kind, values)}


def clean(kind: str, *, title: str, body: str, outside: str) -> dict[str, str]:
    """The three texts of a template, ready to store.

    Raises:
        Invalid: too long, braces that do not pair, or a field this kind does not have; under `fields` by input.
    """
    if find(kind) is None:
        raise Invalid(_("没有这类通知，请从列表里选。"), fields={"kind": _("请从列表里选。")})
    texts = {
        "title": clean_line(title, max_length=LIMITS["title"], label=_("标题"), field="title"),
        "body": clean_text(body, max_length=LIMITS["body"], label=_("内容"), field="body"),
        "outside": clean_line(outside, max_length=LIMITS["outside"], label=_("对外文字"), field="outside"),
    }
    faults = {}
    for name, text in texts.items():
        try:
            check(text, outside_fields_of(kind) if name == "outside" else fields_of(kind))
        except UnfitError as error:
            faults[name] = str(error)
    if faults:
        raise Invalid("；".join(faults.values()), code="unknown_field", fields=faults)
    return texts


def make_template(
    *, actor: Actor, county_key: int, kind: str, title: str = "", body: str = "", outside: str = ""
) -> NoticeTemplate:
    """Gives a kind of notice words of a county's own.

    Args:
        county_key: whose; the actor must hold `notice.manage` over it.
        title, body: what the box in the portal shows; `outside`: what robots, text messages and mail say. An empty one
            leaves the built-in words.

    Raises:
        NotFound: not the actor's county. Conflict: there are own words already, which are changed instead.
        Invalid: see `clean`; or nothing was filled in.
    """
    row = NoticeTemplate(county_key=county_key, kind=kind)
    _require(actor, row)
    texts = clean(kind, title=title, body=body, outside=outside)
    if not any(texts.values()):
        raise Invalid(_("三处文字至少填一处；不填的沿用系统文字。"), fields={"title": _("请至少填一处。")})
    with transaction.atomic():
        existing = NoticeTemplate.objects.select_for_update().filter(county_key=county_key, kind=kind).first()
        if existing is not None and not existing.is_built_in:
            raise Conflict(_("这类通知已经有本县的文字，请打开它修改。"))
        if existing is not None:
            return _store(actor, existing, texts, "notice_template.change")
        for name, text in texts.items():
            setattr(row, name, text)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as error:
            raise Conflict(_("别人刚刚也写了这类通知的文字，请返回看过再改。")) from error
        changes = {name: ("", text) for name, text in texts.items() if text}
        audit.record(
            actor=actor, action="notice_template.make", obj=row, changes=changes, label=kind_label(kind), new=True
        )
    return row


def change_template(
    *, actor: Actor, template: NoticeTemplate, version: int, title: str = "", body: str = "", outside: str = ""
) -> NoticeTemplate:
    """Changes a county's words. Raises as `make_template`; Stale: somebody changed them meanwhile."""
    _require(actor, template)
    texts = clean(template.kind, title=title, body=body, outside=outside)
    with transaction.atomic():
        row = _locked(template, version)
        return _store(actor, row, texts, "notice_template.change")


def restore_template(*, actor: Actor, template: NoticeTemplate, version: int) -> NoticeTemplate:
    """Puts the built-in words back. Raises NotFound, Forbidden, Stale; Conflict: they are in force already."""
    _require(actor, template)
    with transaction.atomic():
        row = _locked(template, version)
        if row.is_built_in:
            raise Conflict(_("现在用的就是系统文字。"))
        return _store(actor, row, dict.fromkeys(LIMITS, ""), "notice_template.restore")


def templates_of(kinds: Iterable[str]) -> dict[tuple[int, str], NoticeTemplate]:
    """The templates in force, by county and kind. One statement."""
    rows = NoticeTemplate.objects.filter(kind__in=set(kinds))
    return {(row.county_key, row.kind): row for row in rows if not row.is_built_in}


def _require(actor: Any, row: NoticeTemplate) -> None:
    policies.require(actor, MANAGE_NOTICE, row)


def _locked(template: NoticeTemplate, version: int) -> NoticeTemplate:
    row = NoticeTemplate.objects.select_for_update().filter(pk=template.pk).first()
    if row is None:
        raise NotFound(_("没有找到这个模板。"))
    if row.version != version:
        raise Stale(_("别人刚刚改了这类通知的文字，请刷新后再改。"))
    return row


def _store(actor: Actor, row: NoticeTemplate, texts: Mapping[str, str], action: str) -> NoticeTemplate:
    changes = {name: (getattr(row, name), text) for name, text in texts.items() if getattr(row, name) != text}
    if not changes:
        return row
    for name, text in texts.items():
        setattr(row, name, text)
    row.version += 1
    row.changed_at = timezone.now()
    row.save()
    audit.record(actor=actor, action=action, obj=row, changes=changes, label=kind_label(row.kind))
    return row
