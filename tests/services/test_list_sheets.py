"""The resource, project and responsibility lists from a county's own tables and back: read, refused, and read again."""

import io
from typing import Any

import pytest
from openpyxl import load_workbook

from core.models import Job, User
from core.sheets import sheet_of
from core.sheets.jobs import export
from services.models import Project, Resource, Responsibility
from services.selectors.resources import left_of
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.factories import make_demand
from tests.weft_factories import make_project, make_resource, soon, today

pytestmark = pytest.mark.django_db

RESOURCES = "使用范围,提供单位,类型,资源名称,数量,计量单位,可用时段,可用起,可用止"
PROJECTS = "项目编号,项目名称,社区,需求编号,所用资源,牵头单位,配合单位,预算（元）,完成期限,状态,验收日期,完成情况"
DUTIES = "项目,责任单位,责任人,责任内容,完成期限,落实日期,落实情况"


def read(person: User, key: str, header: str, *rows: str, update: bool = False) -> Job:
    return checked(person, sheet_of(key), "\n".join([header, *rows]).encode(), name="清单.csv", update=update)


def found(job: Job) -> dict[str, Any]:
    assert job.state == "done", (job.state, job.report)
    return dict(job.report["sheet"])


def faults(job: Job) -> list[tuple[int, str]]:
    return [(row, column) for row, column, _words, _value in found(job)["errors"]]


def counts(job: Job) -> tuple[int, int, int, int]:
    report = found(job)
    return report["created"], report["updated"], report["unchanged"], report["bad_rows"]


def exported(person: User, key: str, rows: Any) -> list[list[Any]]:
    content = export(actor=person, sheet=sheet_of(key), ids=[row.pk for row in rows])
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    return [[cell for cell in row if cell is not None] for row in sheet.iter_rows(values_only=True)]


def test_resources_come_in_once_and_change_only_when_asked(cast: Cast) -> None:
    rows = (
        "白龙塘社区,县住建局,场地,三楼会议室,2间,,周末上午、周末下午,2026-01-05,",
        "白龙塘社区,,设备,音响,1,套,,,",
        "白龙塘社区和谐小区,县水务局,志愿者,水管维修队,10,,随时,,2030-12-31",
    )
    check = read(cast.a.officer, "resources", RESOURCES, *rows)
    assert counts(check) == (3, 0, 0, 0), found(check)
    assert not Resource.objects.exists(), "a dry run writes nothing"
    confirmed(cast.a.officer, check)
    made = {(row.name, row.kind, row.quantity, row.measure, row.state) for row in Resource.objects.all()}
    assert made == {
        ("三楼会议室", "place", 2, "间", "available"),
        ("音响", "equipment", 1, "套", "available"),
        ("水管维修队", "people", 10, "人", "available"),
    }
    assert Resource.objects.get(name="三楼会议室").times == ["weekend_morning", "weekend_afternoon"]
    assert counts(read(cast.a.officer, "resources", RESOURCES, *rows)) == (0, 0, 3, 0)
    more = rows[0].replace("2间", "5间")
    assert faults(read(cast.a.officer, "resources", RESOURCES, more)) == [(2, "数量")]
    confirmed(cast.a.officer, read(cast.a.officer, "resources", RESOURCES, more, update=True))
    assert Resource.objects.get(name="三楼会议室").quantity == 5


def test_a_row_that_can_not_be_taken_says_which_column(cast: Cast) -> None:
    rows = (
        "城北社区,县住建局,场所,邻社区的,1,间,,,",
        "白龙塘社区,中共县水务局委员会,场所,会议室,1,间,,,",
        "白龙塘社区,县住建局,黄金,会议室,1,间,,,",
        "白龙塘社区,县住建局,场所,会议室,很多,间,,,",
        "白龙塘社区,县住建局,场所,礼堂,1,间,明年,,",
        "白龙塘社区,县住建局,场所,大厅,1,间,,2026-02-01,2026-01-01",
        "白龙塘社区,县住建局,场所,大厅,1,间,,,",
    )
    job = read(cast.a.officer, "resources", RESOURCES, *rows)
    places = [
        (2, "使用范围"),
        (3, "提供单位"),
        (4, "类型"),
        (5, "数量"),
        (6, "可用时段"),
        (7, "可用止"),
        (8, "资源名称"),
    ]
    assert sorted(faults(job)) == places
    assert not Resource.objects.exists()


def test_projects_come_in_with_their_demands_resources_and_state(cast: Cast) -> None:
    demand = make_demand(cast.a.building, state="accepted")
    room = make_resource(cast.a.unit, cast.a.node, quantity=3)
    rows = (
        f",楼道亮化,白龙塘社区,{demand.code},三楼会议室×2,县住建局,县水务局,12000,{soon():%Y-%m-%d},实施中,,",
        f",老人课堂,白龙塘社区,,三楼会议室,县水务局,,,{soon():%Y-%m-%d},已完成,{today():%Y-%m-%d},办了六期",
        ",修车棚,白龙塘社区,,,,,,,,,",
    )
    check = read(cast.a.officer, "projects", PROJECTS, *rows)
    assert counts(check) == (3, 0, 0, 0), found(check)
    confirmed(cast.a.officer, check)
    lit = Project.objects.get(name="楼道亮化")
    assert (lit.state, lit.lead_unit, lit.demands.get(), lit.supporting.get()) == (
        "running",
        cast.a.unit,
        demand,
        cast.a.supporting_unit,
    )
    assert left_of([room]) == {room.pk: 1}, "the done one has given its room back"
    done = Project.objects.get(name="老人课堂")
    assert (done.state, done.done_on, done.result) == ("done", today(), "办了六期")
    assert Project.objects.get(name="修车棚").state == "draft"
    assert counts(read(cast.a.officer, "projects", PROJECTS, *rows)) == (0, 0, 3, 0)
    changed = f"{lit.code},楼道亮化,,,三楼会议室×3,,,13000,,,,"
    assert faults(read(cast.a.officer, "projects", PROJECTS, changed)) == [(2, "预算（元）")]
    confirmed(cast.a.officer, read(cast.a.officer, "projects", PROJECTS, changed, update=True))
    assert (left_of([room])[room.pk], Project.objects.get(pk=lit.pk).budget) == (0, 13000)
    table = exported(cast.a.officer, "projects", Project.objects.order_by("pk"))
    assert any("三楼会议室×3" in row for row in table)


def test_the_table_of_a_project_whose_demand_went_elsewhere_names_it_only_to_who_sees_it(cast: Cast) -> None:
    gone, here = make_demand(cast.a.building, state="accepted"), make_demand(cast.a.building, state="accepted")
    row = make_project(cast.a.node, name="楼道亮化")
    row.demands.set([gone, here])
    gone.node, gone.community = cast.b.building, cast.b.node
    gone.save()
    for person, codes in ((cast.a.officer, {here.code}), (cast.street_officer, {gone.code, here.code})):
        words = [str(cell) for line in exported(person, "projects", [row]) for cell in line]
        named = next(set(word.split("、")) for word in words if here.code in word)
        assert named == codes
        again = f"{row.code},楼道亮化,,{'、'.join(named)},,,,,,,,"
        assert counts(read(person, "projects", PROJECTS, again)) == (0, 0, 1, 0)
    both = f"{row.code},楼道亮化,,{gone.code}、{here.code},,,,,,,,"
    assert faults(read(cast.a.officer, "projects", PROJECTS, both)) == [(2, "需求编号")]
    other = make_demand(cast.b.building, state="accepted")
    further = f"{row.code},楼道亮化,,{other.code}、{here.code},,,,,,,,"
    assert faults(read(cast.street_officer, "projects", PROJECTS, further, update=True)) == [(2, "需求编号")]


def test_what_a_table_may_not_say_of_a_project(cast: Cast) -> None:
    other = make_demand(cast.b.building, state="accepted")
    gone = make_project(cast.b.node)
    rows = (
        f",甲,白龙塘社区,{other.code},,,,,,,,",
        ",乙,白龙塘社区,,没有的资源,,,,,,,",
        ",丙,白龙塘社区,,,,,,,实施中,,",
        ",丁,白龙塘社区,,,县住建局,,,2027-01-01,已完成,,",
        ",戊,白龙塘社区,,,,,一万,,,,",
        f"{gone.code},己,,,,,,,,,,",
        ",庚,白龙塘社区,,,,,,,待验收,,",
    )
    job = read(cast.a.officer, "projects", PROJECTS, *rows)
    assert faults(job) == [
        (2, "需求编号"),
        (3, "所用资源"),
        (4, "完成期限"),
        (5, "验收日期"),
        (6, "预算（元）"),
        (7, "项目编号"),
        (8, "状态"),
    ]
    assert Project.objects.count() == 1


def test_responsibilities_come_in_and_go_out(cast: Cast) -> None:
    project = make_project(cast.a.node, cast.a.unit)
    rows = (
        "楼道亮化,县住建局,王主任,更换楼道灯 12 盏,,,",
        f"{project.code},县水务局,李主任,检查线路,2026-12-01,{today():%Y-%m-%d},都查过了",
        "楼道亮化,,社区书记,通知居民,2026-12-01,,",
    )
    check = read(cast.a.officer, "responsibilities", DUTIES, *rows)
    assert counts(check) == (3, 0, 0, 0), found(check)
    confirmed(cast.a.officer, check)
    made = {(row.measure, row.state, row.due_on == project.due_on) for row in Responsibility.objects.all()}
    assert made == {("更换楼道灯 12 盏", "open", True), ("检查线路", "done", False), ("通知居民", "open", False)}
    assert project.supporting.get() == cast.a.supporting_unit, "who answers for a part supports the project"
    assert counts(read(cast.a.officer, "responsibilities", DUTIES, *rows)) == (0, 0, 3, 0)
    other = rows[0].replace("王主任", "赵主任")
    assert faults(read(cast.a.officer, "responsibilities", DUTIES, other)) == [(2, "责任人")]
    confirmed(cast.a.officer, read(cast.a.officer, "responsibilities", DUTIES, other, update=True))
    assert Responsibility.objects.filter(person="赵主任").exists()
    strange = ("没有的项目,,王主任,扫雪,2026-12-01,,", "楼道亮化,没有的单位,王主任,扫雪,2026-12-01,,")
    assert faults(read(cast.a.officer, "responsibilities", DUTIES, *strange)) == [(2, "项目"), (3, "责任单位")]
    table = exported(cast.a.officer, "responsibilities", Responsibility.objects.all())
    assert any("检查线路" in row for row in table)


def test_the_ledger_of_resources_says_what_is_left_and_only_of_what_one_sees(cast: Cast) -> None:
    mine = make_resource(cast.a.unit, cast.a.node, quantity=3)
    make_resource(cast.b.unit, cast.b.node, name="邻社区的")
    table = exported(cast.a.officer, "resources", Resource.objects.all())
    assert any(mine.name in row and 3 in row for row in table)
    assert not any("邻社区的" in row for row in table)
