"""Joint activities, and two-way ratings: once per side and service, of what is over, and never of one's own side."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry, User
from core.sheets import sheet_of
from services.actions import change_activity, drop_activity, rate, register_activity
from services.models import Activity, Commitment, DemandState, ServiceRating, SubOrderState
from services.selectors import ratings
from tests import factories as make
from tests import weft_factories as weave
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.factories import fresh

TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)


def kept(cast: Cast, **fields: Any) -> Commitment:
    given = {"state": "done", "done_on": TODAY(), "percent": 100, **fields}
    return weave.make_commitment(cast.a.unit, cast.a.building, **given)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(fresh(user))
    return client


# --- Ratings --------------------------------------------------------------------------------------------------------


def test_each_side_rates_a_kept_promise_once(cast: Cast) -> None:
    a, row = cast.a, kept(cast)
    first = rate(actor=a.officer, side="community", service=row, grade="satisfied", text="好，电话13812345678")
    second = rate(actor=a.liaison, side="unit", service=row, grade="fairly")
    assert (first.unit, first.community, first.text) == (a.unit, a.node, "好，电话138****5678")
    assert (second.side, second.by) == ("unit", a.liaison)
    for actor, side in ((a.secretary, "community"), (a.liaison, "unit")):
        with pytest.raises(Conflict, match="已经评价过了"):
            rate(actor=actor, side=side, service=row, grade="dissatisfied")
    assert ServiceRating.objects.count() == 2
    assert AuditEntry.objects.filter(action="rating.give").count() == 2


def test_orders_and_projects_are_rated_by_unit(cast: Cast) -> None:
    a = cast.a
    demand = make.make_demand(a.building, cast.category, state=DemandState.CLOSED_OFF, closed_at=timezone.now())
    order = make.make_suborder(demand, a.unit, state=SubOrderState.FINISHED)
    project = weave.make_project(a.building, a.unit, state="done", done_on=TODAY())
    project.supporting.add(a.supporting_unit)
    assert len(ratings.waiting(fresh(a.officer), "community")) == 3
    assert len(ratings.waiting(fresh(a.supporting_liaison), "unit")) == 1
    rate(actor=a.officer, side="community", service=order, grade="satisfied")
    rate(actor=a.officer, side="community", service=project, grade="satisfied")
    rate(actor=a.officer, side="community", service=project, grade="fairly", unit=a.supporting_unit)
    with pytest.raises(Conflict):
        rate(actor=a.officer, side="community", service=project, grade="fairly", unit=a.supporting_unit)
    with pytest.raises(Invalid, match="牵头或配合单位"):
        rate(actor=a.officer, side="community", service=project, grade="fairly", unit=cast.idle_unit)
    assert ratings.waiting(fresh(a.officer), "community") == []


@pytest.mark.parametrize(
    ("who", "side"),
    [
        ("a.liaison", "community"),
        ("a.officer", "unit"),
        ("a.staff", "unit"),
        ("b.officer", "community"),
        ("b.liaison", "unit"),
        ("street_officer", "community"),
        ("department", "community"),
        ("a.member", "unit"),
    ],
)
def test_nobody_speaks_for_a_side_that_is_not_theirs(cast: Cast, who: str, side: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        rate(actor=cast.people()[who], side=side, service=kept(cast), grade="satisfied")
    assert not ServiceRating.objects.exists()


def test_who_belongs_to_both_sides_rates_neither(cast: Cast) -> None:
    row = kept(cast)
    both = make.make_unit_person("两头任职", cast.a.unit)
    make.make_appointment(both, "community_officer", cast.a.node)
    for side in ("community", "unit"):
        with pytest.raises(Forbidden, match="请由别人评价"):
            rate(actor=fresh(both), side=side, service=row, grade="satisfied")
        assert ratings.waiting(fresh(both), side) == []


def test_what_is_not_over_is_not_rated(cast: Cast) -> None:
    a = cast.a
    demand = make.make_demand(a.building, cast.category, state=DemandState.CHECKED)
    order = make.make_suborder(demand, a.unit, state=SubOrderState.FINISHED)
    for service in (order, weave.make_project(a.node, a.unit), weave.make_commitment(a.unit, a.node)):
        with pytest.raises(Conflict, match="还没有办完"):
            rate(actor=a.officer, side="community", service=service, grade="satisfied")
    with pytest.raises(Invalid):
        rate(actor=a.officer, side="community", service=kept(cast), grade="great")


def test_a_share_of_few_answers_is_not_told(cast: Cast) -> None:
    for number in range(6):
        weave.make_rating(kept(cast, title=f"第 {number} 项"), grade="dissatisfied" if number == 0 else "satisfied")
    weave.make_rating(kept(cast, title="单位评"), side="unit", grade="fairly")
    ((unit, graded),) = ratings.of_units(cast.county)
    assert (unit, graded.count, graded.percent) == (cast.a.unit, 6, 83)
    ((community, said),) = ratings.of_communities(cast.county, cast.street)
    assert (community, said.count, said.is_small, said.percent) == (cast.a.node, 1, True, None)
    page = signed_in(cast.a.officer).get("/admin/services/servicerating/figures/").content.decode()
    assert "83%（5/6）" in page and "样本不足" in page
    told = signed_in(cast.a.officer).get("/api/v1/ratings/figures/").json()
    assert (told["units"][0]["percent"], told["communities"][0]["percent"]) == (83, None)


def test_the_desk_and_the_phone_offer_what_is_still_to_be_rated(cast: Cast) -> None:
    row = kept(cast)
    desk, phone = signed_in(cast.a.officer), signed_in(cast.a.liaison)
    given = {"service": f"commitment-{row.pk}", "grade": "satisfied", "text": ""}
    assert desk.post("/admin/services/servicerating/add/", given).status_code == 302
    assert desk.post("/admin/services/servicerating/add/", given).status_code == 200, "no longer on offer"
    assert "更换楼道灯" in phone.get("/m/ratings/").content.decode()
    assert phone.post(f"/m/ratings/commitment-{row.pk}/", {"grade": ""}).status_code == 400
    assert phone.post(f"/m/ratings/commitment-{row.pk}/", {"grade": "fairly"}).status_code == 302
    assert phone.get(f"/m/ratings/commitment-{row.pk}/").status_code == 404
    assert signed_in(cast.b.liaison).get(f"/m/ratings/commitment-{row.pk}/").status_code == 404
    assert ServiceRating.objects.count() == 2


# --- Activities -----------------------------------------------------------------------------------------------------


def gather(cast: Cast, **fields: Any) -> Activity:
    given = {"kind": "hygiene", "title": "清理河道", "held_on": TODAY(), "units": [cast.a.unit], **fields}
    return register_activity(actor=cast.a.officer, node=cast.a.node, **given)


def test_the_community_writes_down_an_activity_with_its_units(cast: Cast) -> None:
    row = gather(cast, people=20, text="清了两公里")
    assert (row.community, list(row.units.all()), row.people) == (cast.a.node, [cast.a.unit], 20)
    with pytest.raises(Conflict, match="不用重复登记"):
        gather(cast)
    changed = change_activity(
        actor=cast.a.officer, activity=row, units=[cast.a.supporting_unit], people=None, version=row.version
    )
    assert (list(Activity.objects.get().units.all()), changed.people) == ([cast.a.supporting_unit], None)
    with pytest.raises(Stale):
        change_activity(actor=cast.a.officer, activity=row, title="别的", version=row.version)
    with pytest.raises(Invalid):
        drop_activity(actor=cast.a.officer, activity=row, reason=" ")
    drop_activity(actor=cast.a.officer, activity=row, reason="登记重复")
    assert not Activity.objects.exists()
    assert AuditEntry.objects.get(action="activity.drop").reason == "登记重复"


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"kind": "party"}, "kind"),
        ({"title": ""}, "title"),
        ({"held_on": TODAY() + DAY}, "held_on"),
        ({"units": []}, "units"),
        ({"people": -1}, "people"),
    ],
)
def test_an_activity_that_can_not_be_so(cast: Cast, fields: dict[str, Any], name: str) -> None:
    with pytest.raises(Invalid) as refused:
        gather(cast, **fields)
    assert list(refused.value.fields) == [name]
    assert not Activity.objects.exists()


@pytest.mark.parametrize("who", ["a.liaison", "b.officer", "street_officer", "department", "admin"])
def test_nobody_else_writes_down_activities(cast: Cast, who: str) -> None:
    with pytest.raises(DomainError):
        register_activity(
            actor=cast.people()[who],
            node=cast.a.node,
            kind="hygiene",
            title="清理",
            held_on=TODAY(),
            units=[cast.a.unit],
        )
    assert not Activity.objects.exists()


def test_activities_come_in_by_table_and_the_same_again_changes_nothing(cast: Cast) -> None:
    head = ["活动主题", "活动类别", "社区", "活动时间", "参与单位", "人数"]
    rows = [
        ["义诊", "健康讲座", "白龙塘社区", str(TODAY() - DAY), "县住建局、县水务局", "30人"],
        ["扫雪", "", "白龙塘社区", str(TODAY() - DAY), "县住建局", ""],
    ]

    def bring(*given: list[str], **how: Any) -> tuple[Any, Any]:
        content = "\n".join(",".join(row) for row in [head, *given]).encode("gb18030")
        check = checked(cast.a.officer, sheet_of("activities"), content, **how)
        found = check.report["sheet"]
        return check, (found["created"], found["updated"], found["unchanged"], found["bad_rows"])

    check, figures = bring(*rows)
    assert figures == (2, 0, 0, 0), check.report["sheet"]["errors"]
    confirmed(cast.a.officer, check)
    row = Activity.objects.get(title="义诊")
    assert (row.kind, row.people, row.units.count()) == ("health", 30, 2)
    assert bring(*rows)[1] == (0, 0, 2, 0)
    rows[0][4] = "县住建局"
    assert bring(*rows)[1] == (0, 0, 1, 1)
    check, figures = bring(*rows, update=True)
    assert figures == (0, 1, 1, 0)
    confirmed(cast.a.officer, check)
    assert row.units.count() == 1
    rows[1][4] = "住建局"
    check, figures = bring(*rows)
    assert figures == (0, 0, 1, 1)
    assert "是不是“县住建局”" in str(check.report["sheet"]["errors"])
