"""What an address of the admin may ask a list: its own filters, and no field that is masked or hidden."""

import pytest
from django.contrib.admin import site
from django.test import Client

from core.admin_base import ScopedModelAdmin
from tests.cast import Cast
from tests.services.test_loop import raised

pytestmark = pytest.mark.django_db

PROBES = (
    ("street_officer", "services/demand/?contact_phone__startswith=139"),
    ("street_officer", "services/demand/?contact_name=%E5%BC%A0%E4%B8%89"),
    ("street_officer", "services/demand/?follow_code__startswith=1"),
    ("department", "partybuilding/member/?phone__startswith=1"),
    ("admin", "core/user/?password__startswith=pbkdf2"),
    ("a.officer", "grids/gridnode/?parent=999999999999999999999999999999"),
)


@pytest.mark.parametrize(("who", "address"), PROBES)
def test_no_list_answers_to_a_field_that_is_no_filter_of_it(cast: Cast, who: str, address: str) -> None:
    raised(cast, contact_phone="13912345678", contact_name="张三")
    client = Client()
    client.force_login(cast.people()[who], backend="core.backends.PhoneBackend")
    assert client.get(f"/admin/{address}").status_code == 400


def test_every_list_answers_to_the_filters_it_shows() -> None:
    for model, page in site._registry.items():
        assert isinstance(page, ScopedModelAdmin), model
        for one in page.list_filter:
            assert page.lookup_allowed(one.parameter_name, "x"), (model, one)
        assert not page.lookup_allowed("pk", "1")
