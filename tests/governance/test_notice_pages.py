"""The pages of whoever looks after notices: dead letters, channels, words; and what of them others may not see."""

from typing import Any

import pytest
from django.test import Client

from core import sending
from core.models import AuditEntry, NoticeTemplate, OutboxMessage, User
from tests.cast import Cast
from tests.core.far_end import WebEnd, running

pytestmark = pytest.mark.django_db

LIST, WORDS = "/admin/core/outboxmessage/", "/admin/core/noticetemplate/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def letter(county: Any, key: str, **values: Any) -> OutboxMessage:
    given = {"kind": "demand_late", "title": "已超期", "body": "【经纬】请登录", "channel": "sms", "state": "failed"}
    return OutboxMessage.objects.create(key=key, county_key=county and county.pk, **{**given, **values})


def text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_dead_letters_are_listed_counted_and_shown_without_anybody_s_news(cast: Cast) -> None:
    client = signed_in(cast.admin)
    gone = letter(cast.county, "a", error="对方拒绝（45009 limit）")
    letter(cast.county, "b", state="unsure", channel="wecom")
    letter(cast.county, "c", state="done")
    letter(cast.other_county, "far")
    secret = {"channel": "", "title": "张大爷家漏水", "body": "3 栋 301", "county_key": None}
    lost = OutboxMessage.objects.create(key="in", kind="demand_raise", state="failed", **secret)
    OutboxMessage.objects.create(key="going", kind="demand_raise", **secret)
    page = text(client, f"{LIST}?state=dead")
    assert page.count("action-select") == 3
    assert "对方拒绝（45009 limit）" in page and "张大爷" not in page
    assert text(client, LIST).count("action-select") == 4
    assert text(client, f"{LIST}?channel=wecom").count("action-select") == 1
    assert text(client, f"{LIST}?channel=inside").count("action-select") == 1
    assert "请登录" in text(client, f"{LIST}{gone.pk}/change/")
    inside = text(client, f"{LIST}{lost.pk}/change/")
    assert "张大爷" not in inside and "301" not in inside and "站内通知" in inside
    assert client.get(f"{LIST}{OutboxMessage.objects.get(key='going').pk}/change/").status_code == 404
    assert client.get(f"{LIST}{OutboxMessage.objects.get(key='far').pk}/change/").status_code == 404
    assert "3 条通知没有发到站外" in text(client, "/admin/")


def test_several_are_sent_again_or_let_go_at_once(cast: Cast) -> None:
    client = signed_in(cast.admin)
    rows = [letter(cast.county, key) for key in "abc"]
    far = letter(cast.other_county, "far")
    chosen = {"action": "resend_chosen", "_selected_action": [rows[0].pk, rows[1].pk], "index": "0"}
    asked = client.post(LIST, chosen)
    assert asked.status_code == 302
    assert "重发 2 条" in text(client, asked.url)
    done = client.post(f"{LIST}bulk/resend/", {"id": [rows[0].pk, rows[1].pk, far.pk]})
    assert done.status_code == 302
    assert client.post(f"{LIST}bulk/drop/", {"id": [rows[2].pk], "reason": ""}).status_code == 400
    client.post(f"{LIST}bulk/drop/", {"id": [rows[2].pk], "reason": "已电话告知"})
    states = dict(OutboxMessage.objects.values_list("key", "state"))
    assert states == {"a": "waiting", "b": "waiting", "c": "dropped", "far": "failed"}
    assert AuditEntry.objects.filter(action__startswith="outbox.").count() == 3
    assert "没有可以处理的消息" in client.post(f"{LIST}bulk/resend/", {"id": [rows[2].pk, "x"]}).content.decode()
    assert client.get(f"{LIST}bulk/burn/").status_code == 404


def test_one_is_sent_again_from_its_page_and_not_twice(cast: Cast) -> None:
    client = signed_in(cast.admin)
    row = letter(cast.county, "a")
    address = f"{LIST}{row.pk}/do/resend/"
    assert "可能收到两次" in text(client, address)
    assert client.post(address).status_code == 302
    assert client.post(address).status_code == 409
    assert AuditEntry.objects.filter(action="outbox.resend").count() == 1


def test_channels_show_how_they_stand_and_take_a_test_message(cast: Cast, settings: Any) -> None:
    client = signed_in(cast.admin)
    assert text(client, f"{LIST}channels/").count(">没有配置<") == 6
    assert client.post(f"{LIST}channels/sms/test/").status_code == 404
    with running(WebEnd()) as web:
        settings.NOTICE_SMS_URL, web.status = web.url, 503
        assert client.get(f"{LIST}channels/sms/test/").status_code == 405
        client.post(f"{LIST}channels/sms/test/")
        sending.send()
        page = text(client, f"{LIST}channels/")
        assert "最近一次没有发出" in page and "对方拒绝（HTTP 503）" in page
        assert "secret" not in page and "127.0.0.1" not in page
        OutboxMessage.objects.update(due_at="2026-01-01T00:00Z")
        web.status = 200
        sending.send()
    assert "正常" in text(client, f"{LIST}channels/")
    assert [body["phones"] for _path, _headers, body in web.received] == [[cast.admin.phone]] * 2


def test_words_are_looked_at_before_they_hold(cast: Cast) -> None:
    client = signed_in(cast.admin)
    kinds = text(client, f"{WORDS}kinds/")
    assert "新派单待签收：阳光小区3栋楼道灯不亮" in kinds and "{办理期限}" in kinds
    given = {"kind": "demand_dispatch", "title": "请签收：{需求标题}", "body": "", "outside": ""}
    assert "{需求编号}" in text(client, f"{WORDS}add/?kind=demand_dispatch")
    bad = client.post(f"{WORDS}add/", {**given, "title": "{phone}"}).content.decode()
    assert "没有字段{phone}，可以用的有" in bad and not NoticeTemplate.objects.exists()
    shown = client.post(f"{WORDS}add/", given)
    assert "请签收：阳光小区3栋楼道灯不亮" in shown.content.decode() and not NoticeTemplate.objects.exists()
    done = client.post(f"{WORDS}add/", {**given, "seen": shown.context["seal"]})
    row = NoticeTemplate.objects.get()
    assert done.url == f"{WORDS}{row.pk}/change/"
    page = text(client, done.url)
    assert "请签收：阳光小区3栋楼道灯不亮" in page and "改用本县的通知文字" in page
    client.post(f"{WORDS}{row.pk}/do/restore/", {"version": 1})
    row.refresh_from_db()
    assert row.is_built_in
    assert "系统文字" in text(client, WORDS)


def test_health_tells_of_the_pile_and_of_nothing_in_it(client: Client, cast: Cast) -> None:
    assert client.get("/healthz").json()["notices"] == {"ok": True, "dead": 0, "late": 0}
    for number in range(20):
        letter(cast.county, f"k{number}")
    letter(cast.county, "late", state="waiting", due_at="2026-01-01T00:00Z")
    answer = client.get("/healthz")
    assert answer.json()["notices"] == {"ok": False, "dead": 20, "late": 1}
    assert answer.status_code == 200 and "经纬" not in answer.content.decode()
