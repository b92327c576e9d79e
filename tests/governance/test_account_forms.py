"""The forms by which an administrator lets people in."""

from typing import Any

from django import forms

from core import policies
from core.models import User
from governance.accounts.forms import CadreForm, LiaisonForm, MemberForm
from tests.cast import Cast
from tests.governance.tables import everything

PHONE = "13612345678"


def by_code(rows: Any, **kwargs: Any) -> forms.Field:
    """The plainest field for a place; the admin puts its own in."""
    return forms.ModelChoiceField(queryset=rows, to_field_name="code", **kwargs)


def cadre_form(cast: Cast, **data: Any) -> CadreForm:
    given = {"name": "张三", "phone": PHONE, "post": "grid_keeper", "place": cast.a.grid.code, **data}
    return CadreForm(given, county=cast.county, place=by_code)


def test_the_forms_make_accounts(cast: Cast) -> None:
    form = cadre_form(cast)
    assert form.is_valid(), form.errors
    given = form.save(cast.admin)
    assert given is not None
    assert policies.sees(given.user, cast.a.building)
    county_form = cadre_form(cast, phone="13612345679", post="county_department", place="")
    assert county_form.is_valid(), county_form.errors
    assert county_form.save(cast.admin) is not None
    liaison = LiaisonForm(
        {"name": "李四", "phone": "13612345680", "unit": cast.a.unit.pk, "role": "staff"}, county=cast.county
    )
    assert liaison.is_valid(), liaison.errors
    assert liaison.save(cast.admin) is not None
    member = MemberForm({"name": "王五", "phone": "13612345681", "unit": cast.a.unit.pk}, county=cast.county)
    assert member.is_valid(), member.errors
    assert member.save(cast.admin) is not None
    assert {user.name for user in User.objects.filter(phone__startswith="136123456")} == {
        "张三",
        "李四",
        "王五",
    }


def test_a_refusal_stands_beside_the_field_it_is_about(cast: Cast) -> None:
    before = everything()
    for data, field in (
        ({"phone": "123"}, "phone"),
        ({"phone": cast.a.officer.phone}, "phone"),
        ({"post": "street_officer"}, "post"),
    ):
        form = cadre_form(cast, **data)
        assert form.is_valid(), form.errors
        assert form.save(cast.admin) is None
        assert list(form.errors) == [field]
    for data in ({"place": ""}, {"post": "county_admin"}, {"place": cast.other_county_community.code}):
        form = cadre_form(cast, **data)
        assert not form.is_valid()
        assert list(form.errors) == ["place"]
    assert not LiaisonForm({"name": "李四", "phone": PHONE, "unit": 0}, county=cast.county).is_valid()
    assert everything()[:4] == before[:4]


def test_a_form_in_a_strangers_hands_makes_nothing(cast: Cast) -> None:
    form = cadre_form(cast)
    assert form.is_valid()
    assert form.save(cast.b.secretary) is None
    assert form.non_field_errors()
    assert not User.objects.filter(phone=PHONE).exists()
