"""A unit is known by its name as it stands; a name that is only alike is asked about, never guessed."""

import pytest

from core.errors import Invalid
from partybuilding.models import Unit
from partybuilding.unit_names import UnitNames
from tests import factories as make
from tests.cast import Cast


@pytest.fixture
def names(cast: Cast) -> UnitNames:
    make.make_unit(cast.county, "西乡县住房和城乡建设局", short_name="县住建局甲")
    make.make_unit(cast.county, "西乡县实验学校（北区）")
    make.make_unit(cast.county, "县委组织部")
    make.make_unit(cast.county, "停用局", is_active=False)
    return UnitNames(cast.county)


def test_the_full_and_the_short_name_find_the_unit(names: UnitNames) -> None:
    assert names.find("西乡县住房和城乡建设局") == names.find("县住建局甲")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("西乡县实验学校(北区)", "西乡县实验学校（北区）"),
        ("住房和城乡建设局", "西乡县住房和城乡建设局"),
        ("县 住房和城乡建设局", "西乡县住房和城乡建设局"),
        ("西乡县住房和城乡建没局", "西乡县住房和城乡建设局"),
        ("组织部", "县委组织部"),
        ("中共西乡县委组织部", "县委组织部"),
    ],
)
def test_a_name_that_is_alike_is_asked_about(names: UnitNames, written: str, meant: str) -> None:
    with pytest.raises(Invalid) as refused:
        names.find(written, field="unit")
    assert f"是不是“{meant}”" in refused.value.fields["unit"]


def test_a_name_like_none_says_so(names: UnitNames) -> None:
    with pytest.raises(Invalid) as refused:
        names.find("火星办事处")
    assert "先登记单位" in refused.value.message and "是不是" not in refused.value.message


def test_a_closed_unit_is_named_as_such_and_never_proposed(names: UnitNames) -> None:
    with pytest.raises(Invalid, match="已停用"):
        names.find("停用局")
    assert names.near("停用局 ") == []


def test_a_short_name_of_two_asks_for_the_full_one(cast: Cast) -> None:
    for name in ("第一中学", "第二中学"):
        make.make_unit(cast.county, name, short_name="一中")
    with pytest.raises(Invalid, match="请写全称"):
        UnitNames(cast.county).find("一中")


def test_units_of_the_county_next_door_are_not_known(cast: Cast) -> None:
    unit = make.make_unit(cast.other_county, "镇安县气象局")
    assert isinstance(unit, Unit)
    with pytest.raises(Invalid):
        UnitNames(cast.county).find("镇安县气象局")


def test_one_query_however_many_names(cast: Cast, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        names = UnitNames(cast.county)
        for _round in range(20):
            names.near("县住建")
