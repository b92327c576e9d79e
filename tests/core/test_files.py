"""Stored files: one door, the row's own scope, and nothing that a browser would run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from core import files
from core.errors import NotFound
from core.models import Job, User
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Iterator[Path]:
    settings.MEDIA_ROOT = tmp_path / "uploads"
    (tmp_path / "secret.txt").write_text("secret")
    files.register("test-file", Job, "result")
    yield tmp_path / "uploads"
    del files._kinds["test-file"]


@pytest.fixture
def owner() -> User:
    return make_user("王一")


def keep(owner: User, name: str, content: bytes = b"content") -> Job:
    job = Job.objects.create(kind="test", title="试验", owner=owner)
    job.result.name = default_storage.save(name, ContentFile(content))
    job.save()
    return job


def fetch(client: Client, job: Job, word: str = "test-file") -> Any:
    return client.get(f"/files/{word}/{job.pk}/")


def test_a_picture_is_shown_to_whoever_sees_its_row(client: Client, owner: User) -> None:
    job = keep(owner, "jobs/a.jpg")
    client.force_login(owner)
    response = fetch(client, job)
    assert b"".join(response.streaming_content) == b"content"
    assert response["Content-Type"] == "image/jpeg"
    assert response["Content-Disposition"].startswith("inline")
    assert files.url("test-file", job) == f"/files/test-file/{job.pk}/"


def test_it_is_not_found_by_anybody_else(client: Client, owner: User) -> None:
    job = keep(owner, "jobs/a.jpg")
    assert fetch(client, job).status_code == 302
    for stranger in (make_user("陌生人"), make_user("维护", is_superuser=True)):
        client.force_login(stranger)
        assert fetch(client, job).status_code == 404


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.xlsx", "a.pdf", "a", "a.js", "a.htm", "a.xml"])
def test_anything_but_a_picture_is_downloaded_and_can_not_run(client: Client, owner: User, name: str) -> None:
    job = keep(owner, f"jobs/{name}", b"<script>alert(1)</script>")
    client.force_login(owner)
    response = fetch(client, job)
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd", "jobs/../../secret.txt", "", "jobs", "jobs/gone.jpg"])
def test_a_name_that_leads_elsewhere_or_nowhere_is_not_found(client: Client, owner: User, name: str) -> None:
    job = keep(owner, "jobs/a.jpg")
    Job.objects.filter(pk=job.pk).update(result=name)
    client.force_login(owner)
    response = fetch(client, job)
    assert response.status_code == 404
    assert "secret" not in response.content.decode()


def test_an_unknown_word_or_row_is_not_found(client: Client, owner: User) -> None:
    job = keep(owner, "jobs/a.jpg")
    client.force_login(owner)
    assert fetch(client, job, "nothing").status_code == 404
    assert client.get(f"/files/test-file/{job.pk + 1}/").status_code == 404
    with pytest.raises(NotFound):
        files.serve(user=owner, word="test-file", pk=0)


def test_there_is_no_open_folder(client: Client, owner: User) -> None:
    keep(owner, "jobs/a.jpg")
    client.force_login(owner)
    for address in ("/media/jobs/a.jpg", "/uploads/jobs/a.jpg", "/static/../uploads/jobs/a.jpg"):
        assert client.get(address).status_code == 404


def test_the_name_for_the_person_has_no_path_in_it(owner: User) -> None:
    job = keep(owner, "jobs/a.xlsx")
    disposition = files.respond(job.result, name='../../x"\r\nSet-Cookie: a=b;.xlsx')["Content-Disposition"]
    assert "\n" not in disposition
    assert "../" not in disposition
