"""Check-ins at the desk, on the phone, on paper and by API: the way of an application over all of them."""

import io
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import docx
import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.errors import Conflict
from core.models import User
from grids.actions import merge_nodes, retire_node
from services.actions.checkins import years_later
from services.models import CheckInApplication, Commitment, UnitCheckIn
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.services.test_checkin_applications import accepted, applied
from tests.weft_factories import make_application, make_commitment

TODAY = timezone.localdate
COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(fresh(person))
    return client


def words(answer: HttpResponse) -> str:
    text = re.sub(r"<script.*?</script>|<[^>]+>", " ", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", unescape(text))


def admin(row: Any, deed: str = "") -> str:
    page = f"admin:services_{row._meta.model_name}"
    return reverse(f"{page}_deed", args=[row.pk, deed]) if deed else reverse(f"{page}_change", args=[row.pk])


# --- Desk -----------------------------------------------------------------------------------------------------------


def test_a_cadre_takes_a_unit_in_at_the_desk(cast: Cast) -> None:
    row = applied(cast)
    client = signed_in(cast.a.officer)
    assert "报到申请 1" in words(client.get("/admin/"))
    assert "报到申请 1" not in words(signed_in(cast.b.officer).get("/admin/"))
    assert "县气象局" in words(client.get(reverse("admin:services_checkinapplication_changelist") + "?state=applied"))
    page = words(client.get(admin(row)))
    for said in ("接收报到", "退回完善", "不接收", "气象科普 4 场", "气象联络员"):
        assert said in page, said
    data = {"version": row.version, "community_liaison": cast.a.secretary.pk}
    wrong = client.post(admin(row, "accept"), {"version": row.version})
    assert wrong.status_code == 200 and not UnitCheckIn.objects.filter(unit=cast.idle_unit).exists()
    assert client.post(admin(row, "accept"), data).status_code == 302
    assert client.post(admin(row, "accept"), data).status_code == 409
    made = UnitCheckIn.objects.get(unit=cast.idle_unit)
    page = words(client.get(admin(made)))
    for said in (made.number, "气象科普 4 场", "打印回执", "下载共建协议", "气象联络员", "书记甲"):
        assert said in page, said


def test_the_list_says_how_many_units_lead_and_support(cast: Cast) -> None:
    make.check_in(cast.a.unit, cast.a.compound, "supporting")
    client = signed_in(cast.a.officer)
    page = words(client.get(reverse("admin:services_unitcheckin_changelist")))
    assert re.search(r"报到单位 2 个 牵头单位 1 个 配合单位 1 个", page), page[:600]
    page = words(client.get(reverse("admin:services_unitcheckin_changelist") + "?role=supporting"))
    assert "牵头单位 0 个 配合单位 2 个" in page


def test_a_check_in_is_changed_at_the_desk(cast: Cast) -> None:
    held = accepted(cast)
    client = signed_in(cast.a.officer)
    form = client.get(admin(held, "change")).content.decode()
    assert "气象科普 4 场" in form and f'value="{held.version}"' in form
    data = {
        "role": "lead",
        "brings": "会议室",
        "until": "",
        "unit_liaison": cast.idle_liaison.pk,
        "community_liaison": cast.a.officer.pk,
        "version": held.version,
    }
    assert client.post(admin(held, "change"), data).status_code == 302
    held.refresh_from_db()
    assert (held.role, held.until, held.community_liaison) == ("lead", None, cast.a.officer)
    assert client.post(admin(held, "change"), data).status_code == 409
    assert client.post(admin(held, "change"), {**data, "unit_liaison": cast.a.liaison.pk}).status_code == 200


def test_ending_at_the_desk_asks_of_each_promise(cast: Cast) -> None:
    held = accepted(cast)
    promise = make_commitment(cast.idle_unit, cast.a.building, checkin=held, title="换灯")
    other = make_commitment(cast.idle_unit, cast.a.node, checkin=held, title="开放会议室")
    client = signed_in(cast.a.officer)
    page = words(client.get(admin(held, "end")))
    assert "承诺“换灯”" in page and "转给县住建局" in page and "转给县交通局" not in page
    data: dict[str, Any] = {"end": TODAY().isoformat(), "version": held.version}
    assert client.post(admin(held, "end"), data).status_code == 200
    data |= {f"promise_{promise.pk}": cast.a.unit.pk, f"promise_{other.pk}": "drop"}
    assert "请写明终止的理由" in words(client.post(admin(held, "end"), data))
    assert set(Commitment.objects.values_list("state", flat=True)) == {"open"}
    data[f"promise_{promise.pk}"] = cast.b.unit.pk
    assert client.post(admin(held, "end"), {**data, f"why_{other.pk}": "拆除"}).status_code == 200
    data |= {f"promise_{promise.pk}": cast.a.unit.pk, f"why_{other.pk}": "拆除"}
    assert client.post(admin(held, "end"), data).status_code == 302
    held.refresh_from_db()
    assert held.end == TODAY()
    assert sorted(Commitment.objects.values_list("title", "state")) == [
        ("开放会议室", "dropped"),
        ("换灯", "moved"),
        ("换灯", "open"),
    ]


def test_the_list_marks_what_has_run_out(cast: Cast) -> None:
    day = TODAY()
    UnitCheckIn.objects.filter(unit=cast.a.unit).update(start=day.replace(year=day.year - 1), until=day)
    UnitCheckIn.objects.filter(unit=cast.a.supporting_unit).update(
        start=day.replace(year=day.year - 2), until=day.replace(year=day.year - 1)
    )
    client = signed_in(cast.a.officer)
    page = words(client.get(reverse("admin:services_unitcheckin_changelist") + "?running=out"))
    assert "将到期" in page and "已到期，待续签" in page
    type(cast.a.unit).objects.filter(pk=cast.a.unit.pk).update(is_active=False)
    assert "单位已停用" in words(client.get(reverse("admin:services_unitcheckin_changelist")))


def test_query_counts(cast: Cast) -> None:
    for number in range(4):
        unit = make.make_unit(cast.county, f"单位{number}")
        make.check_in(unit, cast.a.node, until=TODAY())
        make_application(unit, cast.a.compound)
    held = accepted(cast)
    found = {}
    for key, person, address in (
        ("admin.checkins", cast.a.officer, reverse("admin:services_unitcheckin_changelist")),
        ("admin.checkin_applications", cast.a.officer, reverse("admin:services_checkinapplication_changelist")),
        ("admin.checkin", cast.a.officer, admin(held)),
        ("mobile.checkins", cast.idle_liaison, reverse("mobile:checkins")),
        ("mobile.checkin", cast.idle_liaison, reverse("mobile:checkin", args=[held.pk])),
        ("mobile.checkins_waiting", cast.a.officer, reverse("mobile:checkins_waiting")),
        ("api.checkins", cast.a.officer, reverse("api:checkins")),
        ("api.checkin_figures", cast.a.officer, reverse("api:checkin_figures")),
        ("api.checkin_applications", cast.a.officer, reverse("api:checkin_applications")),
        ("places.checkin_receipt", cast.idle_liaison, reverse("places:checkin_receipt", args=[held.pk])),
    ):
        client = signed_in(person)
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        found[key] = len(asked)
    assert found == {key: COUNTS.get(key) for key in found}


# --- Phone ----------------------------------------------------------------------------------------------------------


def test_a_liaison_applies_on_the_phone(cast: Cast) -> None:
    client = signed_in(cast.idle_liaison)
    assert "单位还没有报到" in words(client.get("/m/checkins/"))
    page = client.get("/m/checkins/places/")
    assert "白龙塘社区" in words(page) and "城关社区" not in words(page)
    inside = words(client.get(f"/m/checkins/places/?in={cast.a.node.pk}"))
    assert "向白龙塘社区报到" in inside and "和谐小区" in inside
    address = f"/m/checkins/apply/{cast.a.compound.pk}/"
    assert client.get(address).status_code == 200
    data = {
        "unit": cast.idle_unit.pk,
        "role": "lead",
        "brings": "会议室一间",
        "years": "3",
        "unit_liaison": cast.idle_liaison.pk,
    }
    wrong = client.post(address, {**data, "brings": ""})
    assert wrong.status_code == 400 and not CheckInApplication.objects.exists()
    made = client.post(address, data)
    row = CheckInApplication.objects.get()
    assert made["Location"] == f"/m/checkins/applications/{row.pk}/"
    assert (row.node, row.role, row.years, row.unit_liaison) == (cast.a.compound, "lead", 3, cast.idle_liaison)
    again = client.post(address, data)
    assert again.status_code == 400 and "不用重复申请" in words(again)
    page = words(client.get(made["Location"]))
    assert "待接收" in page and "撤回申请" in page and "接收报到" not in page
    assert "待接收" in words(client.get("/m/checkins/"))
    assert "已申请" in words(client.get(f"/m/checkins/places/?in={cast.a.node.pk}"))
    make.check_in(cast.idle_unit, cast.a.node)
    assert "不用再申请" in words(client.get(f"/m/checkins/places/?in={cast.a.node.pk}"))
    assert client.get(f"/m/checkins/apply/{cast.other_county_community.pk}/").status_code == 404
    assert client.get(f"/m/checkins/apply/{cast.a.building.pk}/").status_code == 404


def test_what_was_sent_back_is_completed_on_the_phone(cast: Cast) -> None:
    row = applied(cast)
    officer = signed_in(cast.a.officer)
    assert "报到申请" in words(officer.get("/m/")) and "县气象局" in words(officer.get("/m/checkins/waiting/"))
    base = f"/m/checkins/applications/{row.pk}/"
    back = officer.post(f"{base}send_back/", {"reason": "请写清场地", "version": row.version})
    assert back["Location"] == base
    assert officer.get(f"{base}accept/").status_code == 409
    client = signed_in(cast.idle_liaison)
    assert "请写清场地" in words(client.get(base)) and "我的报到" in words(client.get("/m/"))
    form = client.get(f"{base}reapply/").content.decode()
    assert "气象科普 4 场" in form
    row.refresh_from_db()
    data = {
        "role": "supporting",
        "brings": "二楼会议室",
        "years": "1",
        "unit_liaison": cast.idle_liaison.pk,
        "version": row.version,
    }
    assert client.post(f"{base}reapply/", data).status_code == 302
    assert client.post(f"{base}reapply/", data).status_code == 409
    assert client.get(f"{base}accept/").status_code == 403
    accept = {"community_liaison": cast.a.officer.pk, "version": CheckInApplication.objects.get().version}
    assert officer.post(f"{base}accept/", accept).status_code == 302
    assert UnitCheckIn.objects.get(unit=cast.idle_unit).brings == "二楼会议室"
    assert client.get(f"{base}nonsense/").status_code == 404


def test_renewing_on_the_phone(cast: Cast) -> None:
    held = accepted(cast)
    client = signed_in(cast.idle_liaison)
    page = f"/m/checkins/{held.pk}/"
    assert "申请续签" not in words(client.get(page)) and client.get(f"{page}renew/").status_code == 409
    UnitCheckIn.objects.filter(pk=held.pk).update(until=TODAY())
    assert "申请续签" in words(client.get("/m/checkins/")) and "将到期" in words(client.get(page))
    data = {"role": "supporting", "brings": "会议室", "years": "2", "unit_liaison": cast.idle_liaison.pk}
    assert client.post(f"{page}renew/", data).status_code == 302
    assert CheckInApplication.objects.latest("pk").renews == held
    assert "已申请续签" in words(client.get("/m/checkins/")) and "申请续签</a>" not in client.get(page).content.decode()


# --- Papers ---------------------------------------------------------------------------------------------------------


def test_the_receipt_and_the_agreement_are_for_both_sides_alone(cast: Cast) -> None:
    held = accepted(cast, brings="<b>会议室</b> & 停车场")
    make_commitment(cast.idle_unit, cast.a.node, checkin=held, title="开放会议室")
    make_commitment(cast.idle_unit, cast.a.node, checkin=held, title="不再办的", state="dropped")
    papers = [reverse(f"places:checkin_{name}", args=[held.pk]) for name in ("receipt", "agreement")]
    for person in (cast.idle_liaison, cast.a.officer):
        client = signed_in(person)
        page = words(client.get(papers[0]))
        for said in ("单位报到回执", held.number, "县气象局", "白龙塘社区", "<b>会议室</b> & 停车场", "书记甲"):
            assert said in page, said
        answer = client.get(papers[1])
        document = docx.Document(io.BytesIO(answer.content))
        text = "\n".join(one.text for one in document.paragraphs)
        for said in ("党建共建协议书", "甲方：白龙塘社区", "乙方：县气象局", held.number, "<b>会议室</b> & 停车场"):
            assert said in text, said
        cells = [cell.text for row in document.tables[0].rows for cell in row.cells]
        assert "开放会议室" in cells and "不再办的" not in cells
        assert answer["Cache-Control"] == "no-store"
    for person in (cast.a.liaison, cast.b.officer, cast.other_county_department, cast.superuser, cast.nobody):
        for paper in papers:
            assert signed_in(person).get(paper).status_code == 404
    assert Client().get(papers[0]).status_code == 302


def test_a_receipt_without_an_end_or_a_liaison_reads_well(cast: Cast) -> None:
    held = UnitCheckIn.objects.get(unit=cast.a.unit)
    client = signed_in(cast.a.liaison)
    assert "不定期" in words(client.get(reverse("places:checkin_receipt", args=[held.pk])))
    answer = client.get(reverse("places:checkin_agreement", args=[held.pk]))
    assert "起，不定期" in "".join(one.text for one in docx.Document(io.BytesIO(answer.content)).paragraphs)


# --- API ------------------------------------------------------------------------------------------------------------


def test_the_api_tells_the_same_figures(cast: Cast) -> None:
    accepted(cast)
    client = signed_in(cast.street_officer)
    found = client.get("/api/v1/checkins/figures/").json()
    assert {name: found[name] for name in ("units", "lead", "supporting")} == {"units": 5, "lead": 2, "supporting": 3}
    assert [(row["name"], row["units"]) for row in found["communities"]] == [("白龙塘社区", 3), ("城北社区", 2)]
    here = client.get(f"/api/v1/checkins/figures/?node={cast.a.node.code}").json()
    assert (here["units"], here["lead"], here["supporting"]) == (3, 1, 2)
    assert client.get(f"/api/v1/checkins/?node={cast.a.node.code}").json()["count"] == 3
    assert client.get("/api/v1/checkins/?role=lead").json()["count"] == 2
    assert client.get("/api/v1/checkins/?state=running_out").json()["count"] == 0
    assert client.get("/api/v1/checkins/?node=999").status_code == 404
    assert client.get("/api/v1/checkins/?unit=x").status_code == 400
    assert signed_in(cast.idle_liaison).get("/api/v1/checkins/").json()["count"] == 1


def test_an_application_goes_its_way_by_api(cast: Cast) -> None:
    unit, community = signed_in(cast.idle_liaison), signed_in(cast.a.officer)

    def post(client: Client, address: str, **data: Any) -> Any:
        return client.post(f"/api/v1/{address}", data, content_type="application/json")

    given = {"unit": cast.idle_unit.pk, "node": cast.a.node.code, "brings": "科普"}
    assert post(unit, "checkin-applications/", **{**given, "brings": ""}).status_code == 400
    assert post(unit, "checkin-applications/", **{**given, "unit": cast.a.unit.pk}).status_code == 400
    made = post(unit, "checkin-applications/", **given)
    assert made.status_code == 201 and made.json()["state"] == "applied"
    assert post(unit, "checkin-applications/", **given).status_code == 409
    row = f"checkin-applications/{made.json()['id']}/"
    assert post(unit, f"{row}accept/", community_liaison=cast.a.officer.pk).status_code == 403
    assert post(signed_in(cast.b.officer), f"{row}decline/", reason="不").status_code == 404
    assert post(community, f"{row}accept/", community_liaison=cast.b.officer.pk).status_code == 400
    assert post(community, f"{row}accept/", community_liaison=cast.a.officer.pk, version=9).status_code == 409
    done = post(community, f"{row}accept/", community_liaison=cast.a.officer.pk).json()
    assert done["state"] == "accepted"
    held = unit.get(f"/api/v1/checkins/{done['checkin']}/").json()
    assert (held["role"], held["until"]) == ("supporting", years_later(TODAY(), 1).isoformat())
    assert post(unit, "checkin-applications/", renews=held["id"]).status_code == 409
    assert post(community, f"{row}send_back/", reason="晚了").status_code == 409
    direct = post(community, "checkins/", unit=cast.b.unit.pk, node=cast.a.node.code, role="lead", years=2)
    assert direct.status_code == 201 and direct.json()["number"]


# --- When the place goes ----------------------------------------------------------------------------------------------


def test_a_merged_place_hands_number_promises_and_renewals_over(cast: Cast) -> None:
    held = accepted(cast, node=cast.a.compound)
    UnitCheckIn.objects.filter(pk=held.pk).update(until=TODAY())
    promise = make_commitment(cast.idle_unit, cast.a.node, checkin=held)
    done = make_commitment(cast.idle_unit, cast.a.node, checkin=held, title="已办", state="done")
    asked = make_application(cast.idle_unit, cast.a.compound, renews=held)
    other = make.make_node(cast.a.node, "compound", "新和小区")
    merge_nodes(actor=fresh(cast.admin), node=other, sources=[cast.a.compound], reason="合并")
    held.refresh_from_db()
    anew = UnitCheckIn.objects.get(unit=cast.idle_unit, end=None)
    assert held.end == TODAY() and anew.node == other
    assert anew.number and anew.number != held.number
    promise.refresh_from_db()
    done.refresh_from_db()
    asked.refresh_from_db()
    assert (promise.checkin, done.checkin, asked.renews) == (anew, held, anew)


def test_promises_go_to_the_check_in_the_unit_has_at_the_successor(cast: Cast) -> None:
    held = accepted(cast, node=cast.a.compound)
    other = make.make_node(cast.a.node, "compound", "新和小区")
    there = make.check_in(cast.idle_unit, other)
    promise = make_commitment(cast.idle_unit, cast.a.node, checkin=held)
    merge_nodes(actor=fresh(cast.admin), node=other, sources=[cast.a.compound], reason="合并")
    promise.refresh_from_db()
    assert promise.checkin == there
    assert list(UnitCheckIn.objects.filter(unit=cast.idle_unit, end=None)) == [there]


def test_a_place_is_not_retired_over_open_promises(cast: Cast) -> None:
    node = make.make_node(cast.a.node, "compound", "空小区")
    held = accepted(cast, node=node)
    promise = make_commitment(cast.idle_unit, cast.a.node, checkin=held, title="开放会议室")
    with pytest.raises(Conflict, match="开放会议室"):
        retire_node(actor=fresh(cast.admin), node=node, reason="拆除")
    held.refresh_from_db()
    assert held.end is None and Commitment.objects.get().checkin == held
    Commitment.objects.filter(pk=promise.pk).update(state="done")
    retire_node(actor=fresh(cast.admin), node=node, reason="拆除")
    held.refresh_from_db()
    assert held.end == TODAY()


def test_what_has_run_out_follows_a_merged_place(cast: Cast) -> None:
    day = TODAY()
    make.check_in(cast.idle_unit, cast.a.compound, start=day.replace(year=2024), until=day.replace(year=2025))
    other = make.make_node(cast.a.node, "compound", "新和小区")
    merge_nodes(actor=fresh(cast.admin), node=other, sources=[cast.a.compound], reason="合并")
    assert UnitCheckIn.objects.get(unit=cast.idle_unit, end=None).until == day
