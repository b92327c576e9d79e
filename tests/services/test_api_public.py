"""The resident's part of the API: order, follow, evaluate; nothing else, and not too often."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from services.models import Demand, Photo
from services.views import following
from tests.cast import Cast
from tests.services.test_loop import checked, raised

pytestmark = pytest.mark.django_db


def order(cast: Cast, **fields: Any) -> Any:
    body = {"place": cast.a.building.public_token, "category": cast.category.name, "text": "楼道灯坏了", **fields}
    return APIClient().post("/api/v1/public/orders/", body, format="multipart" if "photos" in fields else "json")


def test_a_resident_orders_follows_and_evaluates(cast: Cast) -> None:
    answer = order(cast)
    assert answer.status_code == 201
    code = answer.json()["follow_code"]
    assert APIClient().get(f"/api/v1/public/orders/{code}/").json()["state"] == "registered"
    demand = checked(cast)
    done = APIClient().post(
        f"/api/v1/public/orders/{demand.follow_code}/evaluate/", {"solved": "yes", "satisfaction": "satisfied"}
    )
    assert done.status_code == 200
    demand.refresh_from_db()
    assert demand.solved is True


def test_evaluation_by_the_demands_own_address_takes_the_follow_code(cast: Cast) -> None:
    demand, other = checked(cast), raised(cast)
    path = f"/api/v1/demands/{demand.code}/evaluate/"
    body = {"solved": "no", "satisfaction": "dissatisfied"}
    assert APIClient().post(path, body).status_code == 401
    assert APIClient().post(path, {**body, "follow_code": other.follow_code}).status_code == 404
    assert APIClient().post(path, {**body, "follow_code": "1" * 12}).status_code == 404
    demand.refresh_from_db()
    assert demand.solved is None
    assert APIClient().post(path, {**body, "follow_code": demand.follow_code}).status_code == 200
    demand.refresh_from_db()
    assert demand.solved is False


@pytest.mark.parametrize("name", ["accept", "dispatch", "close_off", "check", "supervise"])
def test_a_resident_makes_no_other_move(cast: Cast, name: str) -> None:
    demand = checked(cast)
    answer = APIClient().post(f"/api/v1/public/orders/{demand.follow_code}/{name}/", {})
    assert answer.status_code == 403
    assert Demand.objects.get().state == "checked"


def test_an_unknown_place_or_code_is_404(cast: Cast) -> None:
    assert order(cast, place="nowhere").status_code == 404
    assert APIClient().get("/api/v1/public/orders/123456789012/").status_code == 404
    assert not Demand.objects.exists()


def test_a_category_residents_may_not_choose_is_refused(cast: Cast) -> None:
    cast.category.is_public = False
    cast.category.save()
    assert order(cast).status_code == 400
    assert not Demand.objects.exists()


def test_orders_from_one_address_are_throttled(cast: Cast) -> None:
    for _number in range(following.ORDERS_PER_ADDRESS_AND_PLACE):
        assert order(cast).status_code == 201
    answer = order(cast)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"]
    assert Demand.objects.count() == following.ORDERS_PER_ADDRESS_AND_PLACE


def test_a_pdf_called_a_photo_is_refused_and_nothing_kept(cast: Cast) -> None:
    fake = SimpleUploadedFile("x.jpg", b"%PDF-1.7 ...", content_type="image/jpeg")
    answer = order(cast, photos=[fake])
    assert answer.status_code == 400, answer.json()
    assert not Demand.objects.exists()
    assert not Photo.objects.exists()


def test_nothing_personal_is_shown(cast: Cast) -> None:
    demand = raised(cast, contact_name="张三", contact_phone="13900000001")
    text = APIClient().get(f"/api/v1/public/orders/{demand.follow_code}/").content.decode()
    assert "张三" not in text
    assert "13900000001" not in text
