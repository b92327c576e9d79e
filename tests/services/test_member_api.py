"""Members' reports, services, cards and certificates by API: the same rules, and the same totals on every face."""

import pytest
from django.test import Client
from django.utils import timezone

from services.actions.member_cards import last_quarter
from services.models import MemberCard
from tests.cast import Cast
from tests.services.test_api import client_of
from tests.weft_factories import make_certificate, make_member_checkin, make_service

pytestmark = pytest.mark.django_db

API = "/api/v1"


def test_a_member_reports_serves_and_is_certified(cast: Cast) -> None:
    member, officer = client_of(cast.a.member_user), client_of(cast.a.officer)
    given = {"node": cast.a.compound.code, "skills": ["repair"], "free_time": ["weekend_afternoon"]}
    assert officer.post(f"{API}/member-checkins/", given, format="json").status_code == 403
    assert member.post(f"{API}/member-checkins/", {**given, "node": "x"}, format="json").status_code == 400
    assert member.post(f"{API}/member-checkins/", {**given, "skills": ["x"]}, format="json").status_code == 400
    made = member.post(f"{API}/member-checkins/", given, format="json")
    assert made.status_code == 201
    page = f"{API}/member-checkins/{made.json()['id']}/"
    assert member.post(f"{page}accept/", {}, format="json").status_code == 403
    assert client_of(cast.b.officer).post(f"{page}accept/", {}, format="json").status_code == 404
    assert officer.post(f"{page}fly/", {}, format="json").status_code == 404
    assert officer.post(f"{page}accept/", {"version": 9}, format="json").status_code == 409
    assert officer.post(f"{page}accept/", {"version": 1}, format="json").json()["state"] == "accepted"
    assert member.post(f"{page}change/", {"skills": ["law"]}, format="json").json()["skills"] == ["law"]
    day = timezone.localdate().isoformat()
    service = {"served_on": day, "hours": "25", "text": "清理楼道"}
    assert member.post(f"{API}/member-services/", service, format="json").status_code == 400
    done = member.post(f"{API}/member-services/", {**service, "hours": "1.5"}, format="json").json()
    assert officer.post(f"{API}/member-services/{done['id']}/send_back/", {}, format="json").status_code == 400
    confirm = f"{API}/member-services/{done['id']}/confirm/"
    assert member.post(confirm, {}, format="json").status_code == 403
    assert officer.post(confirm, {}, format="json").json()["state"] == "confirmed"
    issue = {"checkin": made.json()["id"], "since": day, "until": day}
    paper = member.post(f"{API}/certificates/", issue, format="json").json()
    seen = Client().get(f"{API}/public/certificates/{paper['code']}/").json()
    assert (seen["name"], seen["hours"], seen["valid"]) == ("党*甲", "1.5", True)
    assert Client().get(f"{API}/public/certificates/{'a' * 12}/").status_code == 404
    revoke = f"{API}/certificates/{paper['id']}/revoke/"
    assert member.post(revoke, {"reason": "x"}, format="json").status_code == 403
    assert officer.post(revoke, {"reason": "时长有误"}, format="json").status_code == 200
    assert Client().get(f"{API}/public/certificates/{paper['code']}/").json()["valid"] is False
    assert member.post(f"{page}move/", {"node": cast.b.compound.code}, format="json").json()["state"] == "applied"


def test_totals_agree_and_stay_in_scope(cast: Cast) -> None:
    quarter = last_quarter()
    one, two = make_member_checkin(cast.a.member, cast.a.compound), make_member_checkin(cast.b.member, cast.b.compound)
    for row in (one, two):
        make_service(row, served_on=quarter.first_day, state="confirmed")
    make_service(one)
    whole = client_of(cast.department).get(f"{API}/member-checkins/figures/").json()
    assert (whole["reported"], whole["services"], whole["hours"]) == (2, 2, "3.0")
    street = client_of(cast.street_officer).get(f"{API}/member-checkins/figures/?node={cast.street.code}").json()
    assert street == whole
    own = client_of(cast.a.officer).get(f"{API}/member-checkins/figures/?quarter={quarter.code}").json()
    assert (own["reported"], own["services"], len(own["communities"])) == (1, 1, 1)
    assert client_of(cast.a.officer).get(f"{API}/member-checkins/figures/?node={cast.b.node.code}").status_code == 404
    officer = client_of(cast.a.officer)
    sent = officer.post(
        f"{API}/member-cards/", {"community": cast.a.node.code, "quarter": quarter.code}, format="json"
    ).json()
    assert sent == {"made": 1, "corrected": 0, "same": 0, "without_unit": 0}
    cards = client_of(cast.a.liaison).get(f"{API}/member-cards/?quarter={quarter.code}").json()["results"]
    assert [(card["services"], card["hours"]) for card in cards] == [(own["services"], own["hours"])]
    receive = {"unit": cast.a.unit.pk, "quarter": quarter.code}
    assert officer.post(f"{API}/member-cards/receive/", receive, format="json").status_code == 403
    liaison = client_of(cast.a.liaison)
    assert liaison.post(f"{API}/member-cards/receive/", receive, format="json").json() == {"received": 1}
    assert MemberCard.objects.filter(read_at=None).count() == 0


def test_lists_are_filtered_and_seen_in_scope(cast: Cast, django_assert_max_num_queries: object) -> None:
    make_member_checkin(cast.a.member, cast.a.compound, skills=["repair", "law"], free_time=["weekend_afternoon"])
    make_member_checkin(cast.a.second_member, cast.a.compound, skills=["repair"], free_time=["evening"])
    make_member_checkin(cast.b.member, cast.b.compound, skills=["repair"], free_time=["weekend_afternoon"])
    make_certificate(cast.a.member, cast.a.node)
    officer = client_of(cast.a.officer)
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        found = officer.get(f"{API}/member-checkins/?skill=repair&free_time=weekend_afternoon").json()["results"]
    assert [row["name"] for row in found] == ["党员甲"]
    assert "****" in found[0]["phone"]
    assert len(officer.get(f"{API}/member-checkins/").json()["results"]) == 2
    assert len(client_of(cast.a.member_user).get(f"{API}/member-checkins/").json()["results"]) == 1
    assert client_of(cast.street_officer).get(f"{API}/member-checkins/").json()["results"] == []
    assert len(officer.get(f"{API}/certificates/").json()["results"]) == 1
