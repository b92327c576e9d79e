"""The database of a test process: a copy of one that was migrated once a run.

Migrating takes longer than a hundred tests, and every process of every phase would do it. The first process that needs a
database migrates one for this run and engine; everybody takes a copy, which takes no time.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

RUN = Path(os.environ["TEST_DATA_DIR"])


def migrate_once(*, keep: bool = False) -> str:
    """The name of this run's migrated database, which nobody opens. `keep`: one of an earlier run will do.

    Needs the database to be unblocked. Afterwards the connection stands at the migrated database, closed.
    """
    settings = connection.settings_dict
    name = str(connection.creation._get_test_db_name())
    where = f"{settings['ENGINE']} {settings['HOST']} {settings['PORT']} {name}"
    done = RUN / f"migrated-{hashlib.sha256(where.encode()).hexdigest()[:12]}"
    with (RUN / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists():
            connection.close()
            settings["NAME"] = name
        else:
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False, keepdb=keep)
            connection.close()
            done.touch()
    return name


@contextmanager
def own_database(*, keep: bool) -> Iterator[None]:
    """This process's connections lead to a migrated database of its own."""
    before = connection.settings_dict["NAME"]
    migrated = migrate_once(keep=keep)
    # With the process's number: nothing a killed process left (SQLite's log) may be taken for part of the copy.
    mine = f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    connection.creation.clone_test_db(mine, verbosity=0, autoclobber=True)
    connection.creation.setup_worker_connection(mine)
    yield
    connection.settings_dict["NAME"] = migrated
    connection.creation.destroy_test_db(before, verbosity=0, suffix=mine)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any, django_db_keepdb: bool) -> Iterator[None]:
    """In place of pytest-django's, which migrates in every process."""
    with django_db_blocker.unblock(), own_database(keep=django_db_keepdb), django_db_blocker.block():
        yield


@pytest.fixture(scope="session")
def migrated_file(django_db_setup: None) -> Path:
    """The migrated SQLite database of this run, to be copied by tests that start the portal as a person does."""
    path = Path(str(connection.creation._get_test_db_name()))
    assert path.exists()
    return path
