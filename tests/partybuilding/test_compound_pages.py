"""The pages of compounds: one list and one page for both halves, deeds, pictures, figures that lead to their rows."""

import io
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from core.actors import SYSTEM
from core.models import User
from grids.actions import add_remediation_photos, describe_compound, register_remediation
from grids.models import CompoundProfile, Facility, GridNode, Remediation, RemediationPhoto
from grids.timeline import of as timeline_of
from partybuilding.actions import record_running
from partybuilding.models import CompoundRunning, UnitKind
from partybuilding.selectors.compounds import board
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_compounds import DAY, picture

pytestmark = pytest.mark.django_db
COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())
LIST = "/admin/partybuilding/compound/"
PROJECTS = "/admin/grids/remediation/"


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(fresh(user))
    return client


def words(answer: Any) -> str:
    """What a reader of the page sees, without the menu, spaces and tags aside."""
    assert answer.status_code == 200, answer.status_code
    page = answer.content.decode()
    page = page[page.index("<main") :] if "<main" in page else page
    return re.sub(r"\s+", "", unescape(re.sub(r"<[^>]*>", " ", page)))


def page_of(node: GridNode, *more: str) -> str:
    return "/".join([f"{LIST}{node.pk}", *(more or ("change",))]) + "/"


def fill(cast: Cast) -> None:
    """白龙塘: a managed demonstration compound with a branch, an unmanaged one, one nobody spoke of. 城北: one of the community."""
    firm = make.make_unit(cast.county, "平安物业公司", kind=UnitKind.PROPERTY)
    make.make_organisation(cast.county, "平安物业党支部", unit=firm)
    branch = make.make_organisation(cast.county, "和谐小区党支部", node=cast.a.compound)
    old = make.make_node(cast.a.node, "compound", "旧小区", households=80)
    make.make_node(cast.a.node, "compound", "新小区", households=10)
    describe_compound(actor=SYSTEM, node=cast.a.compound, is_demonstration=True, households=300, facilities={"lift": 4})
    record_running(
        actor=SYSTEM,
        node=cast.a.compound,
        management="managed",
        firm_name=firm.name,
        committee="formed",
        branch=branch,
        branch_setup="attached",
    )
    record_running(actor=SYSTEM, node=old, management="unmanaged", committee="preparing")
    record_running(actor=SYSTEM, node=cast.b.compound, management="community")
    for node, kind, quantity, done in (
        (cast.a.compound, "lift", 3, DAY),
        (old, "lift", 1, DAY),
        (old, "door_system", 53, DAY),
        (cast.b.compound, "camera", 80, None),
    ):
        register_remediation(actor=SYSTEM, node=node, kind=kind, title=kind, quantity=quantity, finished_on=done)


# --- List and page --------------------------------------------------------------------------------------------------


def test_the_list_shows_every_compound_in_use_with_both_halves(cast: Cast) -> None:
    fill(cast)
    shown = words(signed_in(cast.a.officer).get(LIST))
    for text in (
        "和谐小区示范",
        "有物业管理",
        "和谐小区党支部（挂靠建）",
        "1/1",
        "旧小区",
        "三无小区",
        "2/2",
        "未登记",
    ):
        assert text in shown
    assert "城北社区" not in shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("management=managed", {"和谐小区"}),
        ("management=unmanaged", {"旧小区"}),
        ("management=none", {"新小区"}),
        ("branch=any", {"和谐小区"}),
        ("branch=attached", {"和谐小区"}),
        ("branch=single", set()),
        ("branch=none", {"旧小区", "新小区"}),
        ("committee=formed", {"和谐小区"}),
        ("committee=none", {"新小区"}),
        ("demonstration=1", {"和谐小区"}),
        ("demonstration=0", {"旧小区", "新小区"}),
        ("q=平安物业", {"和谐小区"}),
    ],
)
def test_filters_narrow_the_list(cast: Cast, query: str, found: set[str]) -> None:
    fill(cast)
    page = signed_in(cast.a.officer).get(f"{LIST}?{query}").content.decode()
    assert set(re.findall(r'<a href="/admin/partybuilding/compound/\d+/change/[^>]*>\s*(\w+)', page)) == found


def test_lists_and_pages_cost_the_same_whatever_the_rows(cast: Cast) -> None:
    fill(cast)
    client = signed_in(cast.a.officer)
    # What a process reads once.
    client.get(LIST)
    counted: dict[str, list[int]] = {}
    for more in (0, 12):
        for number in range(more):
            node = make.make_node(cast.a.node, "compound", f"小区{number}")
            record_running(actor=SYSTEM, node=node, management="managed", firm_name=f"物业{number}")
            row = register_remediation(actor=SYSTEM, node=cast.a.compound, kind="lift", title=f"{number}")
            add_remediation_photos(actor=SYSTEM, remediation=row, stage="before", photos=[picture()])
        for name, address in (
            ("admin.compounds", LIST),
            ("admin.compound", page_of(cast.a.compound)),
            ("admin.compound_figures", f"{LIST}figures/"),
            ("admin.remediations", PROJECTS),
        ):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(address).status_code == 200
            counted.setdefault(name, []).append(len(queries))
    assert counted == {name: [COUNTS[name]] * 2 for name in counted}


def test_both_halves_are_changed_by_their_deeds(cast: Cast) -> None:
    branch = make.make_organisation(cast.county, "和谐小区党支部")
    client = signed_in(cast.a.officer)
    facts = {"built_year": "1998", "households": "320", "facility_lift": "4", "note": "老小区", "version": "0"}
    assert client.post(page_of(cast.a.compound, "do", "describe"), facts)["Location"] == page_of(cast.a.compound)
    by = {"management": "managed", "firm_name": "平安物业公司", "committee": "formed", "committee_on": "2026-03-05"}
    by |= {"branch": branch.name, "branch_setup": "merged", "version": "0"}
    assert client.post(page_of(cast.a.compound, "do", "run"), by).status_code == 302
    shown = words(client.get(page_of(cast.a.compound)))
    for text in (
        "1998年",
        "320",
        "电梯4",
        "平安物业公司",
        "已成立（2026年3月5日）",
        "和谐小区党支部（融合建）",
        "老小区",
    ):
        assert text in shown
    form = client.get(page_of(cast.a.compound, "do", "describe")).content.decode()
    assert 'name="facility_lift" value="4"' in form and 'name="version" value="1"' in form
    assert f'value="{branch.name}"' in client.get(page_of(cast.a.compound, "do", "run")).content.decode()
    answer = client.post(page_of(cast.a.compound, "do", "describe"), {**facts, "facility_lift": "", "version": "1"})
    assert answer.status_code == 302
    assert not Facility.objects.exists()


def test_an_old_page_overwrites_nothing_and_a_refusal_stands_in_the_form(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    record_running(actor=SYSTEM, node=cast.a.compound, management="community")
    old = {"management": "managed", "committee": "none", "version": "0"}
    assert client.post(page_of(cast.a.compound, "do", "run"), old).status_code == 409
    wrong = {"management": "unmanaged", "firm_name": "平安物业公司", "committee": "none", "version": "1"}
    assert "只有“有物业管理”的小区填物业公司" in words(client.post(page_of(cast.a.compound, "do", "run"), wrong))
    assert CompoundRunning.objects.get().management == "community"


def test_who_may_look_and_not_write_finds_no_buttons_and_closed_doors(cast: Cast) -> None:
    client = signed_in(cast.a.team_lead)
    assert "修改小区情况" not in words(client.get(page_of(cast.a.compound)))
    assert client.post(page_of(cast.a.compound, "do", "describe"), {"version": "0"}).status_code == 403
    stranger = signed_in(cast.b.officer)
    assert stranger.get(page_of(cast.a.compound)).status_code == 404
    assert stranger.post(page_of(cast.a.compound, "do", "describe"), {"version": "0"}).status_code == 404
    assert not CompoundProfile.objects.exists()


def test_a_place_that_is_no_compound_has_no_profile(cast: Cast) -> None:
    assert signed_in(cast.a.officer).get(page_of(cast.a.building)).status_code == 404


# --- Projects and pictures ------------------------------------------------------------------------------------------


def test_a_project_from_its_plan_to_its_pictures(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    planned = {"kind": "lift", "title": "加装电梯", "quantity": "4", "planned_on": "2026-12-01"}
    assert client.post(page_of(cast.a.compound, "do", "project"), planned)["Location"] == page_of(cast.a.compound)
    row = Remediation.objects.get()
    address = f"{PROJECTS}{row.pk}/"
    assert "计划" in words(client.get(f"{address}change/"))
    client.post(f"{address}do/begin/", {"started_on": "2026-03-01", "version": "1"})
    client.post(f"{address}do/finish/", {"finished_on": "2026-03-05", "quantity": "5", "version": "2"})
    for stage in ("before", "after"):
        sent = client.post(f"{address}do/photos/", {"stage": stage, "photos": [picture(), picture("red")]})
        assert sent.status_code == 302
    shown = client.get(f"{address}change/")
    for text in ("已完成", "2026年3月5日", "整治前", "整治后"):
        assert text in words(shown)
    thumbs = re.findall(r'src="(/files/remediation-thumb/\d+/)"', shown.content.decode())
    assert len(thumbs) == 4
    assert client.get(thumbs[0]).status_code == 200
    assert signed_in(cast.b.officer).get(thumbs[0]).status_code == 404
    assert "整治前后" in words(client.get(page_of(cast.a.compound)))
    one = RemediationPhoto.objects.filter(stage="after").first()
    assert one is not None
    client.post(f"{address}do/unphoto/", {"photos": [one.pk]})
    assert RemediationPhoto.objects.count() == 3
    gone = client.post(f"{address}do/drop/", {"reason": "登记错了", "version": "3"})
    assert gone["Location"] == page_of(cast.a.compound)
    assert not Remediation.objects.exists()


def test_a_project_is_registered_from_the_list_at_a_compound_of_ones_own(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    given = {"kind": "road", "title": "道路修补", "quantity": "1"}
    answer = client.post(f"{PROJECTS}add/", {**given, "node": cast.b.compound.path})
    assert "没有找到" in words(answer)
    client.post(f"{PROJECTS}add/", {**given, "node": cast.a.compound.path})
    assert Remediation.objects.get().node_id == cast.a.compound.pk


def test_what_is_no_picture_is_told_in_the_form(cast: Cast) -> None:
    row = register_remediation(actor=SYSTEM, node=cast.a.compound, kind="lift", title="加装电梯")
    bad = SimpleUploadedFile("x.jpg", b"%PDF-1.4")
    answer = signed_in(cast.a.officer).post(f"{PROJECTS}{row.pk}/do/photos/", {"stage": "before", "photos": [bad]})
    assert "PDF" in words(answer)
    assert not RemediationPhoto.objects.exists()


# --- Figures --------------------------------------------------------------------------------------------------------


def test_figures_add_up_from_communities_to_the_county(cast: Cast) -> None:
    fill(cast)
    county = board(fresh(cast.department))
    counts = county.whole.counts
    assert (counts.compounds, counts.managed, counts.community_run, counts.unmanaged, counts.unknown) == (4, 1, 1, 1, 1)
    assert (counts.branches, counts.attached, counts.managed_branches) == (1, 1, 1)
    assert (counts.committees, counts.preparing, counts.demonstration) == (1, 1, 1)
    assert (counts.homes, counts.unmanaged_homes) == (390, 80)
    assert (len(county.whole.firms), county.whole.firms_with_branch) == (1, 1)
    work = {kind: (one.quantity, one.finished, one.planned) for kind, one in county.whole.work.items()}
    assert work == {"lift": (4, 2, 0), "door_system": (53, 1, 0), "camera": (0, 0, 1)}
    assert [(node.name, one.counts.compounds) for node, one in county.below] == [("城北街道", 4), ("城南街道", 0)]
    street = board(fresh(cast.street_officer), cast.street)
    assert [(node.name, one.counts.compounds) for node, one in street.below] == [
        ("白龙塘社区", 3),
        ("城北社区", 1),
        ("新民社区", 0),
    ]
    community = board(fresh(cast.a.officer), cast.a.node)
    assert (community.whole.counts.compounds, community.below) == (3, [])


def test_a_closed_branch_is_none(cast: Cast) -> None:
    fill(cast)
    running = CompoundRunning.objects.exclude(branch=None).get()
    assert running.branch is not None
    running.branch.is_active = False
    running.branch.save()
    assert board(fresh(cast.department)).whole.counts.branches == 0


def test_every_figure_leads_to_as_many_rows(cast: Cast) -> None:
    fill(cast)
    client = signed_in(cast.department)
    page = client.get(f"{LIST}figures/?place={cast.street.pk}").content.decode()
    links = re.findall(r'<a href="(/admin/[^"]*\?[^"]*)">([\d,]+)</a>', page)
    assert len(links) > 12
    for address, count in links:
        if "management=unmanaged" in address and count == "80":
            continue  # households
        rows = client.get(unescape(address)).content.decode()
        assert len(set(re.findall(r'class="field-(?:compound|name)[^"]*"', rows))) == 1
        assert len(re.findall(r"<th[^>]*class=\"field-(?:compound|name)", rows)) == int(count), address


def test_the_drill_down_goes_from_the_county_to_the_list(cast: Cast) -> None:
    fill(cast)
    client = signed_in(cast.department)
    county = client.get(f"{LIST}figures/").content.decode()
    assert f'href="{LIST}figures/?place={cast.street.pk}"' in county
    street = client.get(f"{LIST}figures/?place={cast.street.pk}").content.decode()
    assert f'href="{LIST}figures/?place={cast.a.node.pk}"' in street
    community = client.get(f"{LIST}figures/?place={cast.a.node.pk}").content.decode()
    assert f'href="{LIST}?place={cast.a.node.pk}&amp;management=unmanaged"' in community
    shown = words(signed_in(cast.a.officer).get(f"{LIST}figures/"))
    assert "全部·" not in shown and "城北街道" not in shown
    for text in ("白龙塘社区", "33.3%1/3", "100.0%1/1", "挂靠建1", "电梯42", "平安物业公司1300有党组织"):
        assert text in shown


def test_figures_stay_in_scope(cast: Cast) -> None:
    fill(cast)
    client = signed_in(cast.a.officer)
    for place in (cast.b.node.pk, cast.street.pk, "x", 10**20):
        for page in ("figures/", "figures/ledger/"):
            assert client.get(f"{LIST}{page}?place={place}").status_code == 404
    assert "这里还没有小区" in words(signed_in(cast.other_county_department).get(f"{LIST}figures/"))
    assert signed_in(cast.auditor).get(f"{LIST}figures/").status_code == 403


def test_the_ledger_of_figures_is_a_workbook_with_totals(cast: Cast) -> None:
    fill(cast)
    answer = signed_in(cast.department).get(f"{LIST}figures/ledger/?place={cast.street.pk}")
    book = load_workbook(io.BytesIO(answer.content)).active
    assert book is not None
    rows = list(book.iter_rows(min_row=3, values_only=True))
    head = dict(zip(rows[0], rows[-2], strict=True))
    assert (rows[1][1], rows[1][2]) == ("白龙塘社区", 3)
    assert (head["小区"], head["三无"], head["电梯"], head["门禁"]) == (4, 1, 4, 53)


# --- On the place's own page ----------------------------------------------------------------------------------------


def test_the_places_own_page_shows_the_profile_and_what_happened(cast: Cast) -> None:
    fill(cast)
    row = Remediation.objects.get(node=cast.a.compound.pk)
    add_remediation_photos(actor=SYSTEM, remediation=row, stage="after", photos=[picture()])
    shown = words(signed_in(cast.a.officer).get(reverse("admin:grids_gridnode_change", args=[cast.a.compound.pk])))
    assert "有物业管理平安物业公司已成立和谐小区党支部1/1查看小区档案" in shown
    entries = timeline_of(cast.a.node, fresh(cast.a.officer))
    done = [entry for entry in entries if entry.kind == "整治"]
    assert [entry.title for entry in done] == ["整治完成：door_system", "整治完成：lift", "整治完成：lift"]
    assert [len(entry.pictures) for entry in done].count(1) == 1
    assert not [entry for entry in timeline_of(cast.a.node, fresh(cast.b.officer)) if entry.kind == "整治"]
