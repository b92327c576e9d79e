import hashlib
import io
import struct
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.errors import Invalid, TooLarge
from core.photos import Photo, accept_photo, make_thumbnail

RED, BLUE = (200, 30, 40), (20, 40, 200)


def encoded(image: Image.Image, kind: str = "JPEG", **options) -> bytes:
    out = io.BytesIO()
    image.save(out, format=kind, **options)
    return out.getvalue()


def upload(content: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="image/jpeg")


def opened(photo: Photo | bytes) -> Image.Image:
    return Image.open(io.BytesIO(photo if isinstance(photo, bytes) else photo.data))


def near(pixel, colour) -> bool:
    return all(abs(one - other) < 12 for one, other in zip(pixel, colour, strict=True))


def with_everything() -> bytes:
    """A picture as a phone sends it: place, time, device, comment, XMP, colour profile, lying on its side."""
    image = Image.new("RGB", (40, 20), RED)
    image.paste(BLUE, (20, 0, 40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    exif[0x010F] = "SECRETPHONE"
    exif.get_ifd(0x8825).update({1: "N", 2: (32.0, 59.0, 1.0), 3: "E", 4: (107.0, 46.0, 1.0)})
    return encoded(
        image,
        quality=95,
        exif=exif,
        comment=b"SECRETCOMMENT",
        xmp=b"<x:xmpmeta>SECRETXMP</x:xmpmeta>",
        icc_profile=b"SECRETPROFILE" * 20,
    )


def test_a_picture_is_kept_as_a_jpeg_with_its_measures_and_its_hash():
    photo = accept_photo(upload(encoded(Image.new("RGB", (300, 200), RED))))
    assert (photo.width, photo.height) == opened(photo).size == (300, 200)
    assert opened(photo).format == "JPEG"
    assert photo.sha256 == hashlib.sha256(photo.data).hexdigest()
    assert photo.size == len(photo.data)


def test_place_time_device_and_every_other_metadata_are_gone():
    original = with_everything()
    assert opened(original).getexif().get_ifd(0x8825)
    assert b"SECRETPHONE" in original
    photo = accept_photo(upload(original))
    assert not opened(photo).getexif()
    assert b"SECRET" not in photo.data
    assert b"Exif" not in photo.data
    assert set(opened(photo).info) <= {
        "jfif",
        "jfif_version",
        "jfif_unit",
        "jfif_density",
        "progressive",
        "progression",
    }


def test_metadata_of_a_png_is_gone_too():
    info = PngInfo()
    info.add_text("Comment", "SECRET", zip=False)
    original = encoded(Image.new("RGB", (30, 30), RED), "PNG", pnginfo=info)
    assert b"SECRET" in original
    assert b"SECRET" not in accept_photo(upload(original, "a.png")).data


def test_a_picture_lying_on_its_side_is_turned_upright():
    image = opened(accept_photo(upload(with_everything())))
    assert image.size == (20, 40)
    assert near(image.getpixel((10, 8)), RED)
    assert near(image.getpixel((10, 32)), BLUE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_large_picture_is_made_smaller_with_its_proportions(kind):
    photo = accept_photo(upload(encoded(Image.new("RGB", (4000, 3000), RED), kind)))
    assert (photo.width, photo.height) == (1920, 1440)


def test_a_small_picture_is_not_made_larger():
    assert accept_photo(upload(encoded(Image.new("RGB", (1, 3), RED)))).width == 1


def test_transparent_parts_become_white():
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    image.paste((*RED, 255), (0, 0, 10, 20))
    kept = opened(accept_photo(upload(encoded(image, "PNG"), "a.png")))
    assert near(kept.getpixel((3, 10)), RED)
    assert near(kept.getpixel((17, 10)), (255, 255, 255))


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 100, (100, 100, 100)),
        ("1", 1, (255, 255, 255)),
        ("P", 0, (0, 0, 0)),
        ("I;16", 128 * 256, (128, 128, 128)),
        ("LA", (100, 255), (100, 100, 100)),
    ],
)
def test_pictures_of_other_colour_modes_are_taken(mode, colour, expected):
    content = encoded(Image.new(mode, (20, 20), colour), "PNG")
    assert near(opened(accept_photo(upload(content))).getpixel((10, 10)), expected)


def test_a_printers_picture_is_taken():
    content = encoded(Image.new("CMYK", (20, 20), (0, 255, 255, 0)))
    assert near(opened(accept_photo(upload(content))).getpixel((10, 10)), (255, 0, 0))
    assert opened(accept_photo(upload(content))).mode == "RGB"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_a_camera_writes_is_undone(orientation):
    upright = Image.new("RGB", (32, 16), RED)
    upright.paste(BLUE, (0, 0, 16, 8))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    as_stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    kept = opened(accept_photo(upload(encoded(as_stored, exif=exif, quality=95))))
    assert kept.size == (32, 16)
    assert near(kept.getpixel((4, 3)), BLUE)
    assert near(kept.getpixel((28, 3)), RED)
    assert near(kept.getpixel((4, 13)), RED)


def test_a_picture_with_broken_exif_is_taken_as_it_lies():
    good = encoded(Image.new("RGB", (30, 20), RED), exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff\x01\x12")
    photo = accept_photo(upload(good))
    assert (photo.width, photo.height) == (30, 20)


class Endless:
    """A file that counts what is read of it."""

    def __init__(self, size: int | None) -> None:
        self.size = size
        self.taken = 0

    def seek(self, position: int) -> None: ...

    def read(self, count: int) -> bytes:
        self.taken += count
        return b"\xff" * count


def test_fifty_megabytes_are_refused_before_anything_is_read():
    file = Endless(50 * 1024 * 1024)
    with pytest.raises(TooLarge) as refused:
        accept_photo(file)
    assert file.taken == 0
    assert "10 MB" in refused.value.message
    assert "50 MB" in refused.value.message


@pytest.mark.parametrize("declared", [None, 1000])
def test_a_file_larger_than_it_says_is_read_no_further_than_the_limit(declared):
    file = Endless(declared)
    with pytest.raises(TooLarge):
        accept_photo(file)
    assert file.taken <= 10 * 1024 * 1024 + 1


def test_a_file_of_exactly_the_limit_is_taken():
    content = encoded(Image.new("RGB", (20, 20), RED))
    assert accept_photo(upload(content), max_bytes=len(content)).width == 20
    with pytest.raises(TooLarge):
        accept_photo(upload(content), max_bytes=len(content) - 1)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"%PDF-1.7\n" + b"0" * 500, "PDF"),
        (b"\x00\x00\x00\x18ftypheic" + b"0" * 500, "HEIC"),
        (b"\x00\x00\x00\x18ftypmif1" + b"0" * 500, "HEIC"),
        (b"\x00\x00\x00\x18ftypisom" + b"0" * 500, "视频"),
        (b"", "空文件"),
        (b"hello", "不是照片"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "不是照片"),
        (b"GIF89a" + b"\x01\x00\x01\x00" * 20, "不是照片"),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 200, "照片"),
    ],
)
def test_what_is_no_picture_is_refused_whatever_its_name(content, word):
    with pytest.raises(Invalid) as refused:
        accept_photo(upload(content, "photo.jpg"))
    assert word in refused.value.message


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_half_a_picture_is_refused(kind):
    content = encoded(Image.effect_noise((400, 400), 80).convert("RGB"), kind)
    with pytest.raises(Invalid) as refused:
        accept_photo(upload(content[: len(content) // 2]))
    assert refused.value.code == "photo_damaged"


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that says it is huge."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("measures", [(8000, 8000), (50_000, 50_000), (100_000_000, 1)])
def test_a_small_file_of_huge_measures_is_refused_before_it_is_decoded(measures):
    with pytest.raises(TooLarge) as refused:
        accept_photo(upload(bomb(*measures), "a.png"))
    assert refused.value.code == "photo_too_many_pixels"


def test_a_thumbnail_is_small_and_clean():
    photo = accept_photo(upload(encoded(Image.new("RGB", (1600, 1200), RED))))
    small = opened(make_thumbnail(photo.data))
    assert small.size == (320, 240)
    assert not small.getexif()
    assert opened(make_thumbnail(photo.data, side=64)).size == (64, 48)


@settings(max_examples=150)
@given(st.binary(max_size=300), st.integers(0, 400), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_any_bytes_are_a_picture_or_refused(noise, position, kind):
    good = encoded(Image.new("RGB", (16, 16), RED), kind)
    for content in (noise, good[:position] + noise + good[position:], good[:position] + noise):
        try:
            photo = accept_photo(upload(content))
        except (Invalid, TooLarge):
            continue
        assert opened(photo).format == "JPEG"
