"""`/m/compounds/`: one's compounds on the phone, and pictures sent from it."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core.actors import SYSTEM
from core.models import User
from grids.actions import register_remediation, retire_node
from grids.models import Remediation, RemediationPhoto
from tests import factories as make
from tests.cast import Cast
from tests.grids.test_compounds import picture
from tests.partybuilding.test_compound_pages import fill, signed_in, words

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def lead(cast: Cast) -> User:
    return make.make_cadre("小区长", "compound_lead", cast.a.compound)


def project(cast: Cast) -> Remediation:
    return register_remediation(actor=SYSTEM, node=cast.a.compound, kind="lift", title="加装电梯", quantity=4)


def test_a_compound_lead_sees_the_own_compound_and_writes_nothing(cast: Cast, lead: User) -> None:
    fill(cast)
    client = signed_in(lead)
    assert "小区档案" in words(client.get("/m/me/"))
    shown = words(client.get("/m/compounds/"))
    assert "和谐小区" in shown and "旧小区" not in shown
    shown = words(client.get(f"/m/compounds/{cast.a.compound.pk}/"))
    for text in ("有物业管理", "示范小区", "平安物业公司", "电梯4", "已完成"):
        assert text in shown
    assert "拍照上传" not in shown
    row = Remediation.objects.get(node=cast.a.compound.pk)
    assert client.post(f"/m/remediations/{row.pk}/photos/", {"stage": "after"}).status_code == 403
    assert client.get(f"/m/compounds/{cast.b.compound.pk}/").status_code == 404


def test_who_has_no_compound_in_sight_is_offered_none(cast: Cast) -> None:
    client = signed_in(cast.a.building_head)
    assert "小区档案" not in words(client.get("/m/me/"))
    assert "您负责的地方没有小区" in words(client.get("/m/compounds/"))


def test_compounds_are_found_by_name_page_by_page(cast: Cast) -> None:
    for number in range(25):
        make.make_node(cast.a.node, "compound", f"{number}号院")
    client = signed_in(cast.a.officer)
    assert "下一页" in words(client.get("/m/compounds/"))
    assert "24号院" in words(client.get("/m/compounds/?page=2"))
    assert words(client.get("/m/compounds/?q=24")).count("号院") == 1
    assert "没有找到这个小区" in words(client.get("/m/compounds/?q=无"))


def test_an_officer_sends_pictures_from_the_phone(cast: Cast) -> None:
    row = project(cast)
    client = signed_in(cast.a.officer)
    address = f"/m/remediations/{row.pk}/photos/"
    assert 'value="before" required id="id_stage_0" checked' in client.get(address).content.decode()
    answer = client.post(address, {"stage": "before", "photos": [picture(), picture("red")]})
    assert answer["Location"] == f"/m/compounds/{cast.a.compound.pk}/"
    assert RemediationPhoto.objects.filter(stage="before").count() == 2
    assert "已保存2张照片" in words(client.get(answer["Location"]))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"stage": "before"}, "请拍照或选择照片"),
        ({"photos": "file"}, "请选择整治前或整治后"),
        ({"stage": "during", "photos": "file"}, "请选择整治前或整治后"),
        ({"stage": "before", "photos": "no picture"}, "不是照片"),
    ],
)
def test_a_form_that_will_not_do_says_why(cast: Cast, data: dict[str, str], text: str) -> None:
    row = project(cast)
    files = {"file": picture(), "no picture": SimpleUploadedFile("x.jpg", b"text")}
    sent: dict[str, Any] = {name: files.get(value, value) for name, value in data.items()}
    answer = signed_in(cast.a.officer).post(f"/m/remediations/{row.pk}/photos/", sent)
    assert answer.status_code == 400
    assert text in answer.content.decode()
    assert not RemediationPhoto.objects.exists()


def test_a_compound_that_was_retired_meanwhile_takes_no_pictures(cast: Cast) -> None:
    empty = make.make_node(cast.a.node, "compound", "旧小区")
    row = register_remediation(actor=SYSTEM, node=empty, kind="lift", title="加装电梯", finished_on=None)
    Remediation.objects.filter(pk=row.pk).update(finished_on="2026-03-05")
    retire_node(actor=SYSTEM, node=empty, reason="拆迁")
    answer = signed_in(cast.a.officer).post(
        f"/m/remediations/{row.pk}/photos/", {"stage": "after", "photos": [picture()]}
    )
    assert answer.status_code == 409
    assert "已撤销" in words_of(answer)
    assert not RemediationPhoto.objects.exists()


def words_of(answer: Any) -> str:
    return str(answer.content.decode())
