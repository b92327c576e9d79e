"""Every page opens on the engine the portal carries with it, on rows as real as ours get.

What the pages show is said on PostgreSQL (docs/architecture.md, Tests); here it is enough that SQLite can answer them.
"""

import re

import pytest
from django.contrib import admin
from django.test import Client

from core.models import User
from tests.test_routes import routes

pytestmark = [pytest.mark.django_db, pytest.mark.embedded, pytest.mark.xdist_group("sample")]


def _person(loaded: str, role: str) -> User:
    """Whoever the printed table shows in this role."""
    line = next(line for line in loaded.splitlines() if role in line and re.search(r"1\d{10}", line))
    found = re.search(r"1\d{10}", line)
    assert found is not None
    return User.objects.get(phone=found[0])


@pytest.mark.parametrize("role", ["组织部", "联络员"])
def test_every_page_that_names_no_row_opens(loaded: str, client: Client, role: str) -> None:
    client.force_login(_person(loaded, role))
    lists = [f"admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]
    pages = [pattern for _name, pattern in routes() if "<" not in pattern and "logout" not in pattern]
    opened = 0
    for address in [*pages, *lists]:
        answer = client.get(f"/{address}")
        assert answer.status_code < 500, address
        opened += answer.status_code == 200
    assert opened > 20
