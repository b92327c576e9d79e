"""The four lists on the desk, on the phone and by API: the same figures, and each step by who may make it."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.models import OutboxMessage
from grids.models import GridNode
from services.actions import list_reminders
from services.actions import project_records as records
from services.models import Demand, Evidence, Milestone, Project, Resource, Responsibility
from services.selectors.lists import by_community, four_lists
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh, make_demand
from tests.grids.test_compounds import picture
from tests.weft_factories import make_project, make_resource, make_responsibility, soon, today

pytestmark = pytest.mark.django_db


def client(user: Any) -> Client:
    found = Client()
    found.force_login(fresh(user), backend="core.backends.PhoneBackend")
    return found


def furnished(cast: Cast) -> Project:
    make_demand(cast.a.building, state="closed_off")
    make_demand(cast.b.building, state="accepted")
    make_resource(cast.a.unit, cast.a.node)
    make_resource(cast.a.unit, cast.a.node, name="撤回的", state="withdrawn")
    make_resource(cast.a.unit, cast.street, name="全街道的")
    project = make_project(cast.a.building, cast.a.unit, due_on=soon(-1))
    make_project(cast.b.node, state="dropped")
    make_responsibility(project, due_on=soon(-1))
    return project


def test_every_face_shows_the_same_totals(cast: Cast) -> None:
    furnished(cast)
    totals = {one.key: (one.total, one.done, one.late) for one in four_lists(cast.street_officer, cast.street)}
    assert totals == {
        "demands": (2, 1, 0),
        "resources": (2, 2, 0),
        "projects": (1, 0, 1),
        "responsibilities": (1, 0, 1),
    }
    places = by_community(cast.street_officer, cast.street)
    assert {key: sum(row[key] for row in places.values()) for key in totals} == {k: v[0] for k, v in totals.items()}
    answer = client(cast.street_officer).get(f"{reverse('api:lists')}?node={cast.street.code}").json()
    assert {row["list"]: (row["total"], row["done"], row["late"]) for row in answer} == totals
    page = client(cast.street_officer).get(reverse("admin:services_project_lists"), {"place": cast.street.pk})
    cells = {row[0]: row[1] for row in page.context["parts"][0].rows}
    assert [f">{value[0]}<" in str(cell) for value, cell in zip(totals.values(), cells.values(), strict=True)] == [
        True
    ] * 4
    listed = client(cast.street_officer).get(reverse("admin:services_resource_changelist"), {"state": "listed"})
    assert listed.context["cl"].result_count == 2
    assert (
        client(cast.a.officer).get(reverse("admin:services_project_lists"), {"place": cast.b.node.pk}).status_code
        == 404
    )


def test_the_page_of_a_place_shows_its_projects_and_resources(cast: Cast) -> None:
    make_project(cast.a.compound, cast.a.unit, name="楼道亮化工程")
    make_project(cast.a.node, cast.a.unit, name="口袋公园", state="done", done_on=today())
    make_resource(cast.a.unit, cast.a.node, name="三楼大会议室", quantity=2)
    make_project(cast.b.node, cast.b.unit, name="邻居的项目")
    desk = client(cast.a.officer)
    page = desk.get(f"/admin/grids/gridnode/{cast.a.node.pk}/change/").content.decode()
    assert "楼道亮化工程" in page and "项目完成：口袋公园" in page
    assert "三楼大会议室" in page and "剩 2 / 2 间" in page
    assert "邻居的项目" not in page
    for model in ("project", "resource"):
        address = f"/admin/services/{model}/add/?node={cast.a.node.pk}"
        assert address in page
        assert cast.a.node.path in desk.get(address).content.decode()
        strange = desk.get(f"/admin/services/{model}/add/?node={cast.b.node.pk}").content.decode()
        assert cast.b.node.path not in strange
    assert (
        "登记资源" not in client(cast.a.keeper).get(f"/admin/grids/gridnode/{cast.a.grid.pk}/change/").content.decode()
    )


def test_a_hard_project_names_a_leader_who_is_paired_with_the_place(cast: Cast) -> None:
    project = make_project(cast.a.compound, cast.a.unit)
    paired, other = (make.make_cadre(name, "county_leader", cast.county) for name in ("李县长", "何常委"))
    make.make_pairing(cast.a.node, paired, kind="leader")
    desk, address = client(cast.a.officer), f"/admin/services/project/{project.pk}/do/change/"
    form = desk.get(address)
    assert "李县长" in form.content.decode() and "何常委" not in form.content.decode()
    given = {"name": project.name, "due_on": project.due_on.isoformat(), "version": project.version}
    assert "leader" in desk.post(address, {**given, "leader": other.pk}).context["form"].errors
    assert desk.post(address, {**given, "leader": paired.pk}).status_code == 302
    project.refresh_from_db()
    assert project.leader == paired


def test_a_project_is_changed_though_one_of_its_demands_went_to_another_community(cast: Cast) -> None:
    gone, here, mine = (make_demand(cast.a.building, state="accepted") for _each in range(3))
    project = make_project(cast.a.compound, cast.a.unit)
    project.demands.set([gone, here, mine])
    _put(gone, cast.b.building, cast.b.node)
    desk, address = client(cast.a.officer), f"/admin/services/project/{project.pk}/do/change/"
    begun = desk.get(address).context["form"].initial
    assert set(begun["demands"].split()) == {here.code, mine.code}, "the code of what one does not see is not shown"
    given = {"name": "换个名称", "due_on": project.due_on.isoformat(), "version": project.version}
    given |= {"demands": f"{here.code} {mine.code}", "shown": begun["shown"]}
    # Between the page and its answer one comes back and another one goes: neither was taken out.
    _put(gone, cast.a.building, cast.a.node)
    _put(here, cast.b.building, cast.b.node)
    assert desk.post(address, given).status_code == 302
    project.refresh_from_db()
    assert (project.name, set(project.demands.all())) == ("换个名称", {gone, here, mine})
    begun = desk.get(address).context["form"].initial
    given |= {"demands": gone.code, "shown": begun["shown"], "version": project.version}
    assert desk.post(address, given).status_code == 302
    assert set(project.demands.all()) == {gone, here}
    given |= {"demands": f"{gone.code} {here.code}", "version": project.version + 1}
    faults = desk.post(address, given).context["form"].errors["demands"]
    assert here.code in faults[0], "to name what one does not see is refused as before"


def _put(demand: Demand, place: GridNode, community: GridNode) -> None:
    demand.node, demand.community = place, community
    demand.save()


def test_the_desk_carries_a_project_from_a_demand_to_its_acceptance(cast: Cast) -> None:
    demand, resource = make_demand(cast.a.building, state="accepted"), make_resource(cast.a.unit, cast.a.node)
    desk = client(cast.a.officer)
    add = reverse("admin:services_project_add")
    assert (
        f"?demand={demand.code}" in desk.get(reverse("admin:services_demand_change", args=[demand.pk])).content.decode()
    )
    form = desk.get(add, {"demand": demand.code}).context["form"]
    assert form.initial["demands"] == demand.code
    given = {"name": "楼道亮化", "node": cast.a.node.path, "node_key": cast.a.node.pk, "demands": demand.code}
    desk.post(add, {**given, "due_on": soon().isoformat(), "supporting": "县水务局"})
    row = Project.objects.get()
    assert (row.demands.get(), row.supporting.get()) == (demand, cast.a.supporting_unit)

    def do(name: str, **data: Any) -> Project:
        row.refresh_from_db()
        sent = {"version": row.version, **data}
        answer = desk.post(reverse("admin:services_project_deed", args=[row.pk, name]), sent)
        assert answer.status_code == 302, answer.context["form"].errors
        row.refresh_from_db()
        return row

    do("use", resource=resource.name, resource_key=resource.pk, quantity=1)
    do("assign", unit="县住建局", person="王主任", measure="换灯", due_on=soon().isoformat())
    do("publish")
    do("appoint", unit="县住建局")
    do("finish", result="灯都亮了")
    assert do("accept").state == "done"
    page = desk.get(reverse("admin:services_project_change", args=[row.pk])).content.decode()
    for words in (demand.title, resource.name, "换灯", "验收", "历史"):
        assert words in page
    assert row.name in desk.get(reverse("admin:services_demand_change", args=[demand.pk])).content.decode()


def test_a_liaison_offers_claims_and_reports_by_phone(cast: Cast) -> None:
    phone = client(cast.a.liaison)
    given = {"unit": cast.a.unit.pk, "node": cast.a.node.pk, "kind": "place", "name": "会议室", "quantity": 2}
    phone.post(reverse("mobile:resource_new"), {**given, "measure": "间", "start": soon(0).isoformat()})
    resource = Resource.objects.get()
    assert (resource.state, resource.quantity) == ("offered", 2)
    Resource.objects.update(state="available", checked_on=soon(-60))
    assert "本单位资源没有变化" in phone.get(reverse("mobile:resources")).content.decode()
    phone.post(reverse("mobile:resources_confirm"))
    assert Resource.objects.get().checked_on == soon(0)

    project = make_project(cast.a.node, state="open")
    assert "认领" in phone.get(reverse("mobile:projects")).content.decode()
    claim = reverse("mobile:project_deed", args=[project.pk, "claim"])
    assert phone.post(claim, {"unit": cast.a.unit.pk, "version": 1}).status_code == 302
    assert client(cast.a.supporting_liaison).get(claim).status_code == 404, "it is taken, and out of the others' sight"
    step = Milestone.objects.create(project=project, title="进场", due_on=soon())
    duty = make_responsibility(project, unit=cast.a.unit)
    assert phone.get(reverse("mobile:project", args=[project.pk])).status_code == 200
    phone.post(reverse("mobile:milestone", args=[step.pk]), {"done_on": soon(0).isoformat(), "version": 1})
    phone.post(reverse("mobile:responsibility", args=[duty.pk]), {"text": "都换了", "version": 1})
    photos = reverse("mobile:project_deed", args=[project.pk, "photos"])
    assert phone.get(photos).status_code == 200
    phone.post(photos, {"stage": "before", "photos": picture()})
    finish = reverse("mobile:project_deed", args=[project.pk, "finish"])
    assert phone.post(finish, {"result": "好了", "version": 1}).status_code == 409, "the page was old"
    project.refresh_from_db()
    phone.post(finish, {"result": "好了", "version": project.version})
    project.refresh_from_db()
    step.refresh_from_db()
    duty.refresh_from_db()
    assert (project.state, step.done_on, duty.state) == ("finished", soon(0), "done")
    photo = Evidence.objects.get()
    seen = reverse("core:file", args=["project-photo", photo.pk])
    assert (client(cast.a.officer).get(seen).status_code, client(cast.b.officer).get(seen).status_code) == (200, 404)


def test_the_api_lists_what_one_sees(cast: Cast) -> None:
    project = furnished(cast)
    caller = client(cast.a.officer)
    names = {row["name"]: row["left"] for row in caller.get(reverse("api:resources")).json()["results"]}
    assert names == {"三楼会议室": 1, "撤回的": 1, "全街道的": 1}
    assert caller.get(reverse("api:projects"), {"late": "true"}).json()["results"][0]["code"] == project.code
    detail = caller.get(reverse("api:project", args=[project.pk])).json()
    assert [row["measure"] for row in detail["responsibilities"]] == ["换灯"]
    assert caller.get(reverse("api:projects"), {"state": "好"}).status_code == 400
    assert client(cast.b.officer).get(reverse("api:project", args=[project.pk])).status_code == 404
    assert client(cast.b.officer).get(reverse("api:responsibilities")).json()["results"] == []


def test_each_month_and_week_asks_once(cast: Cast) -> None:
    project = furnished(cast)
    make_resource(cast.a.unit, cast.a.node, name="等核实的", state="offered")
    Project.objects.filter(pk=project.pk).update(
        created_at=timezone.now() - datetime.timedelta(days=60), due_on=soon(-60)
    )
    Responsibility.objects.update(due_on=soon(-60))
    day = timezone.localdate().replace(day=10)
    for _round in range(2):
        list_reminders.remind_refresh(day)
        list_reminders.remind_overdue(day)
        list_reminders.remind_waiting(day)
    told = list(OutboxMessage.objects.values_list("kind", "key"))
    assert len(told) == len({key for _kind, key in told})
    assert {kind for kind, _key in told} == {"list_refresh", "list_overdue", "list_waiting"}
    assert any(key.startswith(f"list_overdue:unit:{cast.a.unit.pk}:") for _kind, key in told)
    assert list_reminders.remind_refresh(day.replace(day=26)) == 0
    assert "下" not in list_reminders.refresh_words(datetime.date(2026, 11, 3))
    assert "2027" in list_reminders.refresh_words(datetime.date(2026, 12, 3))


def test_only_the_place_or_the_lead_unit_writes_down_what_was_done(cast: Cast) -> None:
    project = make_project(cast.a.node, cast.a.unit)
    project.supporting.add(cast.a.supporting_unit)
    for person in (cast.a.supporting_liaison, cast.b.officer, cast.department):
        with pytest.raises(Exception, match=r"权限|没有找到"):
            records.add_milestone(actor=person, project=project, title="进场", due_on=soon())
    assert not Milestone.objects.exists()
    mine = records.NewResponsibility(project, "李主任", "检查线路", soon(), unit=cast.a.supporting_unit)
    [duty] = records.assign_responsibilities(actor=cast.a.officer, rows=[mine])
    assert records.do_responsibility(actor=cast.a.supporting_liaison, responsibility=duty, text="查了").state == "done"
    Project.objects.update(state="done")
    with pytest.raises(Exception, match="不能再"):
        records.add_milestone(actor=cast.a.officer, project=project, title="进场", due_on=soon())
    assert Responsibility.objects.get().done_on == soon(0)


COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


def test_statements_of_the_pages_are_pinned(cast: Cast) -> None:
    for number in range(4):
        project = make_project(cast.a.node, cast.a.unit, name=f"项目{number}")
        resource = make_resource(cast.a.unit, cast.a.node, name=f"资源{number}")
        project.allocations.create(resource=resource, quantity=1)
        project.demands.add(make_demand(cast.a.building, state="accepted"))
        make_responsibility(project)
        Milestone.objects.create(project=project, title="进场", due_on=soon())
    desk, phone = client(cast.a.officer), client(cast.a.liaison)
    pages = {
        "admin.resources": (desk, reverse("admin:services_resource_changelist")),
        "admin.projects": (desk, reverse("admin:services_project_changelist")),
        "admin.responsibilities": (desk, reverse("admin:services_responsibility_changelist")),
        "admin.project": (desk, reverse("admin:services_project_change", args=[project.pk])),
        "admin.four_lists": (desk, reverse("admin:services_project_lists")),
        "mobile.resources": (phone, reverse("mobile:resources")),
        "mobile.projects": (phone, reverse("mobile:projects")),
        "mobile.project": (phone, reverse("mobile:project", args=[project.pk])),
    }
    found = {}
    for name, (who, address) in pages.items():
        who.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert who.get(address).status_code == 200
        found[name] = len(asked)
    assert found == {name: COUNTS.get(name) for name in pages}
