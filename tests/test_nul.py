"""A NUL character, which PostgreSQL can not be asked for: a clear refusal everywhere, never a fault of ours."""

import pytest
from django.test import Client

from grids.models import Appointment
from services.models import Demand
from tests.cast import Cast
from tests.services.test_api import client_of

pytestmark = pytest.mark.django_db

PAGES = (
    "/r/?q=%00",
    "/r/%00/",
    "/r/follow/%00/",
    "/m/lists/?q=%00",
    "/m/demands/%00/",
    "/admin/find/?q=%00",
    "/admin/services/demand/?q=%00",
    "/dashboard/rows/?place=%00",
)
API = ("demands/%00/", "places/?search=%00", "units/?demand=%00", "public/places/%00/", "public/orders/%00/")
FORMS = (
    ("a.officer", "/admin/services/demand/add/", {"node": "\0", "node_key": "\0", "category": "1", "text": "\0"}),
    ("admin", "/admin/grids/appointment/add/", {"user": "\0", "node": "\0", "post": "grid_keeper"}),
    ("a.officer", "/r/follow/", {"code": "\0"}),
)


@pytest.mark.parametrize("address", PAGES)
def test_no_page_has_such_an_address(cast: Cast, address: str) -> None:
    client = Client()
    client.force_login(cast.a.officer, backend="core.backends.PhoneBackend")
    answer = client.get(address)
    assert answer.status_code == 400
    assert "无法识别" in answer.content.decode()


@pytest.mark.parametrize("address", API)
def test_no_row_of_the_api_has_one_either(cast: Cast, address: str) -> None:
    answer = client_of(cast.a.officer).get(f"/api/v1/{address}")
    assert answer.status_code == 400
    assert answer.json()["code"] == "address"


@pytest.mark.parametrize(("who", "address", "sent"), FORMS)
def test_a_form_that_holds_one_is_shown_again(cast: Cast, who: str, address: str, sent: dict[str, str]) -> None:
    client = Client()
    client.force_login(cast.people()[who], backend="core.backends.PhoneBackend")
    before = Demand.objects.count(), Appointment.objects.count()
    # The admin shows a form again with 200, as Django does.
    assert client.post(address, sent).status_code in (200, 400)
    assert (Demand.objects.count(), Appointment.objects.count()) == before
