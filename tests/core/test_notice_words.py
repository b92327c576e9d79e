"""The words of notices: a county's own in the place of the built-in ones, refused when they can not be right."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import notice_kinds, notice_words, notices
from core.errors import Conflict, Invalid, NotFound, Stale
from core.models import AuditEntry, Notice, NoticeTemplate, OutboxMessage
from core.notice_words import change_template, make_template, restore_template
from services.notices import TABLE
from tests.cast import Cast
from tests.factories import fresh

KIND = "demand_dispatch"
VALUES = {"title": "路灯不亮", "place": "阳光小区", "code": "QX1", "due": "2026年3月12日"}


def told(cast: Cast, key: str = "k", **details: Any) -> Notice:
    audience = {"user": cast.a.officer.pk}
    notices.post(kind=KIND, title="新派单待签收：路灯不亮", body="阳光小区", audience=audience, key=key, **details)
    notices.deliver()
    return Notice.objects.get(message__key=key)


def own(cast: Cast, **texts: str) -> NoticeTemplate:
    return make_template(actor=fresh(cast.admin), county_key=cast.county.pk, kind=KIND, **texts)


@pytest.mark.django_db
def test_a_county_s_own_words_hold_for_its_people_alone(cast: Cast, settings: Any) -> None:
    own(cast, title="【{需求编号}】{需求标题}，请于{办理期限}前办结", outside="{需求编号}待签收，{登录网址}")
    settings.NOTICE_SMS_URL = "http://127.0.0.1:1/"
    notice = told(cast, fields=VALUES)
    assert (notice.title, notice.body) == ("【QX1】路灯不亮，请于2026年3月12日前办结", "阳光小区")
    assert OutboxMessage.objects.get(channel="sms").body == f"【经纬】QX1待签收，{notice_words.address()}"
    NoticeTemplate.objects.create(county_key=cast.other_county.pk, kind=KIND, title="别的县")
    assert told(cast, key="k2", fields=VALUES).title.startswith("【QX1】")


@pytest.mark.django_db
def test_news_that_lacks_a_field_keeps_the_built_in_words(cast: Cast) -> None:
    own(cast, title="{需求编号}请签收")
    assert told(cast).title == "新派单待签收：路灯不亮"


@pytest.mark.parametrize(
    ("texts", "field", "says"),
    [
        ({"title": "{name}家"}, "title", "没有字段{name}，可以用的有：{通知类型}、{系统标题}、{系统内容}、{需求标题}"),
        ({"body": "{title"}, "body", "大括号没有成对"),
        ({"body": "title}"}, "body", "大括号没有成对"),
        ({"title": "{}"}, "title", "没有字段"),
        ({"title": "{0}"}, "title", "没有字段{0}"),
        ({"title": "{title.__class__}"}, "title", "没有字段{title.__class__}"),
        ({"title": "{title!r}"}, "title", "只能写字段名"),
        ({"title": "{title:>90000000}"}, "title", "只能写字段名"),
        ({"outside": "{需求标题}"}, "outside", "可以用的有：{通知类型}、{需求编号}、{办理期限}、{登录网址}"),
        ({"outside": "{地点}"}, "outside", "没有字段{地点}"),
        ({"title": "长" * 121}, "title", "最多 120 字"),
        ({"outside": "长" * 121}, "outside", "最多 120 字"),
        ({}, "title", "至少填一"),
    ],
)
@pytest.mark.django_db
def test_words_that_can_not_be_right_are_refused_and_the_field_is_named(
    cast: Cast, texts: dict[str, str], field: str, says: str
) -> None:
    with pytest.raises(Invalid) as refused:
        own(cast, **texts)
    assert says in refused.value.fields[field]
    assert not NoticeTemplate.objects.exists()
    assert not AuditEntry.objects.filter(action__startswith="notice_template").exists()


@pytest.mark.django_db
def test_words_are_changed_and_put_back_by_who_looks_after_notices(cast: Cast) -> None:
    row = own(cast, title="{需求标题}")
    admin = fresh(cast.admin)
    with pytest.raises(Conflict):
        own(cast, title="再来一次")
    for actor in (cast.a.officer, cast.department, cast.other_county_department, cast.superuser):
        with pytest.raises(NotFound):
            change_template(actor=fresh(actor), template=row, version=1, title="改")
    changed = change_template(actor=admin, template=row, version=1, title="请签收：{需求标题}")
    assert changed.version == 2
    with pytest.raises(Stale):
        restore_template(actor=admin, template=row, version=1)
    with pytest.raises(Invalid):
        change_template(actor=admin, template=row, version=2, title="{name}")
    restore_template(actor=admin, template=row, version=2)
    with pytest.raises(Conflict):
        restore_template(actor=admin, template=row, version=3)
    assert told(cast, fields=VALUES).title == "新派单待签收：路灯不亮"
    # What was put back can be given other words again, in the same row.
    assert own(cast, body="{地点}").pk == row.pk
    words = list(
        AuditEntry.objects.filter(action__startswith="notice_template").order_by("pk").values_list("action", "changes")
    )
    assert [action.partition(".")[2] for action, _changes in words] == ["make", "change", "restore", "change"]
    assert words[1][1] == {"title": ["{需求标题}", "请签收：{需求标题}"]}


def test_every_kind_reads_well_on_its_example() -> None:
    for kind in notice_kinds.kinds():
        for text in (f"{{{field.name}}}" for field in notice_kinds.fields_of(kind.name)):
            assert "{" not in notice_words.preview(kind.name, title=text, body="", outside="")["title"]


@pytest.mark.parametrize(
    ("kind", "group"),
    [
        ("demand_dispatch", "loop"),
        ("demand_supervise", "supervision"),
        ("demand_request_return", "review"),
        ("demand_bulletin", "bulletin"),
        ("ladder_leader", "bulletin"),
        ("meeting_tomorrow", "meeting"),
        ("commitment_reported", "review"),
        ("commitment_made", "checkin"),
        ("care_expired", "care"),
        ("job", "system"),
    ],
)
def test_a_person_finds_a_kind_in_its_group(kind: str, group: str) -> None:
    assert notice_kinds.group_of(kind) == group


@pytest.mark.parametrize("name", TABLE)
def test_what_leaves_about_a_demand_names_neither_matter_nor_place(name: str) -> None:
    allowed = {field.name for field in notice_kinds.outside_fields_of(f"demand_{name}")}
    assert allowed == {"kind", "code", "due", "link"}
    assert "路灯" not in notice_words.outside(None, f"demand_{name}", VALUES)


@given(st.text(max_size=40), st.dictionaries(st.sampled_from(sorted(VALUES)), st.text(max_size=9)))
def test_a_template_is_refused_or_fills_in_whatever_the_values_are(text: str, values: dict[str, str]) -> None:
    """Values are never read as templates, and nothing but a refusal comes of any text."""
    fields = notice_kinds.fields_of(KIND)
    try:
        notice_words.check(text, fields)
    except notice_words.UnfitError:
        return
    filled = notice_words.fill(text, {**{field.name: "{x}" for field in fields}, **values})
    assert isinstance(filled, str)
    if "{" not in text and "}" not in text:
        assert filled == text
