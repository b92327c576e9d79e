"""Units of a street or county are written by name on desk and phone: there are too many to tick. Programs number them."""

from typing import Any

import pytest
from django.test import Client

from partybuilding.models import Unit
from services.models import Demand, SubOrder, Whistle
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.services.test_routing_rules import make_rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def demand(cast: Cast) -> Demand:
    return make.make_demand(cast.a.building, cast.category, state="accepted")


@pytest.fixture
def street(cast: Cast) -> Client:
    client = Client()
    client.force_login(fresh(cast.street_officer))
    return client


def faces(demand: Demand) -> list[str]:
    return [f"/m/demands/{demand.code}/whistle/", f"/admin/services/demand/{demand.pk}/move/whistle/"]


def whistle(client: Client, demand: Demand, face: int, **lines: str) -> Any:
    sent = {"reason": "一起处置占道经营。", "version": demand.version, **lines}
    return client.post(faces(demand)[face], sent)


@pytest.mark.parametrize("face", [0, 1])
def test_units_are_written_one_to_a_line_with_their_names_as_suggestions(
    cast: Cast, demand: Demand, street: Client, face: int
) -> None:
    page = street.get(faces(demand)[face]).content.decode()
    assert 'type="checkbox"' not in page.split('name="units"')[1]
    assert page.count('list="id_units_names"') == 5, "a few lines, however many units there are"
    names, known = page.split('<datalist id="id_units_names">')[1].split("</datalist>")[0], Unit.objects.active()
    assert names.count("<option") == known.filter(county=cast.county).count()
    assert cast.idle_unit.name in names
    answer = whistle(street, demand, face, **{"units-2": cast.idle_unit.name, "units-4": cast.b.unit.name})
    assert answer.status_code == 302
    roles = {row.unit: row.role for row in SubOrder.objects.select_related("unit")}
    assert roles == {cast.idle_unit: "lead", cast.b.unit: "supporting"}, "the first that is written leads"


def test_short_names_and_several_on_a_line_are_understood_and_each_counts_once(
    cast: Cast, demand: Demand, street: Client
) -> None:
    Unit.objects.filter(pk=cast.b.unit.pk).update(short_name="城管局")
    line = f"城管局、{cast.idle_unit.name}，城管局"
    assert whistle(street, demand, 0, **{"units": line, "units-1": "  城 管 局 "}).status_code == 302
    assert set(SubOrder.objects.values_list("unit", flat=True)) == {cast.b.unit.pk, cast.idle_unit.pk}


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("none", "没有登记“乌有局”"),
        ("like", "是不是“西乡县水利工作站”"),
        ("stopped", "已停用"),
        ("abroad", "没有登记“邻县水务局”"),
        ("empty", "请填写“召集单位”"),
        ("blank", "请填写“召集单位”"),
        ("odd", "没有登记"),
    ],
)
def test_what_is_no_unit_here_is_named_and_nobody_is_called(
    cast: Cast, demand: Demand, street: Client, what: str, said: str
) -> None:
    make.make_unit(cast.county, "西乡县水利工作站")
    make.make_unit(cast.other_county, "邻县水务局")
    make.make_unit(cast.county, "已撤的站", is_active=False)
    lines = {"none": "乌有局", "like": "西乡县水利工作", "stopped": "已撤的站", "abroad": "邻县水务局"}
    lines |= {"empty": "", "blank": " 、，\n", "odd": "\x00" + "长" * 5000}
    for face in (0, 1):
        answer = whistle(
            street,
            demand,
            face,
            **{"units": cast.b.unit.name if what not in ("empty", "blank") else "", "units-1": lines[what]},
        )
        page = answer.content.decode()
        assert answer.status_code == 400 and said in page
        if what == "like":
            assert 'value="西乡县水利工作"' in page, "what was written stays to be put right"
    assert not Whistle.objects.exists() and Demand.objects.get().state == "accepted"


def test_every_name_that_is_none_is_told_at_once(cast: Cast, demand: Demand, street: Client) -> None:
    page = whistle(street, demand, 0, **{"units": "乌有局", "units-1": cast.b.unit.name, "units-2": "子虚局"})
    assert page.status_code == 400
    assert "乌有局" in page.content.decode() and "没有登记“子虚局”" in page.content.decode()
    assert page.content.decode().count('list="id_units_names"') == 6, "room for more below what is written"


def test_programs_go_on_naming_units_by_number(cast: Cast, demand: Demand, street: Client) -> None:
    def send(units: Any) -> Any:
        body = {"units": units, "reason": "一起处置。"}
        return street.post(f"/api/v1/demands/{demand.code}/whistle/", body, content_type="application/json")

    abroad = make.make_unit(cast.other_county, "邻县水务局")
    for odd in ([cast.idle_unit.name], [abroad.pk], [10**30], "x", {"a": 1}, [None], []):
        answer = send(odd)
        assert (answer.status_code, set(answer.json()["fields"])) == (400, {"units"})
    nobody = street.post(f"/api/v1/demands/{demand.code}/whistle/", {"reason": "来。"}, content_type="application/json")
    assert (nobody.status_code, set(nobody.json()["fields"])) == (400, {"units"})
    assert not Whistle.objects.exists()
    assert send([cast.idle_unit.pk, str(cast.b.unit.pk)]).status_code == 200
    assert SubOrder.objects.count() == 2


# --- Supporting units -------------------------------------------------------------------------------------------------


def dispatch(client: Client, demand: Demand, **lines: Any) -> Any:
    address = f"/m/demands/{demand.code}/dispatch/"
    return client.post(address, {"unit": lines.pop("unit").pk, "version": demand.version, **lines})


@pytest.mark.parametrize("desk", ["community", "street"])
def test_programs_number_the_supporting_units_of_a_dispatch_on_every_desk(
    cast: Cast, demand: Demand, street: Client, desk: str
) -> None:
    Demand.objects.filter(pk=demand.pk).update(desk=desk)
    path = f"/api/v1/demands/{demand.code}/dispatch/"

    def dispatch(*supporting: int) -> Any:
        body = {"unit": cast.a.unit.pk, "supporting": list(supporting)}
        return street.post(path, body, content_type="application/json")

    refused = dispatch(cast.idle_unit.pk)  # has reported nowhere
    assert refused.status_code == 400 and cast.idle_unit.name in refused.content.decode()
    assert not SubOrder.objects.exists()
    assert dispatch(cast.a.supporting_unit.pk).status_code == 200
    assert set(SubOrder.objects.values_list("unit", "role")) == {
        (cast.a.unit.pk, "lead"),
        (cast.a.supporting_unit.pk, "supporting"),
    }


def test_few_are_ticked_in_the_community_and_many_written_above_it(cast: Cast, demand: Demand, street: Client) -> None:
    address = f"/m/demands/{demand.code}/dispatch/"
    below = Client()
    below.force_login(fresh(cast.a.officer))
    assert 'type="checkbox" name="supporting"' in below.get(address).content.decode()
    Demand.objects.filter(pk=demand.pk).update(desk="street")
    page = street.get(address).content.decode()
    assert (
        'name="supporting-4"' in page and "一行填一个单位" in page and 'type="checkbox" name="supporting"' not in page
    )
    refused = dispatch(street, demand, unit=cast.a.unit, supporting=cast.idle_unit.name)
    assert refused.status_code == 400 and "没有在" in refused.content.decode(), "it has not reported in the street"
    lines = {"supporting": cast.b.unit.name, "supporting-1": cast.a.supporting_unit.name}
    assert dispatch(street, demand, unit=cast.a.unit, **lines).status_code == 302
    assert set(SubOrder.objects.filter(role="supporting").values_list("unit__name", flat=True)) == set(lines.values())


def test_whom_a_rule_proposes_stands_there_by_name(cast: Cast, demand: Demand, street: Client) -> None:
    Demand.objects.filter(pk=demand.pk).update(desk="street")
    make_rule(cast, unit=cast.a.unit, supporting=[cast.a.supporting_unit])
    page = street.get(f"/m/demands/{demand.code}/dispatch/").content.decode()
    assert "按规则派给" in page
    assert f'name="supporting" id="id_supporting_0" value="{cast.a.supporting_unit.name}"' in page
    assert 'name="supporting-4"' in page
