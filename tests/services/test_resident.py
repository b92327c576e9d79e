"""`/r/`: a resident orders by the building's code, follows by their own, evaluates; robots and strangers get nowhere."""

import datetime
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client
from django.utils import timezone
from PIL import Image

from core.codes import follow_code_of
from core.models import AuditEntry, ThrottleHit
from core.uploads import MEGABYTE
from grids.models import GridNode
from services.models import Category, Demand, DemandState, Evaluation, Photo
from services.views import following
from tests import factories as make
from tests.cast import Cast
from tests.core.test_photos import encoded, opened, with_everything
from tests.services.test_loop import checked, dispatched, do, raised

pytestmark = pytest.mark.django_db

COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


def picture(content: bytes | None = None, name: str = "现场.jpg") -> SimpleUploadedFile:
    body = encoded(Image.new("RGB", (640, 480), "navy")) if content is None else content
    return SimpleUploadedFile(name, body, content_type="image/jpeg")


def order(client: Client, cast: Cast, **data: Any) -> Any:
    given = {"category": cast.category.pk, "text": "三单元一楼水管漏水，已经两天。", "once": "one", **data}
    return client.post(f"/r/{cast.a.building.public_token}/", given)


def text_of(response: Any) -> str:
    return str(response.content.decode())


def follow(client: Client, demand: Demand) -> str:
    response = client.get(f"/r/follow/{demand.follow_code}/")
    assert response.status_code == 200
    return text_of(response)


# --- Ordering -------------------------------------------------------------------------------------------------------


def test_the_page_of_a_building_names_the_place_and_offers_the_public_categories(client: Client, cast: Cast) -> None:
    Category.objects.filter(name="其他").update(is_public=False)
    Category.objects.filter(name="环境卫生").update(is_active=False)
    response = client.get(f"/r/{cast.a.building.public_token}/")
    assert [name.strip() for name in response.context["place"]] == [
        "城北街道",
        "白龙塘社区",
        "和谐小区",
        "第一网格",
        "1 号楼",
    ]
    assert [row.name for row in response.context["categories"]] == ["水电气暖"]
    assert "2 小时内联系您" in text_of(response)


def test_an_order_becomes_a_demand_and_leads_to_its_code(client: Client, cast: Cast) -> None:
    response = order(client, cast, contact_phone="139 1234 5678", contact_name="张三", photos=[picture(), picture()])
    demand = Demand.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/r/follow/{demand.follow_code}/card/")
    assert (demand.node, demand.origin, demand.state) == (cast.a.building, "resident", DemandState.REGISTERED)
    assert (demand.contact_phone, demand.raised_by) == ("13912345678", None)
    assert demand.photos.count() == 2
    page = text_of(client.get(response["Location"]))
    groups = [demand.follow_code[start : start + 4] for start in (0, 4, 8)]
    assert re.search(r"</span>\s*".join(f"<span>{group}" for group in groups), page)
    assert "2 小时内联系您" in page
    assert f'href="/r/follow/{demand.follow_code}/"' in page


def test_a_resident_leaves_no_address_and_no_name_in_the_trail(client: Client, cast: Cast) -> None:
    order(client, cast, contact_name="张三丰", contact_phone="13912345678")
    entry = AuditEntry.objects.get()
    whole = f"{entry.origin} {entry.changes} {entry.label} {entry.reason}"
    assert "127.0.0.1" not in whole
    assert "张三丰" not in whole
    assert "13912345678" not in whole


def test_the_code_can_be_kept_as_a_picture_with_its_own_qr(client: Client, cast: Cast) -> None:
    order(client, cast)
    demand = Demand.objects.get()
    response = client.get(f"/r/follow/{demand.follow_code}/card.svg")
    assert response["Content-Type"] == "image/svg+xml"
    drawing = text_of(response)
    code = demand.follow_code
    assert f"{code[:4]} {code[4:8]} {code[8:]}" in drawing
    assert "2 小时内联系您" in drawing
    assert drawing.count("<svg") == 2
    assert "style=" not in drawing


def test_the_same_form_sent_twice_orders_once(client: Client, cast: Cast) -> None:
    first, second = order(client, cast), order(client, cast)
    assert first["Location"] == second["Location"]
    assert Demand.objects.count() == 1
    order(client, cast, text="另外，楼道灯也不亮。")
    assert Demand.objects.count() == 2, "other words on the same form are another matter"
    order(client, cast, once="two")
    assert Demand.objects.count() == 3, "the same words by a neighbour are another matter"


def test_every_form_has_a_token_of_its_own(client: Client, cast: Cast) -> None:
    found = {
        re.search(r'name="once" value="([^"]{20,})"', text_of(client.get(f"/r/{cast.a.building.public_token}/")))[1]  # type: ignore[index]
        for _time in range(2)
    }
    assert len(found) == 2


def test_a_double_tap_orders_once(transactional_cast: Cast) -> None:
    cast = transactional_cast
    ready = threading.Barrier(2)
    answers: list[Any] = []

    def tap() -> None:
        ready.wait()
        try:
            answers.append(order(Client(), cast))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=tap) for _time in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert Demand.objects.count() == 1


def test_a_page_never_tells_the_code_it_will_give(client: Client, cast: Cast) -> None:
    page = text_of(client.get(f"/r/{cast.a.building.public_token}/"))
    assert not re.search(r"(?<!\d)\d{12}(?!\d)", page)
    assert follow_code_of("one") != follow_code_of("two")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"text": ""}, "请写几句话"),
        ({"category": ""}, "请选一个类别"),
        ({"contact_phone": "12345"}, "11 位手机号码"),
        ({"text": "漏" * 100_000}, "最多 2000 字，现在有 100000 字"),
        ({"website": "http://spam.example"}, "防机器人"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_kept(
    client: Client, cast: Cast, given: dict[str, str], words: str
) -> None:
    response = order(client, cast, **{"contact_name": "张三丰", **given})
    assert response.status_code == 400
    assert words in text_of(response)
    assert 'value="张三丰"' in text_of(response), "what was typed stays"
    assert not Demand.objects.exists()


def test_categories_of_others_or_not_for_residents_are_refused(client: Client, cast: Cast) -> None:
    hidden = cast.categories["其他"]
    Category.objects.filter(pk=hidden.pk).update(is_public=False)
    strange = Category.objects.filter(county=cast.other_county).first()
    assert strange is not None
    for pk in (hidden.pk, strange.pk, 999_999):
        assert order(client, cast, category=pk).status_code == 400
    assert not Demand.objects.exists()


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"%PDF-1.7 not a picture", 400, "这是 PDF 文件，不是照片"),
        (b"", 400, "空"),
        (b"\xff\xd8" + b"0" * (50 * MEGABYTE), 413, "照片不能超过 10 MB，这个文件有 51 MB"),
    ],
    ids=["pdf", "empty", "50MB"],
)
def test_a_picture_that_is_none_is_refused_in_plain_words(
    client: Client, cast: Cast, content: bytes, status: int, words: str
) -> None:
    response = order(client, cast, photos=[picture(content)])
    assert response.status_code == status
    assert words in text_of(response)
    assert "三单元一楼水管漏水" in text_of(response), "what was typed stays"
    assert "请重新选一次" in text_of(response)
    assert not Demand.objects.exists()


def test_seven_pictures_are_too_many(client: Client, cast: Cast) -> None:
    response = order(client, cast, photos=[picture() for _number in range(7)])
    assert response.status_code == 400
    assert "最多上传 6 张" in text_of(response)
    assert not Photo.objects.exists()


def test_where_a_picture_was_taken_is_not_kept(client: Client, cast: Cast) -> None:
    original = with_everything()
    assert opened(original).getexif().get_ifd(0x8825)
    order(client, cast, photos=[picture(original)])
    with Photo.objects.get().file.open("rb") as file:
        kept = file.read()
    assert not opened(kept).getexif()
    assert b"SECRET" not in kept


def test_a_script_is_stopped_and_its_neighbours_are_not(client: Client, cast: Cast) -> None:
    for number in range(following.ORDERS_PER_ADDRESS_AND_PLACE):
        assert order(client, cast, once=str(number)).status_code == 302
    refused = order(client, cast, once="more")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert "操作过于频繁，请在" in text_of(refused)
    assert Demand.objects.count() == following.ORDERS_PER_ADDRESS_AND_PLACE
    other = {"category": cast.category.pk, "text": "路灯不亮", "once": "x"}
    assert client.post(f"/r/{cast.b.building.public_token}/", other).status_code == 302, "another building"
    elsewhere = Client(REMOTE_ADDR="10.9.8.7")
    assert order(elsewhere, cast, once="else").status_code == 302, "another address"


def test_one_building_takes_so_many_orders_from_however_many_addresses(client: Client, cast: Cast) -> None:
    order(client, cast)
    ThrottleHit.objects.filter(key=f"order:{cast.a.building.public_token}:").update(hits=following.ORDERS_PER_PLACE)
    assert order(Client(REMOTE_ADDR="10.9.8.7"), cast, once="two").status_code == 429
    assert Demand.objects.count() == 1


def retire(node: GridNode, successor: GridNode | None = None) -> None:
    """As a row, whatever hangs on it."""
    GridNode.objects.filter(pk=node.pk).update(retired_at=timezone.now(), successor=successor)


def test_old_codes_lead_to_the_place_that_took_over(client: Client, cast: Cast) -> None:
    old, new = cast.a.building, cast.a.other_building
    retire(old, new)
    response = client.get(f"/r/{old.public_token}/")
    assert (response.status_code, response["Location"]) == (302, f"/r/{new.public_token}/")
    assert "现在归“2 号楼”" in text_of(client.get(response["Location"]))
    assert order(client, cast).status_code == 302
    assert not Demand.objects.exists(), "nothing is hung on a place that is gone"


def test_an_old_code_without_a_successor_leads_one_step_up(client: Client, cast: Cast) -> None:
    retire(cast.a.building)
    assert client.get(f"/r/{cast.a.building.public_token}/")["Location"] == f"/r/{cast.a.grid.public_token}/"


def test_successors_in_a_circle_do_not_turn_for_ever(client: Client, cast: Cast) -> None:
    one, two = cast.a.building, cast.a.other_building
    retire(one, two)
    retire(two, one)
    assert client.get(f"/r/{one.public_token}/")["Location"] == f"/r/{cast.a.grid.public_token}/"


@pytest.mark.parametrize("token", ["abcdefghjk", "not-a-token", "0000000000", "x"])
def test_an_unknown_place_is_told_how_to_go_on(client: Client, cast: Cast, token: str) -> None:
    response = client.get(f"/r/{token}/")
    assert response.status_code == 404
    assert 'href="/r/"' in text_of(response)


def test_a_street_is_too_large_and_leads_to_the_picker(client: Client, cast: Cast) -> None:
    assert client.get(f"/r/{cast.street.public_token}/")["Location"] == f"/r/in/{cast.street.public_token}/"


# --- Following ------------------------------------------------------------------------------------------------------


def test_a_code_is_forgiven_its_spaces(client: Client, cast: Cast) -> None:
    demand = raised(cast)
    code = demand.follow_code
    response = client.post("/r/follow/", {"code": f"{code[:4]} {code[4:8]}-{code[8:]}"})
    assert response["Location"] == f"/r/follow/{code}/"
    bad = client.post("/r/follow/", {"code": "1234"})
    assert bad.status_code == 400
    assert "12 位数字" in text_of(bad)


def test_unknown_codes_all_look_the_same(client: Client, cast: Cast) -> None:
    raised(cast)
    pages = []
    for code in ("123412341234", "999999999999", "abcdefabcdef", "nocode"):
        response = client.get(f"/r/follow/{code}/")
        assert response.status_code == 404
        page = text_of(response).replace(code, "")
        pages.append(re.sub(r'csrfmiddlewaretoken" value="[^"]+"', "", page))
    assert len(set(pages)) == 1
    assert "请逐位核对" in pages[0]


def test_guessing_codes_is_stopped_for_pages_and_pictures_alike(client: Client, cast: Cast) -> None:
    demand = raised(cast)
    for number in range(following.LOOKUPS_PER_ADDRESS // 2):
        assert client.get(f"/r/follow/{100000000000 + number}/").status_code == 404
        assert client.get(f"/r/follow/{200000000000 + number}/photos/1/").status_code == 404
    assert client.get("/r/follow/300000000000/").status_code == 429
    assert client.get("/r/follow/300000000000/photos/1/").status_code == 429
    assert client.get(f"/r/follow/{demand.follow_code}/").status_code == 429
    assert Client(REMOTE_ADDR="10.9.8.7").get(f"/r/follow/{demand.follow_code}/").status_code == 200


def steps(client: Client, demand: Demand) -> list[str]:
    response = client.get(f"/r/follow/{demand.follow_code}/")
    return [step["state"] for step in response.context["steps"]]


def test_progress_goes_in_five_plain_steps(client: Client, cast: Cast) -> None:
    demand = raised(cast)
    assert steps(client, demand) == ["done", "now", "todo", "todo", "todo"]
    do(cast.a.officer, demand, "accept")
    assert steps(client, demand) == ["done", "done", "now", "todo", "todo"]
    do(cast.a.officer, demand, "dispatch", unit=cast.a.unit)
    assert steps(client, demand) == ["done", "done", "now", "todo", "todo"]
    assert "县住建局正在办理" in follow(client, demand)
    demand = checked(cast)
    assert steps(client, demand) == ["done", "done", "done", "done", "now"]
    do(cast.a.secretary, demand, "close_off")
    assert steps(client, demand) == ["done"] * 5


def test_a_refusal_gives_its_reason(client: Client, cast: Cast) -> None:
    demand = raised(cast)
    do(cast.a.officer, demand, "decline", reason="楼下是消防通道，不能安装。")
    page = follow(client, demand)
    assert "楼下是消防通道，不能安装。" in page
    assert steps(client, demand) == ["done", "todo", "todo", "todo", "todo"]


def test_the_page_shows_the_result_and_nothing_of_what_happened_between_offices(client: Client, cast: Cast) -> None:
    demand = raised(cast, contact_name="张三丰", contact_phone="13912345678")
    do(cast.a.officer, demand, "accept")
    do(cast.a.officer, demand, "dispatch", unit=cast.a.unit, note="内部说明甲")
    suborder = demand.suborders.get()
    do(cast.a.liaison, suborder, "sign")
    do(cast.a.liaison, suborder, "assign", members=[cast.a.member])
    do(cast.a.member_user, suborder.assignments.get(), "take")
    do(cast.a.member_user, suborder, "report", text="内部进展乙", photos=[picture()])
    do(cast.a.liaison, suborder, "finish", text="已更换阀门，水已止住。", photos=[picture()])
    do(cast.a.officer, demand, "check", note="内部核查丙")
    page = follow(client, demand)
    assert "已更换阀门，水已止住。" in page
    for hidden in ("内部", "13912345678", "张三丰", *(user.name for user in cast.people().values())):
        assert hidden not in page, hidden
    assert "139****5678" in page
    assert page.count("<img class") + page.count("/photos/") > 0
    shown = {int(found) for found in re.findall(r"/photos/(\d+)/", page)}
    assert shown == set(Photo.objects.filter(event__name="finish").values_list("pk", flat=True))


def test_a_linked_matter_shows_how_far_the_other_one_is(client: Client, cast: Cast) -> None:
    main, _suborder = dispatched(cast)
    double = raised(cast, text="楼道灯不亮，和邻居反映的是同一件。")
    do(cast.a.officer, double, "link", matter=main)
    assert steps(client, double) == ["done", "done", "now", "todo", "todo"]
    page = follow(client, double)
    assert main.text not in page
    assert main.follow_code not in page
    assert main.code not in page


def evaluate(client: Client, demand: Demand, **data: str) -> Any:
    given = {"solved": "yes", "satisfaction": "satisfied", "version": "1", **data}
    return client.post(f"/r/follow/{demand.follow_code}/evaluate/", given)


def test_a_resident_evaluates_in_two_touches_once(client: Client, cast: Cast) -> None:
    demand = checked(cast)
    assert "请您评价" in follow(client, demand)
    response = evaluate(client, demand, note="谢谢师傅")
    assert (response.status_code, response["Location"]) == (302, f"/r/follow/{demand.follow_code}/")
    page = text_of(client.get(response["Location"]))
    assert "谢谢您的评价" in page
    assert "提交评价" not in page
    again = evaluate(client, demand, satisfaction="dissatisfied")
    assert again.status_code == 409
    assert Evaluation.objects.get().satisfaction == "satisfied"


def test_an_evaluation_needs_both_answers(client: Client, cast: Cast) -> None:
    demand = checked(cast)
    response = evaluate(client, demand, satisfaction="")
    assert response.status_code == 400
    assert not Evaluation.objects.exists()


def test_nothing_is_evaluated_before_it_is_checked(client: Client, cast: Cast) -> None:
    demand, _suborder = dispatched(cast)
    assert "提交评价" not in follow(client, demand)
    assert evaluate(client, demand).status_code == 409
    assert not Evaluation.objects.exists()


def test_a_resident_withdraws_until_it_is_dispatched(client: Client, cast: Cast) -> None:
    demand = raised(cast)
    assert "/withdraw/" in follow(client, demand)
    address = f"/r/follow/{demand.follow_code}/withdraw/"
    assert client.post(address, {"version": "1"}).status_code == 400, "a reason is asked for"
    do(cast.a.officer, demand, "accept")
    assert client.post(address, {"version": "1", "reason": "自己修好了"}).status_code == 302
    assert Demand.objects.get().state == DemandState.WITHDRAWN
    assert "已经撤回" in follow(client, demand)
    late, _suborder = dispatched(cast)
    assert "/withdraw/" not in follow(client, late)
    refused = client.post(f"/r/follow/{late.follow_code}/withdraw/", {"version": "1", "reason": "算了"})
    assert refused.status_code == 409
    assert f'href="/r/follow/{late.follow_code}/"' in text_of(refused)
    assert Demand.objects.get(pk=late.pk).state == DemandState.DISPATCHED


def test_a_closed_matter_reopens_for_ten_days(client: Client, cast: Cast) -> None:
    demand = do(cast.a.secretary, checked(cast), "close_off")
    address = f"/r/follow/{demand.follow_code}/reopen/"
    Demand.objects.update(closed_at=timezone.now() - datetime.timedelta(days=11))
    assert "/reopen/" not in follow(client, demand)
    assert client.post(address, {"version": "1", "reason": "又坏了"}).status_code == 409
    assert Demand.objects.get().state == DemandState.CLOSED_OFF
    Demand.objects.update(closed_at=timezone.now() - datetime.timedelta(days=9))
    assert "/reopen/" in follow(client, demand)
    assert client.post(address, {"version": "1", "reason": "又坏了"}).status_code == 302
    assert Demand.objects.get().state == DemandState.DISPATCHED


@pytest.mark.parametrize("name", ["accept", "close_off", "redo", "supervise", "nonsense", "sign"])
def test_moves_of_offices_are_no_pages_of_residents(client: Client, cast: Cast, name: str) -> None:
    demand = checked(cast)
    before = demand.version
    assert client.post(f"/r/follow/{demand.follow_code}/{name}/", {"reason": "x", "version": "1"}).status_code == 404
    assert Demand.objects.get().version == before


def test_pages_of_residents_are_kept_by_nobody_and_found_by_no_search(client: Client, cast: Cast) -> None:
    response = client.get(f"/r/follow/{raised(cast).follow_code}/")
    assert "private" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex"


def test_a_form_from_elsewhere_is_refused(cast: Cast) -> None:
    response = order(Client(enforce_csrf_checks=True), cast)
    assert response.status_code == 403
    assert not Demand.objects.exists()


@pytest.mark.parametrize("what", ["start", "inside", "order", "card", "card_picture", "follow", "look_up"])
def test_a_page_asks_the_database_so_often_and_no_more(
    client: Client, cast: Cast, django_assert_max_num_queries: Any, what: str
) -> None:
    for _more in range(5):
        make.make_node(cast.a.grid, "building", f"{_more + 3} 号楼")
    demand = checked(cast)
    client.get(f"/r/follow/{demand.follow_code}/")  # the counter's row is there
    code, token = demand.follow_code, cast.a.building.public_token
    address = {
        "start": "/r/",
        "inside": f"/r/in/{cast.a.compound.public_token}/",
        "order": f"/r/{token}/",
        "card": f"/r/follow/{code}/card/",
        "card_picture": f"/r/follow/{code}/card.svg",
        "follow": f"/r/follow/{code}/",
        "look_up": "/r/follow/",
    }[what]
    with django_assert_max_num_queries(COUNTS[f"resident.{what}"]):
        assert client.get(address).status_code == 200


def test_an_order_costs_so_many_queries(client: Client, cast: Cast, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(COUNTS["resident.order_post"]):
        assert order(client, cast).status_code == 302
