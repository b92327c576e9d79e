"""Who sees which picture: people by their scope, the resident by the code, nobody else."""

from typing import Any

import pytest
from django.test import Client
from PIL import Image

from core.files import url
from services.models import Demand, Photo
from tests.cast import Cast
from tests.core.test_photos import opened
from tests.services.test_loop import do, in_service, raised
from tests.services.test_resident import picture

pytestmark = pytest.mark.django_db


def served(cast: Cast) -> tuple[Demand, dict[str, Photo]]:
    """A demand with a picture of the resident, one of the way, and one of the result."""
    demand = raised(cast, photos=[picture()])
    do(cast.a.officer, demand, "accept")
    do(cast.a.officer, demand, "dispatch", unit=cast.a.unit)
    suborder = demand.suborders.get()
    do(cast.a.liaison, suborder, "sign")
    do(cast.a.liaison, suborder, "report", text="到了", photos=[picture()])
    do(cast.a.liaison, suborder, "finish", text="好了", photos=[picture()])
    return demand, {photo.event.name: photo for photo in Photo.objects.select_related("event")}


def size(response: Any) -> tuple[int, int]:
    found: tuple[int, int] = opened(b"".join(response.streaming_content)).size
    return found


def test_people_of_the_matter_see_its_pictures_and_strangers_do_not(client: Client, cast: Cast) -> None:
    _demand, photos = served(cast)
    for person, status in (
        (cast.a.officer, 200),
        (cast.a.keeper, 200),
        (cast.a.liaison, 200),
        (cast.department, 200),
        (cast.b.officer, 404),
        (cast.b.liaison, 404),
        (cast.b.keeper, 404),
        (cast.a.supporting_liaison, 404),
        (cast.a.second_member_user, 404),
        (cast.nobody, 404),
        (cast.superuser, 404),
        (cast.other_county_department, 404),
    ):
        client.force_login(person)
        for word in ("demand-photo", "demand-thumb"):
            response = client.get(url(word, photos["report"]))
            assert response.status_code == status, (person, word)


def test_whoever_is_not_signed_in_is_asked_to(client: Client, cast: Cast) -> None:
    _demand, photos = served(cast)
    response = client.get(url("demand-photo", photos["raise"]))
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


def test_units_that_may_only_claim_see_no_pictures(client: Client, cast: Cast) -> None:
    demand = raised(cast, photos=[picture()])
    do(cast.a.officer, demand, "accept")
    do(cast.a.officer, demand, "publish")
    client.force_login(cast.a.liaison)
    assert client.get(f"/m/demands/{demand.code}/").status_code == 200
    assert client.get(url("demand-photo", Photo.objects.get())).status_code == 404


def test_the_resident_sees_their_own_pictures_and_the_result(client: Client, cast: Cast) -> None:
    demand, photos = served(cast)
    base = f"/r/follow/{demand.follow_code}/photos"
    for name, status in (("raise", 200), ("finish", 200), ("report", 404)):
        assert client.get(f"{base}/{photos[name].pk}/").status_code == status, name
    response = client.get(f"{base}/{photos['raise'].pk}/")
    assert response["Content-Type"] == "image/jpeg"
    assert "no-store" in response["Cache-Control"]
    assert size(response) == (640, 480)
    assert max(size(client.get(f"{base}/{photos['raise'].pk}/?small=1"))) == 320


def test_a_code_opens_no_picture_of_another_matter(client: Client, cast: Cast) -> None:
    demand, _photos = served(cast)
    other = raised(cast, text="别人的事", photos=[picture()])
    assert client.get(f"/r/follow/{demand.follow_code}/photos/{other.photos.get().pk}/").status_code == 404
    assert client.get(f"/r/follow/000000000000/photos/{other.photos.get().pk}/").status_code == 404


def test_pictures_hang_in_the_timeline_of_the_phone(client: Client, cast: Cast) -> None:
    demand, photos = served(cast)
    client.force_login(cast.a.officer)
    page = client.get(f"/m/demands/{demand.code}/").content.decode()
    for photo in photos.values():
        assert url("demand-photo", photo) in page
        assert url("demand-thumb", photo) in page


def test_a_picture_without_a_small_one_shows_itself(client: Client, cast: Cast) -> None:
    demand, photos = served(cast)
    Photo.objects.update(thumbnail="")
    page = client.get(f"/r/follow/{demand.follow_code}/").content.decode()
    assert f"/photos/{photos['raise'].pk}/" in page
    assert "small=1" not in page
    client.force_login(cast.a.officer)
    assert "demand-thumb" not in client.get(f"/m/demands/{demand.code}/").content.decode()


def test_a_member_sees_the_pictures_of_what_they_were_asked(client: Client, cast: Cast) -> None:
    demand, suborder = in_service(cast)
    do(cast.a.liaison, suborder, "report", text="到了", photos=[picture()])
    photo = Photo.objects.get(demand=demand)
    client.force_login(cast.a.member_user)
    response = client.get(url("demand-photo", photo))
    assert response.status_code == 200
    assert Image.open(photo.file).size == size(response)
