"""A code once given leads on: to the place that took over, and through it to the next."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.actors import SYSTEM
from grids.actions import retire_node
from grids.admin_places import place_field
from grids.models import GridNode
from grids.successors import resolve_code, retired_words
from tests.cast import Cast
from tests.factories import make_node

pytestmark = pytest.mark.django_db


def chain(cast: Cast) -> tuple[GridNode, GridNode, GridNode]:
    """Two grids retired one after the other, and the one that stands in the end."""
    first, second, last = (make_node(cast.a.node, "grid", f"第{name}网格") for name in ("七", "八", "九"))
    GridNode.objects.filter(pk=first.pk).update(external_code="S-7")
    retire_node(actor=SYSTEM, node=first, successor=second, reason="合并")
    retire_node(actor=SYSTEM, node=second, successor=last, reason="合并")
    return first, second, last


def test_a_retired_code_resolves_along_its_successors(cast: Cast) -> None:
    first, second, last = chain(cast)
    for code in (first.code, "S-7"):
        assert resolve_code(cast.county, code) == (last, [first, second, last])
    assert resolve_code(cast.county, last.code) == (last, [last])
    assert resolve_code(cast.county, "S-8") == (None, [])
    assert resolve_code(cast.county, "") == (None, [])
    assert resolve_code(cast.other_county, first.code) == (None, []), "another county's code is nobody's"


def test_nobody_took_over_and_a_circle_made_by_hand_end(cast: Cast) -> None:
    alone = make_node(cast.a.node, "grid", "第七网格")
    retire_node(actor=SYSTEM, node=alone, reason="拆除")
    assert resolve_code(cast.county, alone.code) == (None, [alone])
    assert "没有承接者" in retired_words(alone.pk)
    one, two = cast.a.building, cast.a.other_building
    for node, heir in ((one, two), (two, one)):
        GridNode.objects.filter(pk=node.pk).update(retired_at=timezone.now(), successor=heir)
    assert resolve_code(cast.county, one.code) == (None, [one, two])


def test_a_form_takes_the_code_of_a_retired_place_for_the_one_that_took_over(cast: Cast) -> None:
    first, _second, last = chain(cast)
    field = place_field(GridNode.objects.standing().filter(county=cast.county))
    assert field.clean((first.code, "")) == last
    assert field.clean(("S-7", "")) == last
    elsewhere = place_field(GridNode.objects.standing().filter(community=cast.b.node))
    with pytest.raises(ValidationError):
        elsewhere.clean((first.code, ""))
