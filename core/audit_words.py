"""The trail in words an auditor reads: what a deed is called, which field changed, from what to what."""

import datetime
from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.audit import HIDDEN
from core.periods import date_words, datetime_words

_deeds: dict[str, str | Promise] = {}
_fields: dict[str, str | Promise] = {"version": gettext_lazy("版本"), "rows": gettext_lazy("条数")}


def name_deeds(words: Mapping[str, str | Promise]) -> None:
    """Gives deeds their names; each floor names its own, when its admin pages are loaded."""
    _deeds.update(words)


def name_fields(words: Mapping[str, str | Promise]) -> None:
    """Gives names to changes that are no field of the object's model."""
    _fields.update(words)


def deed_words(action: str) -> str:
    return str(_deeds.get(action, _("其他操作")))


def object_words(chain: str) -> str:
    """The kind and number of the object a chain is about: 需求 12."""
    label, _sign, pk = chain.partition(":")
    model = _model(label)
    return f"{model._meta.verbose_name if model else _('记录')} {pk}"


def change_words(chain: str, name: str, pair: list[Any]) -> tuple[str, str, str]:
    """Field, value before and value after, as pages write them."""
    model = _model(chain.partition(":")[0])
    field = _field(model, name)
    label = str(field.verbose_name) if field is not None else str(_fields.get(name.split(".")[-1], name))
    before, after = ("", "") if pair == [HIDDEN, HIDDEN] else (_value(field, pair[0]), _value(field, pair[1]))
    if pair == [HIDDEN, HIDDEN]:
        return label, _("（个人信息）"), _("（已改动）")
    return label, before, after


def _model(label: str) -> type[models.Model] | None:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def _field(model: type[models.Model] | None, name: str) -> "models.Field[Any, Any] | None":
    """The field of the model, or of the part of it that the name begins with (`suborder.12.state`)."""
    parts = name.split(".")
    if model is not None and len(parts) > 1:
        model = _model(f"{model._meta.app_label}.{parts[0]}")
    if model is None:
        return None
    for field in model._meta.concrete_fields:
        if parts[-1] in (field.name, field.attname):
            return field
    return None


def _value(field: "models.Field[Any, Any] | None", value: Any) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if field is not None and field.is_relation:
        return _related(field, value)
    if field is not None and field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, models.DateTimeField) and (moment := parse_datetime(str(value))):
        return datetime_words(moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC))
    if isinstance(field, models.DateField) and (day := parse_date(str(value))):
        return date_words(day)
    return "、".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _related(field: "models.Field[Any, Any]", value: Any) -> str:
    model: Any = field.related_model
    found = model._base_manager.filter(pk=value).first() if model is not None else None
    return str(found) if found is not None else str(value)
