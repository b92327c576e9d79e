"""The sample counties, loaded once for all tests of this folder: loading takes longer than the tests.

On the embedded default alone, where the first start loads them; the actions that the rows come from are tested on both.
"""

import datetime
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

DAY = datetime.date(2026, 11, 20)
PASSWORD = "shi-li-2026"


@pytest.fixture(scope="package")
def loaded(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """What the command printed."""
    with django_db_blocker.unblock(), transaction.atomic():
        out = StringIO()
        call_command("load_sample", as_of=DAY.isoformat(), password=PASSWORD, force=True, stdout=out)
        yield out.getvalue()
        transaction.set_rollback(True)
