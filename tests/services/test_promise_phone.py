"""Promises on the phone and by API, as a liaison, a member and the community's own people use them."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import User
from services.models import Commitment, Evidence
from tests import weft_factories as weave
from tests.cast import Cast
from tests.core.test_photos import with_everything
from tests.factories import fresh

TODAY = timezone.localdate


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(fresh(user))
    return client


def given(cast: Cast, speaker: str, **fields: Any) -> dict[str, Any]:
    return {
        "speaker": speaker,
        "node": cast.a.node.pk,
        "title": "更换楼道灯",
        "measure": "灯都亮",
        "owner": "王主任",
        "due_on": str(TODAY() + datetime.timedelta(days=9)),
        **fields,
    }


def test_a_liaison_promises_reports_and_the_community_confirms_on_the_phone(cast: Cast) -> None:
    phone, community = signed_in(cast.a.liaison), signed_in(cast.a.officer)
    page = phone.get("/m/commitments/new/").content.decode()
    assert "和谐小区" in page and "城北社区" not in page, "places where the unit has reported"
    bad = phone.post("/m/commitments/new/", given(cast, f"unit-{cast.a.unit.pk}", due_on="2020-01-01"))
    assert bad.status_code == 400
    assert "完成期限不能早于今天" in bad.content.decode()
    made = phone.post("/m/commitments/new/", given(cast, f"unit-{cast.a.unit.pk}"))
    row = Commitment.objects.get()
    assert made["Location"] == f"/m/commitments/{row.pk}/"
    again = phone.post("/m/commitments/new/", given(cast, f"unit-{cast.a.unit.pk}"))
    assert again.status_code == 409
    step = {"version": row.version, "percent": 101, "text": "多了"}
    assert phone.post(f"/m/commitments/{row.pk}/progress/", step).status_code == 400
    assert phone.post(f"/m/commitments/{row.pk}/progress/", {**step, "percent": 60}).status_code == 302
    row.refresh_from_db()
    assert row.percent == 60
    old = phone.post(f"/m/commitments/{row.pk}/report/", {"version": row.version - 1, "text": "好了"})
    assert old.status_code == 409
    assert phone.post(f"/m/commitments/{row.pk}/report/", {"version": row.version, "text": "好了"}).status_code == 302
    assert "更换楼道灯" in community.get("/m/commitments/").content.decode(), "it waits for the community"
    row.refresh_from_db()
    assert phone.get(f"/m/commitments/{row.pk}/confirm/").status_code == 403
    assert community.post(f"/m/commitments/{row.pk}/confirm/", {"version": row.version}).status_code == 302
    assert community.post(f"/m/commitments/{row.pk}/confirm/", {"version": row.version}).status_code == 409
    assert "更换楼道灯" not in phone.get("/m/commitments/").content.decode()
    assert "更换楼道灯" in phone.get("/m/commitments/?over=1").content.decode()


def test_a_member_promises_where_they_have_reported(cast: Cast) -> None:
    a = cast.a
    client = signed_in(a.member_user)
    assert "还没有报到的地方" in client.get("/m/commitments/new/").content.decode()
    weave.make_member_checkin(a.member, a.compound)
    answer = client.post("/m/commitments/new/", given(cast, f"member-{a.member.pk}"))
    assert answer.status_code == 302
    assert Commitment.objects.get().member == a.member
    other = client.post("/m/commitments/new/", given(cast, f"unit-{a.unit.pk}"))
    assert other.status_code == 400, "nobody's choice but their own"
    assert signed_in(a.keeper).get("/m/commitments/new/").status_code == 403


def test_pictures_of_progress_are_seen_by_who_sees_the_promise(cast: Cast, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    row = weave.make_commitment(cast.a.unit, cast.a.node)
    phone = signed_in(cast.a.liaison)
    photo = SimpleUploadedFile("x.jpg", with_everything(), content_type="image/jpeg")
    step = {"version": row.version, "percent": 20, "text": "开工", "photos": photo}
    assert phone.post(f"/m/commitments/{row.pk}/progress/", step).status_code == 302
    picture = Evidence.objects.get()
    assert picture.step is not None and picture.step.commitment == row
    address = f"/files/evidence/{picture.pk}/"
    assert address in phone.get(f"/m/commitments/{row.pk}/").content.decode()
    assert phone.get(address).status_code == 200
    assert signed_in(cast.a.officer).get(address).status_code == 200
    assert signed_in(cast.b.officer).get(address).status_code == 404
    bad = SimpleUploadedFile("x.jpg", b"no picture", content_type="image/jpeg")
    row.refresh_from_db()
    answer = phone.post(f"/m/commitments/{row.pk}/progress/", {**step, "version": row.version, "photos": bad})
    assert answer.status_code == 400
    assert Evidence.objects.count() == 1


def test_what_is_late_counts_on_the_first_page(cast: Cast) -> None:
    weave.make_commitment(cast.a.unit, cast.a.node, due_on=TODAY() - datetime.timedelta(days=1))
    page = signed_in(cast.a.liaison).get("/m/").content.decode()
    assert "我的承诺" in page and "项超期的承诺" in page
    assert "我的承诺" not in signed_in(cast.a.keeper).get("/m/me/").content.decode()


# --- By API ---------------------------------------------------------------------------------------------------------


def api(client: Client, address: str, **body: Any) -> Any:
    return client.post(f"/api/v1/{address}", body, content_type="application/json")


def test_the_life_of_a_promise_by_api(cast: Cast) -> None:
    unit, community = signed_in(cast.a.liaison), signed_in(cast.a.officer)
    body = {
        "unit": cast.a.unit.pk,
        "node": cast.a.building.code,
        "title": "更换楼道灯",
        "measure": "灯都亮",
        "owner": "王主任",
        "due_on": str(TODAY()),
    }
    made = api(unit, "commitments/", **body)
    assert made.status_code == 201, made.content
    pk = made.json()["id"]
    assert api(unit, "commitments/", **body).status_code == 409
    assert api(unit, "commitments/", **{**body, "node": cast.b.building.code}).status_code == 404
    assert api(unit, f"commitments/{pk}/progress/", percent=101, text="多了").status_code == 400
    assert api(unit, f"commitments/{pk}/progress/", percent=50, text="一半").json()["steps"][0]["percent"] == 50
    assert api(unit, f"commitments/{pk}/report/", text="好了").json()["state"] == "reported"
    assert api(unit, f"commitments/{pk}/confirm/").status_code == 403
    assert api(signed_in(cast.b.officer), f"commitments/{pk}/confirm/").status_code == 404
    assert api(community, f"commitments/{pk}/confirm/").json()["state"] == "done"
    assert api(community, f"commitments/{pk}/confirm/").status_code == 409
    assert api(community, f"commitments/{pk}/nothing/").status_code == 404
    listed = unit.get("/api/v1/commitments/?state=done").json()
    assert (listed["count"], listed["results"][0]["id"]) == (1, pk)
    assert unit.get("/api/v1/commitments/?state=x").status_code == 400
    assert unit.get("/api/v1/commitments/?unit=x").status_code == 400
    rated = api(community, "ratings/", side="community", service="commitment", service_id=pk, grade="satisfied")
    assert rated.status_code == 201
    assert api(
        community, "ratings/", side="unit", service="commitment", service_id=pk, grade="satisfied"
    ).status_code in (403, 404)


def test_activities_by_api(cast: Cast) -> None:
    community = signed_in(cast.a.officer)
    body = {
        "node": cast.a.node.code,
        "kind": "hygiene",
        "title": "扫雪",
        "held_on": str(TODAY()),
        "units": [cast.a.unit.pk],
    }
    assert api(community, "activities/", **{**body, "units": [10**9]}).status_code == 400
    made = api(community, "activities/", **body)
    assert made.status_code == 201, made.content
    assert made.json()["units"] == ["县住建局"]
    assert community.get(f"/api/v1/activities/?place={cast.a.node.code}").json()["count"] == 1
    assert signed_in(cast.b.officer).get("/api/v1/activities/").json()["count"] == 0
    assert api(signed_in(cast.street_officer), "activities/", **body).status_code == 403


COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


@pytest.mark.parametrize("rows", [1, 8])
def test_lists_cost_the_same_whatever_the_rows(cast: Cast, rows: int) -> None:
    for number in range(rows):
        row = weave.make_commitment(cast.a.unit, cast.a.building, title=f"第 {number} 项")
        weave.make_activity(cast.a.node, cast.a.unit, title=f"第 {number} 次")
        weave.make_rating(row)
    desk, phone = signed_in(cast.a.officer), signed_in(cast.a.liaison)
    found = {}
    for client, name, address in (
        (desk, "admin.commitments", "/admin/services/commitment/"),
        (desk, "admin.activities", "/admin/services/activity/"),
        (desk, "admin.ratings", "/admin/services/servicerating/"),
        (desk, "admin.two_way", "/admin/services/commitment/figures/"),
        (desk, "api.commitments", "/api/v1/commitments/"),
        (desk, "api.activities", "/api/v1/activities/"),
        (desk, "api.two_way", "/api/v1/two-way/"),
        (phone, "mobile.commitments", "/m/commitments/"),
        (phone, "mobile.ratings", "/m/ratings/"),
        (Client(), "resident.promises", f"/r/promises/{cast.a.node.public_token}/"),
        (Client(), "resident.unit_promises", f"/r/promises/units/{cast.a.unit.pk}/"),
    ):
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        found[name] = len(asked)
    assert found == {name: COUNTS[name] for name in found}
