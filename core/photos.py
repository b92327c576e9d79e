"""Pictures people send: proven to be pictures, made small, and freed of everything but the pixels.

A phone writes where and when a picture was taken into the file. None of that is kept: the pixels are copied onto a
fresh canvas and encoded again, so that nothing of the original file survives, known metadata or not.
"""

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any

from django.utils.translation import gettext as _
from PIL import Image

from core.errors import Invalid, TooLarge
from core.uploads import MEGABYTE, read_at_most

MAX_BYTES = 10 * MEGABYTE
# Above what phones make by default, below what would fill the memory of a small server when decoded.
MAX_PIXELS = 60_000_000
LONGEST_SIDE = 1920
THUMBNAIL_SIDE = 320
QUALITY = 85
# Pictures a person sends at once.
MOST = 6

_FORMATS = ("JPEG", "PNG", "WEBP")
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"}
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Photo:
    """A cleaned picture: JPEG bytes, its measures in pixels, and the sha256 of the bytes (hex)."""

    data: bytes
    width: int
    height: int
    sha256: str

    @property
    def size(self) -> int:
        return len(self.data)


def accept_photo(uploaded: IO[bytes], *, max_bytes: int = MAX_BYTES) -> Photo:
    """Makes an uploaded picture fit to keep.

    Turned upright as its EXIF says, no longer than 1920 pixels a side, transparent parts white, JPEG, no metadata
    (no place, no time, no device). Of an animation the first picture is kept.

    Args:
        uploaded: a Django upload or any binary file, read from its beginning.
        max_bytes: size of the file, in bytes, that is still taken.

    Raises:
        TooLarge: more bytes or pixels than are taken; known from the declared size before anything is read.
        Invalid: empty, not a picture, of a kind not supported (HEIC), or damaged.
    """
    content = read_at_most(uploaded, max_bytes, what=_("照片"), advice=_("请压缩或截图后再上传。"))
    _refuse_other_kinds(content)
    canvas = _decode(content, LONGEST_SIDE)
    data = _encode(canvas)
    return Photo(data=data, width=canvas.width, height=canvas.height, sha256=hashlib.sha256(data).hexdigest())


def accept_photos(uploads: Iterable[Any]) -> list[Photo]:
    """Checks and cleans the pictures of one form, outside any transaction: decoding takes longer than a lock should.

    Raises `Invalid` or `TooLarge` as `accept_photo`; Invalid when there are more than `MOST`.
    """
    uploads = [upload for upload in uploads if upload]
    if len(uploads) > MOST:
        raise Invalid(_("一次最多上传 %(most)d 张照片。") % {"most": MOST}, fields={"photos": _("照片过多。")})
    return [accept_photo(upload) for upload in uploads]


def make_thumbnail(data: bytes, *, side: int = THUMBNAIL_SIDE) -> bytes:
    """A small JPEG of an accepted picture, no longer than `side` pixels. Raises Invalid when `data` is no picture."""
    return _encode(_decode(data, side))


def _refuse_other_kinds(content: bytes) -> None:
    """Names what the file really is, where that helps the person more than "not a picture"."""
    if not content:
        raise Invalid(_("照片是空文件，请重新拍照或选择。"), code="photo_empty")
    if content[4:8] == b"ftyp":
        if content[8:12] in _HEIF_BRANDS:
            raise Invalid(
                _("这张照片是 HEIC 格式，暂不支持。请在手机“设置—相机—格式”里选“兼容性最佳”后重拍，或截图后上传。"),
                code="photo_heic",
            )
        raise Invalid(_("这是一段视频，不是照片，请改传 JPG 或 PNG 照片。"), code="photo_video")
    if content.lstrip()[:5] == b"%PDF-":
        raise Invalid(_("这是 PDF 文件，不是照片（改扩展名不会改变内容），请改传 JPG 或 PNG 照片。"), code="photo_pdf")


def _decode(content: bytes, side: int) -> Image.Image:
    """The picture upright, RGB, at most `side` pixels long, on a fresh canvas."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_many_pixels(image.width, image.height)
            # A JPEG can be decoded at a fraction of its size, which spares memory; other kinds ignore this.
            image.draft("RGB", (side, side))
            turn = _turn(image)
            # Palettes and bits can not be blended when pixels are merged.
            small = image.convert("RGBA") if image.mode in {"P", "PA", "1"} else image
            small.thumbnail((side, side), Image.Resampling.LANCZOS)
            upright = small if turn is None else small.transpose(turn)
            # Nothing of `image.info` (EXIF, XMP, comments, colour profiles) crosses over to a new canvas.
            canvas = Image.new("RGB", upright.size, "white")
            colours = _to_rgba(upright)
            canvas.paste(colours, mask=colours.getchannel("A"))
            return canvas
    except TooLarge:
        raise
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(None, None) from error
    except Image.UnidentifiedImageError as error:
        raise Invalid(_("这个文件不是照片，请上传 JPG、PNG 或 WebP 格式的照片。"), code="photo_kind") from error
    except Exception as error:
        # Decoders meet hostile files here and fail in many ways (OSError, SyntaxError, struct.error, MemoryError ...);
        # whichever it is, the file is at fault.
        raise Invalid(_("照片已损坏或没有传完整，请重新拍照或选择后再上传。"), code="photo_damaged") from error


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What turns the picture upright, from its EXIF orientation. A picture whose EXIF is broken stays as it lies."""
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # broken EXIF fails in as many ways as a broken picture, and matters less
        return None


def _to_rgba(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        # 16-bit greys: `convert` would clip them to white instead of scaling them.
        image = image.convert("F").point(lambda value: value / 256).convert("L")
    return image.convert("RGBA")


def _too_many_pixels(width: int | None, height: int | None) -> TooLarge:
    measures = "" if width is None else _("（%(width)d×%(height)d）") % {"width": width, "height": height}
    return TooLarge(
        _("照片的尺寸太大%(measures)s，请在手机相册里缩小或截图后再上传。") % {"measures": measures},
        code="photo_too_many_pixels",
    )


def _encode(canvas: Image.Image) -> bytes:
    out = io.BytesIO()
    canvas.save(out, format="JPEG", quality=QUALITY, optimize=True, progressive=True)
    return out.getvalue()
