"""Compounds by API: the same people, the same deeds and the same figures as on the pages."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actors import SYSTEM
from core.models import User
from grids.actions import add_remediation_photos
from grids.models import CompoundProfile, Remediation
from partybuilding.api import compound_rows as rows
from partybuilding.models import CompoundRunning
from tests import factories as make
from tests.cast import Cast
from tests.grids.test_compounds import picture
from tests.partybuilding.test_compound_pages import fill
from tests.services.test_api import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def get(user: User, path: str, **asked: Any) -> Any:
    return client_of(user).get(f"/api/v1/{path}", asked)


def post(user: User, path: str, **data: Any) -> Any:
    return client_of(user).post(f"/api/v1/{path}", data, format="json")


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["results"]]


def test_the_list_is_narrowed_and_stays_in_scope(cast: Cast) -> None:
    fill(cast)
    assert names(get(cast.a.officer, "compounds/")) == ["和谐小区", "旧小区", "新小区"]
    assert names(get(cast.department, "compounds/", place=cast.b.node.code)) == ["和谐小区"]
    assert names(get(cast.department, "compounds/", management="unmanaged")) == ["旧小区"]
    assert names(get(cast.department, "compounds/", search="旧")) == ["旧小区"]
    assert get(cast.department, "compounds/", management="robots").status_code == 400
    assert get(cast.a.officer, "compounds/", place=cast.b.node.code).status_code == 404


def test_rows_are_as_the_schema_says(cast: Cast) -> None:
    fill(cast)
    row = Remediation.objects.get(node=cast.a.compound.pk)
    add_remediation_photos(actor=SYSTEM, remediation=row, stage="after", photos=[picture()])
    compound = get(cast.a.officer, f"compounds/{cast.a.compound.code}/").json()
    assert set(compound) == set(rows.CompoundRow().fields)
    assert (compound["management"], compound["branch"], compound["facilities"]) == (
        "managed",
        "和谐小区党支部",
        {"lift": 4},
    )
    project = get(cast.a.officer, "remediations/", compound=cast.a.compound.code).json()["results"][0]
    assert set(project) == set(rows.RemediationRow().fields)
    assert client_of(cast.a.officer).get(project["photos"][0]["url"]).status_code in (200, 302)
    figures = get(cast.department, "compounds/figures/", place=cast.street.code).json()
    assert set(figures) == set(rows.BoardRow().fields)
    assert (figures["compounds"], figures["branches"], figures["unmanaged_homes"], figures["firms"]) == (4, 1, 80, 1)
    assert [one["name"] for one in figures["below"]] == ["白龙塘社区", "城北社区", "新民社区"]
    assert {one["kind"]: one["quantity"] for one in figures["remediation"]} == {
        "lift": 4,
        "door_system": 53,
        "camera": 0,
    }


def test_both_halves_are_written_with_their_versions(cast: Cast) -> None:
    branch = make.make_organisation(cast.county, "和谐小区党支部")
    path = f"compounds/{cast.a.compound.code}/"
    facts = {"built_year": 1998, "households": 300, "facilities": {"lift": 4}, "version": 0}
    done = post(cast.a.officer, f"{path}describe/", **facts).json()
    assert (done["built_year"], done["households"], done["profile_version"]) == (1998, 300, 1)
    assert post(cast.a.officer, f"{path}describe/", **facts).status_code == 409
    run = {"management": "managed", "branch": branch.name, "branch_setup": "single", "version": 0}
    assert post(cast.a.officer, f"{path}running/", **run).json()["branch"] == branch.name
    assert post(cast.a.officer, f"{path}running/", branch=None, branch_setup="").json()["branch"] is None
    made = post(cast.a.officer, f"{path}remediations/", kind="lift", title="加装电梯", quantity=4)
    assert (made.status_code, made.json()["state"]) == (201, "planned")


@pytest.mark.parametrize(
    ("page", "data"),
    [
        ("describe", {"built_year": 1066}),
        ("describe", {"facilities": {"helipad": 1}}),
        ("describe", {"facilities": [1]}),
        ("running", {}),
        ("running", {"management": "robots"}),
        ("running", {"management": "managed", "branch": "没有的党支部", "branch_setup": "single"}),
        ("remediations", {"kind": "lift"}),
        ("remediations", {"kind": "lift", "title": "加装电梯", "quantity": 0}),
    ],
)
def test_what_can_not_be_used_is_refused_by_name(cast: Cast, page: str, data: dict[str, Any]) -> None:
    answer = post(cast.a.officer, f"compounds/{cast.a.compound.code}/{page}/", **data)
    assert answer.status_code == 400, answer.content
    assert answer.json()["fields"]
    assert not CompoundProfile.objects.exists() and not CompoundRunning.objects.exists()


def test_strangers_find_nothing_and_lookers_may_not_write(cast: Cast) -> None:
    path = f"compounds/{cast.a.compound.code}/"
    assert get(cast.b.officer, path).status_code == 404
    assert post(cast.b.officer, f"{path}describe/", built_year=1998).status_code == 404
    assert post(cast.department, f"{path}describe/", built_year=1998).status_code == 403
    assert get(cast.a.officer, f"compounds/{cast.a.building.code}/").status_code == 404
    assert not CompoundProfile.objects.exists()


def test_lists_cost_the_same_whatever_the_rows(cast: Cast) -> None:
    fill(cast)
    client = client_of(cast.department)
    client.get("/api/v1/compounds/")
    counted: dict[str, set[int]] = {}
    for _again in range(2):
        for path in ("compounds/", "compounds/figures/", "remediations/"):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(f"/api/v1/{path}").status_code == 200
            counted.setdefault(path, set()).add(len(queries))
        for number in range(8):
            node = make.make_node(cast.a.node, "compound", f"小区{number}")
            post(cast.a.officer, f"compounds/{node.code}/running/", management="managed", firm_name=f"物业{number}")
            post(cast.a.officer, f"compounds/{node.code}/remediations/", kind="lift", title="加装电梯")
    assert all(len(found) == 1 for found in counted.values()), counted
