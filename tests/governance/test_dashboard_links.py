"""The links in the frame of the dashboards lead somewhere for whoever is shown them, on a page drawn anew or shown again."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from core.models import User
from tests import factories as make
from tests.cast import Cast
from tests.governance.counted import signed_in

pytestmark = pytest.mark.django_db


def test_bulletins_are_linked_for_whoever_may_read_them_alone(cast: Cast) -> None:
    late = make.make_demand(cast.a.building, state="dispatched", due_at=timezone.now() - datetime.timedelta(hours=1))
    officer = make.make_cadre("县级干部", "county_officer", cast.county)
    bulletins = reverse("admin:services_bulletin_changelist")
    open_to_both = ["/dashboard/", "/dashboard/weft/", "/dashboard/supervisions/", "/dashboard/rows/?light=late"]
    supervise = reverse("dashboard:supervise", args=[late.code])

    def links(person: User, address: str) -> bool:
        answer = signed_in(person).get(address)
        assert answer.status_code == 200, address
        return f'href="{bulletins}"' in answer.content.decode()

    # The same figures twice over: what was drawn for one is not what the other is shown.
    for _time in (1, 2):
        for address in [*open_to_both, supervise]:
            assert links(cast.department, address), address
        for address in open_to_both:
            assert not links(officer, address), address
    assert signed_in(cast.department).get(bulletins).status_code == 200
    assert signed_in(officer).get(bulletins).status_code == 403
