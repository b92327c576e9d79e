"""The numbers on everything: division codes, grid serials, unit codes, and the codes people are handed.

Rules: docs/practice.md, section 2. Division codes follow GB/T 2260 and the statistics bureau's 12-character scheme.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Invalid

_NOISE = re.compile(r"[\s\-_\u2010-\u2015\u2212.·]+")


def _compact(value: str) -> str:
    """What a person typed or pasted, as ASCII without spaces, hyphens and dots."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", value))


# --- Division codes -------------------------------------------------------------------------------------------------


class DivisionLevel(IntEnum):
    """The five levels of a division code; the value is how many of the 12 characters name it."""

    PROVINCE = 2
    CITY = 4
    COUNTY = 6
    STREET = 9
    COMMUNITY = 12


class StreetKind(StrEnum):
    """What stands at street level, told by the three characters of its code."""

    STREET = "street"
    TOWN = "town"
    TOWNSHIP = "township"
    FARM = "farm"


STREET_KIND_LABELS = {
    StreetKind.STREET: gettext_lazy("街道"),
    StreetKind.TOWN: gettext_lazy("镇"),
    StreetKind.TOWNSHIP: gettext_lazy("乡"),
    StreetKind.FARM: gettext_lazy("农场等"),
}
_STREET_RANGES = (
    (1, 99, StreetKind.STREET),
    (100, 199, StreetKind.TOWN),
    (200, 399, StreetKind.TOWNSHIP),
    # State farms, development zones and the like, counted as of township rank.
    (400, 599, StreetKind.FARM),
)


@dataclass(frozen=True, order=True)
class DivisionCode:
    """A valid division code. `full` is always 12 characters: 2 province, 2 city, 2 county, 3 street, 3 community."""

    full: str

    @property
    def level(self) -> DivisionLevel:
        for level in reversed(DivisionLevel):
            if self._part(level).strip("0"):
                return level
        raise AssertionError(f"{self.full} has no level")  # parse_division_code lets none through

    @property
    def short(self) -> str:
        """The code down to its own level: 610724 for a county, 610724001 for a street."""
        return self.full[: self.level]

    @property
    def county(self) -> str:
        return self.full[:6]

    @property
    def street_kind(self) -> StreetKind | None:
        """Street, town, township or farm; None above street level."""
        return _street_kind(self.full[6:9])

    def parent(self) -> "DivisionCode | None":
        """The division this one lies in; None for a province.

        Four cities (Dongguan, Zhongshan, Danzhou, Jiayuguan) have no counties: their streets lie in the city.
        """
        for level in reversed(DivisionLevel):
            if level < self.level and self._part(level).strip("0"):
                return DivisionCode(self.full[:level].ljust(12, "0"))
        return None

    def contains(self, other: "DivisionCode") -> bool:
        """Whether `other` is this division or lies in it."""
        return other.full.startswith(self.short)

    def _part(self, level: DivisionLevel) -> str:
        starts = {2: 0, 4: 2, 6: 4, 9: 6, 12: 9}
        return self.full[starts[level] : level]

    def __str__(self) -> str:
        return self.full


def parse_division_code(value: str, *, level: DivisionLevel | None = None) -> DivisionCode:
    """Reads a division code of 2, 4, 6, 9 or 12 characters (spaces and full-width digits are forgiven).

    Args:
        value: the code; a short one is filled up with zeros.
        level: when given, the code must be of exactly this level.

    Raises Invalid when it is not a division code or of another level.
    """
    digits = _compact(value)
    if not re.fullmatch(r"[0-9]+", digits) or len(digits) not in set(DivisionLevel):
        raise Invalid(
            _("“%(value)s”不是区划代码：应为 12 位数字（县 6 位、街道 9 位也可以）。") % {"value": value[:30]},
            code="division_code",
        )
    full = digits.ljust(12, "0")
    fault = _division_fault(full)
    if fault:
        raise Invalid(
            _("区划代码 %(value)s 有误：%(fault)s。") % {"value": digits, "fault": fault}, code="division_code"
        )
    code = DivisionCode(full)
    if level is not None and code.level != level:
        raise Invalid(
            _("区划代码 %(value)s 是%(actual)s的代码，这里要填%(wanted)s的代码。")
            % {"value": digits, "actual": _level_label(code.level), "wanted": _level_label(level)},
            code="division_level",
        )
    return code


def _division_fault(full: str) -> str:
    province, city, street, community = full[:2], full[2:4], full[6:9], full[9:]
    if province[0] == "0":
        return _("前两位不是省级代码")
    if city == "00" and full[4:].strip("0"):
        return _("第 3、4 位（市）是 00，后面却还有数字")
    if street == "000" and community != "000":
        return _("第 7 至 9 位（街道、乡镇）是 000，后面却还有数字")
    if street != "000" and _street_kind(street) is None:
        return _("第 7 至 9 位 %(street)s 不在街道 001–099、镇 100–199、乡 200–399、农场等 400–599 之内") % {
            "street": street
        }
    return ""


def _street_kind(three: str) -> StreetKind | None:
    number = int(three)
    return next((kind for low, high, kind in _STREET_RANGES if low <= number <= high), None)


def _level_label(level: DivisionLevel) -> str:
    return {
        DivisionLevel.PROVINCE: _("省"),
        DivisionLevel.CITY: _("市"),
        DivisionLevel.COUNTY: _("县（区）"),
        DivisionLevel.STREET: _("街道（乡镇）"),
        DivisionLevel.COMMUNITY: _("社区（村）"),
    }[level]


# --- Serials below the community ------------------------------------------------------------------------------------


def serial_code(parent: str, serial: int, *, width: int = 3) -> str:
    """The code of the `serial`-th child: 610724001001 and 7 give 610724001001007.

    Raises Invalid when the serial is below 1 or does not fit `width` digits.
    """
    if not 1 <= serial < 10**width:
        raise Invalid(
            _("%(parent)s 之下的顺序号 %(serial)s 超出 1 至 %(last)s。")
            % {"parent": parent, "serial": serial, "last": 10**width - 1},
            code="serial_range",
        )
    return f"{parent}{serial:0{width}d}"


def next_serial_code(parent: str, taken: Iterable[str], *, width: int = 3) -> str:
    """The code after the highest one taken below `parent`. Gaps stay gaps: a retired code is never given twice.

    Raises Invalid when the serials are used up.
    """
    serials = [
        int(code[len(parent) :])
        for code in taken
        if len(code) == len(parent) + width and code.startswith(parent) and code[len(parent) :].isdecimal()
    ]
    return serial_code(parent, max(serials, default=0) + 1, width=width)


def grid_code(community: str, serial: int) -> str:
    """A grid's 15 characters: the community's 12 and a serial of 3.

    Raises Invalid when `community` is no community's code or the serial does not fit.
    """
    return serial_code(parse_division_code(community, level=DivisionLevel.COMMUNITY).full, serial)


def parse_grid_code(value: str) -> tuple[DivisionCode, int]:
    """Community and serial of a grid code. Raises Invalid when it is none."""
    digits = _compact(value)
    if not re.fullmatch(r"[0-9]{15}", digits) or digits.endswith("000"):
        raise Invalid(
            _("“%(value)s”不是网格编码：应为 15 位数字，即社区 12 位加顺序号 3 位。") % {"value": value[:30]},
            code="grid_code",
        )
    return parse_division_code(digits[:12], level=DivisionLevel.COMMUNITY), int(digits[12:])


# --- Codes handed to people -----------------------------------------------------------------------------------------


def new_follow_code() -> str:
    """12 random digits by which a resident follows a matter. The code is the only key, so it must not be guessable.

    Never begins with 0: a spreadsheet or a note that drops leading zeros must not lose it.
    """
    return str(10**11 + secrets.randbelow(9 * 10**11))


def follow_code_of(seed: str) -> str:
    """The follow-up code that belongs to one sending of a form: the same seed always gives the same one.

    Nobody without the portal's key can tell which. What it is for: a form sent twice meets the unique code of the
    first sending instead of making a second matter.
    """
    digest = salted_hmac("jingwei.follow_code", seed, algorithm="sha256").digest()
    return str(10**11 + int.from_bytes(digest, "big") % (9 * 10**11))


def format_follow_code(code: str) -> str:
    """As it is read out and printed: 3847 2915 6602."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def parse_follow_code(value: str) -> str:
    """The 12 digits of a follow-up code as somebody typed it: spaces, hyphens and full-width digits are forgiven.

    Raises Invalid when it can not be one.
    """
    digits = _compact(value[:100])
    if not re.fullmatch(r"[0-9]{12}", digits):
        raise Invalid(_("查询码是 12 位数字，例如 3847 2915 6602，请核对后再输入。"), code="follow_code")
    return digits


def new_matter_code(day: date) -> str:
    """A matter's code, such as 20261121-482913. Random, so that it tells nobody how many there are.

    A collision within a day is possible: the caller saves under a unique constraint and tries again.
    """
    return f"{day:%Y%m%d}-{secrets.randbelow(10**6):06d}"


# No 0/o, 1/l/i: the token is also printed beneath its QR code and typed by hand.
PLACE_TOKEN_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105
PLACE_TOKEN_LENGTH = 10


def new_place_token() -> str:
    """The opaque token in a place's QR code: it names a place and tells nothing about it."""
    return _drawn(PLACE_TOKEN_LENGTH)


def _drawn(length: int) -> str:
    """Random characters nobody mistakes for one another."""
    # One draw for all characters: an import asks for a hundred thousand tokens.
    size = len(PLACE_TOKEN_ALPHABET)
    number = secrets.randbelow(size**length)
    chars = []
    for _position in range(length):
        number, rest = divmod(number, size)
        chars.append(PLACE_TOKEN_ALPHABET[rest])
    return "".join(chars)


def parse_place_token(value: str) -> str:
    """A place token as somebody typed it (capitals and spaces are forgiven). Raises Invalid when it can not be one."""
    token = _compact(value[:100]).lower()
    if len(token) != PLACE_TOKEN_LENGTH or not set(token) <= set(PLACE_TOKEN_ALPHABET):
        raise Invalid(_("这个二维码不完整，请重新扫描，或在页面上选择所在的小区楼栋。"), code="place_token")
    return token


CERTIFICATE_CODE_LENGTH = 12


def new_certificate_code() -> str:
    """The code by which anybody can check a certificate. Whoever guesses a million a second needs ten thousand years."""
    return _drawn(CERTIFICATE_CODE_LENGTH)


def format_certificate_code(code: str) -> str:
    """As it is printed and read out: K7QM 3XPD 9TWA."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4)).upper()


def parse_certificate_code(value: str) -> str:
    """A certificate's code as somebody typed it (capitals, spaces and hyphens are forgiven). Raises Invalid when it can
    not be one."""
    code = _compact(value[:100]).lower()
    if len(code) != CERTIFICATE_CODE_LENGTH or not set(code) <= set(PLACE_TOKEN_ALPHABET):
        raise Invalid(_("验证码是 12 位字母和数字，请照着证明上的填写。"), code="certificate_code")
    return code


# --- Unified social credit code (GB 32100) --------------------------------------------------------------------------

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUES = {char: value for value, char in enumerate(_USCC_ALPHABET)}


def uscc_check_character(first17: str) -> str:
    """The 18th character of a unified social credit code: weights 3^i mod 31 over its first 17."""
    total = sum(_USCC_VALUES[char] * pow(3, index, 31) for index, char in enumerate(first17))
    return _USCC_ALPHABET[-total % 31]


def parse_uscc(value: str) -> str:
    """A unified social credit code in capitals, its check character proven.

    Raises Invalid that says what is wrong: length, a letter that never occurs (I, O, S, V, Z), or the check.
    """
    code = _compact(value).upper()
    if len(code) != 18:
        raise Invalid(
            _("统一社会信用代码应为 18 位，现有 %(count)d 位，请核对。") % {"count": len(code)}, code="uscc_length"
        )
    strange = sorted(set(code) - set(_USCC_ALPHABET))
    if strange:
        raise Invalid(
            _("统一社会信用代码里不会有“%(chars)s”（字母 I、O、S、V、Z 都不使用），请核对。")
            % {"chars": "".join(strange)},
            code="uscc_characters",
        )
    if uscc_check_character(code[:17]) != code[17]:
        raise Invalid(
            _("统一社会信用代码 %(code)s 校验不通过，多半有一位抄错了，请核对。") % {"code": code}, code="uscc_check"
        )
    return code
