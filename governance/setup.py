"""A county begins: its levels, its categories and limits, and the first person who may make accounts."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts import create_account
from core.actors import SYSTEM
from core.errors import Conflict
from core.models import User
from grids.actions import appoint, create_county
from grids.models import County
from services.defaults import make_defaults


@dataclass(frozen=True)
class Begun:
    """A county just made. `password` is the administrator's first one, stored nowhere: print it once."""

    county: County
    admin: User
    password: str


@transaction.atomic
def set_up_county(
    *, code: str, name: str, preset: str, admin_phone: str, admin_name: str, department: str = "", another: bool = False
) -> Begun:
    """Makes a county on an empty database, in the system's name; for `manage.py setup_county`. All or nothing.

    Args:
        code: the county's division code. preset: key of `grids.levels.PRESETS`.
        admin_phone, admin_name: the first administrator, who must change the password at the first sign-in.
        department: who is in charge; 县委组织部 when empty.
        another: whether a county beside those that stand is meant.

    Raises:
        Conflict: a county stands already and `another` is not said, or this one does, or the phone has an account.
        Invalid: one of the inputs is not usable.
    """
    standing = list(County.objects.values_list("name", "code"))
    if standing and not another:
        raise Conflict(
            _("这个数据库里已有%(counties)s，没有做任何改动。确实要再建一个县，请加上 --another。")
            % {"counties": "、".join(f"{known}（{number}）" for known, number in standing)},
            code="county_exists",
        )
    county = create_county(actor=SYSTEM, code=code, name=name, preset=preset, department=department)
    make_defaults(county)
    admin, password = create_account(actor=SYSTEM, phone=admin_phone, name=admin_name, place=None, county_key=county.pk)
    appoint(actor=SYSTEM, user=admin, post="county_admin", place=county)
    return Begun(county, admin, password)
