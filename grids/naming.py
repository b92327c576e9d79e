"""How places are named and numbered: the path in words, and the codes.

Codes (docs/practice.md, "Codes"): street and community carry a division code of 12 characters; a grid its community's
code and a serial of 3, which makes the 15 characters a province expects; everything else the code of what it hangs on
and a serial of 3. Sectors, compounds and whatever else hangs on the community itself have a letter before the serial,
so that the 15-digit space belongs to grids alone. Where 999 are not enough, the serial goes on with a letter before its
three digits (A000, A001 ...). A code is given once: it stays with its node when the node moves or is retired.
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from core.codes import next_serial_code, serial_code
from core.errors import Invalid

SEPARATOR = " · "
PATH_LENGTH = 400
NAME_LENGTH = 60
EXTERNAL_LENGTH = 40
ADDRESS_LENGTH = 200
# Twelve levels, each with a serial of four at most.
CODE_LENGTH = 60
SERIAL = 3
MOST_HOUSEHOLDS = 1_000_000
# Letters of serials beyond 999: none that stands before a serial for its level, none that is read as a digit.
BEYOND = "ABEGJKMNQRSTUVWY"

STREET, COMMUNITY, GRID = "street", "community", "grid"
# Levels whose code begins at the community wherever they hang, so that a sector or compound between is no matter.
_AT_COMMUNITY = {"sector": "P", "compound": "X", GRID: ""}
# The letter before the serial of another level that hangs on the community directly.
_LETTERS = {"building": "L", "unit_entrance": "D", "floor_section": "F", "floor": "C", "core_household": "H"}
_OTHER = "Z"

# First serial by what the name ends with: towns from 100, townships from 200; villages from 200 within a street.
_STREET_STARTS = (("镇", 100), ("乡", 200))
_COMMUNITY_STARTS = (("村", 200),)


def path_of(parent_path: str, name: str) -> str:
    """The place in words, street first: 城北街道 · 新民社区 · 1 号楼.

    Raises Invalid when it is longer than the column.
    """
    path = f"{parent_path}{SEPARATOR}{name}" if parent_path else name
    check_path_length(len(path))
    return path


def check_path_length(length: int) -> None:
    """Raises Invalid when a path of this length does not fit."""
    if length > PATH_LENGTH:
        raise Invalid(
            _("从街道到这里的名称连起来有 %(length)d 字，最多 %(limit)d 字，请把名称改短。")
            % {"length": length, "limit": PATH_LENGTH},
            fields={"name": _("名称太长。")},
        )


def steps_of(path: str) -> list[str]:
    """The names in a path, street first, for a breadcrumb."""
    return path.split(SEPARATOR) if path else []


def code_prefix(level_key: str, *, parent_code: str, community_code: str, on_community: bool) -> str:
    """What the serial of a node below the community is appended to.

    Args:
        level_key: the node's level. `parent_code`, `community_code`: of the nodes above it.
        on_community: whether it hangs on the community itself.
    """
    if level_key in _AT_COMMUNITY:
        return community_code + _AT_COMMUNITY[level_key]
    return community_code + _LETTERS.get(level_key, _OTHER) if on_community else parent_code


def next_street_code(county_code: str, name: str, taken: Iterable[str]) -> str:
    """The next free division code of a street, town or township of the county, by what its name ends with.

    Raises Invalid when the serials of its kind are used up.
    """
    return _next_division(county_code, _start(name, _STREET_STARTS), (code[:9] for code in taken)) + "000"


def next_community_code(street_code: str, name: str, taken: Iterable[str]) -> str:
    """The next free division code of a community or village of the street. Raises as `next_street_code`."""
    return _next_division(street_code[:9], _start(name, _COMMUNITY_STARTS), taken)


def _start(name: str, table: tuple[tuple[str, int], ...]) -> int:
    return next((start for ending, start in table if name.endswith(ending)), 1)


def _next_division(prefix: str, start: int, taken: Iterable[str]) -> str:
    """The serial after the highest one in its band: 001-099 (communities 001-199), 100-199, 200 and on."""
    end = {1: 99 if len(prefix) == 6 else 199, 100: 199, 200: 399 if len(prefix) == 6 else 999}[start]
    band = [code for code in taken if code.startswith(prefix) and start <= _serial(code, prefix) <= end]
    code = next_serial_code(prefix, [*band, f"{prefix}{start - 1:03d}"], width=SERIAL)
    if _serial(code, prefix) > end:
        raise Invalid(
            _("%(prefix)s 之下的编码已用完，请自行填写编码。") % {"prefix": prefix}, fields={"code": _("请填写。")}
        )
    return code


def _serial(code: str, prefix: str) -> int:
    rest = code[len(prefix) : len(prefix) + SERIAL]
    return int(rest) if rest.isdecimal() else 0


def code_after(prefix: str, serial: int) -> str:
    """The code with the serial after this one below `prefix`: 001 ... 999, A000 ... A999, B000 ...

    Raises Invalid when the serials are used up.
    """
    serial += 1
    beyond, rest = divmod(serial, 1000)
    if not beyond:
        return serial_code(prefix, serial, width=SERIAL)
    if beyond > len(BEYOND):
        raise Invalid(_("%(prefix)s 之下的编码已用完。") % {"prefix": prefix})
    return f"{prefix}{BEYOND[beyond - 1]}{rest:03d}"


def serial_below(prefix: str, code: str) -> int:
    """Which serial below `prefix` a code is; 0 when it is none."""
    rest = code[len(prefix) :]
    if not (code.startswith(prefix) and rest.isascii() and rest[-SERIAL:].isdigit()):
        return 0
    if len(rest) == SERIAL:
        return int(rest)
    return 1000 * (BEYOND.find(rest[0]) + 1) + int(rest[1:]) if len(rest) == SERIAL + 1 and rest[0] in BEYOND else 0
