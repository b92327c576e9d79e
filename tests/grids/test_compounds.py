"""The physical half of a compound: its facts, and what was put right there, with pictures."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from core import policies
from core.actors import SYSTEM
from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry, User
from grids import actions
from grids.actions import ProfileFacts, RemediationFacts, retire_node
from grids.compounds import have_profiles
from grids.models import (
    CompoundProfile,
    Facility,
    GridNode,
    Level,
    Remediation,
    RemediationPhoto,
    RemediationState,
)
from tests import factories as make
from tests.cast import Cast
from tests.core.test_photos import encoded
from tests.factories import fresh

pytestmark = pytest.mark.django_db
DAY = datetime.date(2026, 3, 5)


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def picture(colour: str = "navy") -> SimpleUploadedFile:
    return SimpleUploadedFile("现场.jpg", encoded(Image.new("RGB", (640, 480), colour)), content_type="image/jpeg")


def stored() -> int:
    root = Path(str(default_storage.path("")))
    return sum(path.is_file() for path in root.rglob("*"))


def project(cast: Cast, **facts: Any) -> Remediation:
    given = {"kind": "lift", "title": "加装电梯", "quantity": 4, **facts}
    return actions.register_remediation(actor=cast.a.officer, node=cast.a.compound, **given)


# --- Profiles -------------------------------------------------------------------------------------------------------


def test_a_profile_is_made_and_corrected_and_each_fact_is_written_down(cast: Cast) -> None:
    made = actions.describe_compound(
        actor=cast.a.officer,
        node=cast.a.compound,
        version=0,
        built_year=1998,
        facilities={"lift": 4, "parking": 41},
        households=320,
    )
    assert (made.built_year, made.version, made.county) == (1998, 1, cast.county)
    cast.a.compound.refresh_from_db()
    assert cast.a.compound.households == 320
    actions.describe_compound(
        actor=cast.a.officer,
        node=cast.a.compound,
        version=1,
        is_demonstration=True,
        facilities={"lift": 5, "parking": 0},
    )
    profile = CompoundProfile.objects.get()
    assert (profile.built_year, profile.is_demonstration, profile.version) == (1998, True, 2)
    assert dict(Facility.objects.values_list("kind", "count")) == {"lift": 5}
    rows = AuditEntry.objects.filter(action="compound.describe").order_by("position")
    assert [row.changes for row in rows] == [
        {"built_year": [None, 1998], "facility_lift": [0, 4], "facility_parking": [0, 41]},
        {"is_demonstration": [False, True], "facility_lift": [4, 5], "facility_parking": [41, 0]},
    ]
    assert AuditEntry.objects.get(action="node.describe").changes == {"households": [None, 320]}


def test_saying_the_same_again_changes_nothing(cast: Cast) -> None:
    facts: dict[str, Any] = {"built_year": 1998, "note": "老小区", "facilities": {"lift": 4}, "households": 90}
    actions.describe_compound(actor=cast.a.officer, node=cast.a.compound, **facts)
    trail = AuditEntry.objects.count()
    again = actions.describe_compound(actor=cast.a.officer, node=cast.a.compound, **facts)
    assert again.version == 1
    assert AuditEntry.objects.count() == trail


def test_two_people_at_once_the_second_is_told(cast: Cast) -> None:
    actions.describe_compound(actor=cast.a.officer, node=cast.a.compound, version=0, built_year=1998)
    for seen in (0, 2):
        with pytest.raises(Stale):
            actions.describe_compound(actor=cast.a.secretary, node=cast.a.compound, version=seen, built_year=2001)
    assert CompoundProfile.objects.get().built_year == 1998


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"built_year": 1899}, "built_year"),
        ({"built_year": timezone.localdate().year + 1}, "built_year"),
        ({"facilities": {"lift": -1}}, "facility_lift"),
        ({"facilities": {"helipad": 1}}, "facilities"),
        ({"note": "长" * 501}, "note"),
        ({"households": -1}, "households"),
    ],
)
def test_unusable_facts_are_refused_by_name_and_nothing_is_written(
    cast: Cast, facts: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        actions.describe_compound(actor=cast.a.officer, node=cast.a.compound, **facts)
    assert field in refused.value.fields
    assert not CompoundProfile.objects.exists()


@pytest.mark.parametrize(
    ("who", "error"),
    [("a.team_lead", Forbidden), ("department", Forbidden), ("b.officer", NotFound), ("other_county_admin", NotFound)],
)
def test_nobody_else_writes_here(cast: Cast, who: str, error: type[Exception]) -> None:
    actor = fresh(cast.people()[who])
    with pytest.raises(error):
        actions.describe_compound(actor=actor, node=cast.a.compound, built_year=1998)
    with pytest.raises(error):
        actions.register_remediation(actor=actor, node=cast.a.compound, kind="lift", title="加装电梯")
    assert not CompoundProfile.objects.exists() and not Remediation.objects.exists()


def test_a_retired_compound_is_left_alone(cast: Cast) -> None:
    empty = make.make_node(cast.a.node, "compound", "旧小区")
    retire_node(actor=cast.admin, node=empty, reason="拆迁")
    with pytest.raises(Conflict, match="已撤销"):
        actions.describe_compound(actor=cast.a.officer, node=empty, built_year=1998)


def test_a_compound_with_a_project_under_way_is_not_retired(cast: Cast) -> None:
    empty = make.make_node(cast.a.node, "compound", "旧小区")
    row = actions.register_remediation(actor=cast.a.officer, node=empty, kind="roof", title="屋面翻修")
    with pytest.raises(Conflict, match="未完成的整治项目"):
        retire_node(actor=cast.admin, node=empty, reason="拆迁")
    actions.finish_remediation(actor=cast.a.officer, remediation=row)
    retire_node(actor=cast.admin, node=empty, reason="拆迁")


def test_compounds_have_profiles_and_grids_where_there_are_no_compounds(cast: Cast) -> None:
    nodes = [cast.a.compound, cast.a.grid, cast.a.building]
    assert have_profiles(nodes) == {cast.a.compound.level_type_id}
    with pytest.raises(Invalid, match="没有小区档案"):
        actions.describe_compound(actor=cast.a.officer, node=cast.a.grid, built_year=1998)
    Level.objects.filter(county=cast.other_county, key="compound").delete()
    grid = make.make_node(cast.other_county_community, "grid", "第一网格")
    assert actions.describe_compound(actor=cast.other_county_secretary, node=grid, built_year=1998).node == grid


def test_many_profiles_cost_the_same_as_one(cast: Cast, django_assert_max_num_queries: Any) -> None:
    nodes = [make.make_node(cast.a.node, "compound", f"小区{number}") for number in range(30)]
    rows = [ProfileFacts(node, built_year=1998, facilities={"lift": 2}, households=50) for node in nodes]
    with django_assert_max_num_queries(16):
        actions.describe_compounds(actor=SYSTEM, rows=rows)
    assert Facility.objects.count() == 30
    assert GridNode.objects.filter(households=50).count() == 30


# --- Projects -------------------------------------------------------------------------------------------------------


def test_a_project_is_planned_begun_and_finished(cast: Cast) -> None:
    row = project(cast, planned_on=DAY)
    assert (row.state, row.community, row.county) == (RemediationState.PLANNED, cast.a.node, cast.county)
    row = actions.begin_remediation(actor=cast.a.officer, remediation=row, started_on=DAY, version=1)
    assert row.state == RemediationState.GOING
    row = actions.finish_remediation(actor=cast.a.officer, remediation=row, quantity=5, version=2)
    assert (row.state, row.quantity, row.version) == (RemediationState.FINISHED, 5, 3)
    for move in (actions.begin_remediation, actions.finish_remediation):
        with pytest.raises(Conflict):
            move(actor=cast.a.officer, remediation=row)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"kind": "helipad"}, "kind"),
        ({"title": " "}, "title"),
        ({"quantity": 0}, "quantity"),
        ({"started_on": DAY, "finished_on": DAY - datetime.timedelta(days=1)}, "finished_on"),
        ({"finished_on": datetime.date(2099, 1, 1)}, "finished_on"),
    ],
)
def test_an_unusable_project_is_refused(cast: Cast, facts: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        project(cast, **facts)
    assert field in refused.value.fields
    assert not Remediation.objects.exists()


def test_one_title_once_in_a_compound(cast: Cast) -> None:
    project(cast)
    other = project(cast, title="更换门禁", kind="door_system")
    with pytest.raises(Conflict, match="已有"):
        project(cast)
    with pytest.raises(Conflict, match="已有"):
        actions.update_remediation(actor=cast.a.officer, remediation=other, title="加装电梯")
    twice = [RemediationFacts(cast.a.compound, kind="road", title="道路修补")] * 2
    with pytest.raises(Conflict, match="已有"):
        actions.keep_remediations(actor=cast.a.officer, rows=twice)
    assert Remediation.objects.count() == 2


def test_a_project_registered_by_mistake_is_taken_away_with_its_pictures(
    cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    row = project(cast)
    actions.add_remediation_photos(actor=cast.a.officer, remediation=row, stage="before", photos=[picture()])
    assert stored() == 2
    with pytest.raises(Invalid):
        actions.drop_remediation(actor=cast.a.officer, remediation=row, reason=" ")
    with django_capture_on_commit_callbacks(execute=True):
        actions.drop_remediation(actor=cast.a.officer, remediation=row, reason="重复登记", version=row.version)
    assert not Remediation.objects.exists() and not RemediationPhoto.objects.exists()
    assert stored() == 0
    assert AuditEntry.objects.get(action="remediation.drop").reason == "重复登记"
    with pytest.raises(Conflict):
        actions.update_remediation(actor=cast.a.officer, remediation=row, title="又来")


# --- Pictures -------------------------------------------------------------------------------------------------------


def test_pictures_are_kept_once_and_served_to_those_who_see_the_compound(cast: Cast) -> None:
    row = project(cast)
    for _again in range(2):
        actions.add_remediation_photos(
            actor=cast.a.officer, remediation=row, stage="before", photos=[picture(), picture("red")]
        )
    assert RemediationPhoto.objects.count() == 2
    assert AuditEntry.objects.filter(action="remediation.photos").count() == 1
    photo = RemediationPhoto.objects.first()
    assert photo is not None
    lead = make.make_cadre("小区长", "compound_lead", cast.a.compound)
    for person, sees in ((cast.a.officer, True), (lead, True), (cast.b.officer, False), (cast.nobody, False)):
        assert policies.sees(fresh(person), photo) is sees


def test_pictures_are_dropped_with_their_files(cast: Cast, django_capture_on_commit_callbacks: Any) -> None:
    row = project(cast)
    photos = actions.add_remediation_photos(actor=cast.a.officer, remediation=row, stage="after", photos=[picture()])
    strange = project(cast, title="更换门禁")
    with pytest.raises(Invalid):
        actions.drop_remediation_photos(actor=cast.a.officer, remediation=strange, photos=photos)
    with django_capture_on_commit_callbacks(execute=True):
        actions.drop_remediation_photos(actor=cast.a.officer, remediation=row, photos=photos)
    assert (RemediationPhoto.objects.count(), stored()) == (0, 0)


@pytest.mark.parametrize("stage", ["during", ""])
def test_a_picture_is_of_before_or_after(cast: Cast, stage: str) -> None:
    with pytest.raises(Invalid):
        actions.add_remediation_photos(actor=cast.a.officer, remediation=project(cast), stage=stage, photos=[picture()])


def test_what_is_no_picture_is_refused_and_nothing_stays_behind(cast: Cast) -> None:
    row = project(cast)
    bad = SimpleUploadedFile("x.jpg", b"not a picture")
    with pytest.raises(Invalid):
        actions.add_remediation_photos(actor=cast.a.officer, remediation=row, stage="before", photos=[picture(), bad])
    with pytest.raises(Invalid):
        actions.add_remediation_photos(actor=cast.a.officer, remediation=row, stage="before", photos=[])
    assert (RemediationPhoto.objects.count(), stored()) == (0, 0)


def test_files_go_when_their_rows_do_not_come(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_kwargs: Any) -> None:
        assert stored() == 2
        raise RuntimeError("the trail can not be written")

    row = project(cast)
    monkeypatch.setattr("core.audit.record", broken)
    with pytest.raises(RuntimeError):
        actions.add_remediation_photos(actor=cast.a.officer, remediation=row, stage="before", photos=[picture()])
    assert (RemediationPhoto.objects.count(), stored()) == (0, 0)


def test_there_is_an_end_to_pictures(cast: Cast) -> None:
    row = project(cast)
    for start in (0, 6):
        some = [picture(f"#{number:02x}{number:02x}ff") for number in range(start * 9, (start + 6) * 9, 9)]
        actions.add_remediation_photos(actor=cast.a.officer, remediation=row, stage="before", photos=some)
    with pytest.raises(Invalid, match="最多 12 张"):
        actions.add_remediation_photos(actor=cast.a.officer, remediation=row, stage="before", photos=[picture("red")])
    actions.add_remediation_photos(actor=cast.a.officer, remediation=row, stage="after", photos=[picture("red")])
    assert RemediationPhoto.objects.count() == 13


def test_a_stopped_account_writes_nothing(cast: Cast) -> None:
    row = project(cast)
    User.objects.filter(pk=cast.a.officer.pk).update(is_active=False)
    with pytest.raises(NotFound):
        actions.add_remediation_photos(actor=fresh(cast.a.officer), remediation=row, stage="before", photos=[picture()])
    assert stored() == 0
