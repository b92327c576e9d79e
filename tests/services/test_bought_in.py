"""Services bought in from social organisations (docs/domain.md#c6): a project it leads and is paid for."""

from decimal import Decimal

import pytest

from services.list_faces import project_chips
from services.models import Project
from services.selectors.projects import bought_in, bought_in_figure, is_bought_in
from tests import factories as make
from tests import weft_factories as weave
from tests.cast import Cast
from tests.governance.counted import page, signed_in, words

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "budget", "state", "counts"),
    [
        ("social", "32000", "running", True),
        ("social", "8000", "done", True),
        ("social", None, "running", False),
        ("social", "0", "running", False),
        ("social", "8000", "open", False),
        ("social", "8000", "dropped", False),
        ("company", "8000", "running", False),
    ],
)
def test_what_is_bought_in(cast: Cast, kind: str, budget: str | None, state: str, counts: bool) -> None:
    unit = make.make_unit(cast.county, "阳光社工服务中心", kind=kind)
    row = weave.make_project(cast.a.node, unit, state=state, budget=Decimal(budget) if budget else None)
    assert Project.objects.filter(bought_in()).exists() == counts
    assert is_bought_in(Project.objects.select_related("lead_unit").get(pk=row.pk)) == counts
    assert ("购买服务" in [words for words, _tone in project_chips(row)]) == counts


def test_the_figure_is_the_same_on_every_face(cast: Cast) -> None:
    unit = make.make_unit(cast.county, "阳光社工服务中心", kind="social")
    for name, cost in (("四点半课堂", "32000"), ("居家探访", "8000")):
        weave.make_project(cast.a.node, unit, name=name, budget=Decimal(cost))
    weave.make_project(cast.a.node, cast.a.unit, name="楼道亮化", budget=Decimal(5000))
    found = bought_in_figure(Project.objects.all())
    assert (found.count, found.cost, found.cost_words) == (2, Decimal(40000), "4.0 万元")
    assert "购买服务 2 项 4.0 万元" in words(page(cast.department, "weft/"))
    client = signed_in(cast.a.officer)
    listed = client.get("/admin/services/project/?state=bought_in").content.decode()
    assert "四点半课堂" in listed and "楼道亮化" not in listed
    told = client.get("/api/v1/projects/?bought_in=true").json()
    assert {row["name"] for row in told["results"]} == {"四点半课堂", "居家探访"}
