import io
import xml.etree.ElementTree as ET

import pytest
from PIL import Image

from core import qr

ADDRESS = "https://portal.example/r/abcdefghjk"


def test_the_svg_is_a_picture_and_nothing_else():
    root = ET.fromstring(qr.svg(ADDRESS))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "viewBox" in root.attrib
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {"svg", "path"}
    assert not [
        name for element in root.iter() for name in element.attrib if name in {"style", "href"} or name[:2] == "on"
    ]


def test_a_hostile_address_does_not_reach_the_markup():
    assert b"script" not in qr.svg("https://x/<script>alert(1)</script>")


def test_the_png_is_about_as_large_as_asked_and_has_a_quiet_zone():
    picture = Image.open(io.BytesIO(qr.png(ADDRESS, size=400)))
    assert picture.format == "PNG"
    assert 300 < picture.width == picture.height <= 400
    grey = picture.convert("L")
    assert set(grey.crop((0, 0, picture.width, 20)).tobytes()) == {255}
    assert set(grey.tobytes()) == {0, 255}


def test_different_addresses_give_different_codes():
    assert qr.svg(ADDRESS) == qr.svg(ADDRESS)
    assert qr.svg(ADDRESS) != qr.svg(ADDRESS + "m")


@pytest.mark.parametrize("data", ["", "a" * 5000])
def test_nothing_and_too_much_are_refused(data):
    with pytest.raises(ValueError):  # noqa: PT011
        qr.svg(data)
    with pytest.raises(ValueError):  # noqa: PT011
        qr.png(data)
