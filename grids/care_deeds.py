"""What can be done with an entry of the care ledger: one table for the desk and the phone."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.deeds import Deed, Shown
from grids import care_forms as forms
from grids.actions.care import (
    confirm_household,
    correct_household,
    move_household,
    record_visit,
    register_household,
)
from grids.actions.care_erase import erase_household
from grids.actions.care_reveal import reveal_household
from grids.models import CareHousehold
from grids.posts import ERASE_CARE, MANAGE_CARE, REVEAL_CARE


def _register(*, actor: Any, obj: None, **data: Any) -> CareHousehold:
    return register_household(actor=actor, **data)


def _visit(*, actor: Any, obj: CareHousehold, **data: Any) -> None:
    record_visit(actor=actor, household=obj, **data)


def _confirm(*, actor: Any, obj: CareHousehold, agreed: bool, **data: Any) -> None:
    confirm_household(actor=actor, household=obj, **data)


def _correct(*, actor: Any, obj: CareHousehold, **data: Any) -> None:
    correct_household(actor=actor, household=obj, **data)


def _move(*, actor: Any, obj: CareHousehold, **data: Any) -> None:
    move_household(actor=actor, household=obj, **data)


def _reveal(*, actor: Any, obj: CareHousehold, **data: Any) -> Shown:
    found = reveal_household(actor=actor, household=obj, **data)
    return Shown(
        _("联系方式"),
        ((_("联系人"), found.name), (_("联系电话"), found.phone or _("没有电话")), (_("门牌"), found.room)),
        _("只显示这一次，这次查看和用途已经记录。请不要抄录、转发。"),
    )


def _erase(*, actor: Any, obj: CareHousehold, **data: Any) -> None:
    erase_household(actor=actor, household=obj, **data)


def _holds(household: CareHousehold) -> bool:
    return household.expires_on > timezone.localdate()


REGISTER = Deed(
    "add",
    lazy("登记家庭"),
    MANAGE_CARE,
    forms.RegisterForm,
    _register,
    lazy("已登记。"),
    help=lazy("只登记本人或监护人同意登记的家庭，只登记上门帮忙用得到的内容。"),
    tone="main",
)
VISIT = Deed(
    "visit",
    lazy("记录走访"),
    MANAGE_CARE,
    forms.VisitForm,
    _visit,
    lazy("走访已记录。"),
    tone="main",
    offered=_holds,
)
CONFIRM = Deed(
    "confirm",
    lazy("核实"),
    MANAGE_CARE,
    forms.ConfirmForm,
    _confirm,
    lazy("已核实。"),
    help=lazy("核实后重新计算有效期。"),
)
CORRECT = Deed("correct", lazy("修改登记"), MANAGE_CARE, forms.CorrectForm, _correct, lazy("已保存。"), offered=_holds)
MOVE = Deed(
    "move",
    lazy("搬家"),
    MANAGE_CARE,
    forms.MoveForm,
    _move,
    lazy("已调整到新的地点。"),
    help=lazy("只在本社区内调整。搬到别的社区的，请社区删除，由那边征得同意后重新登记。"),
    offered=_holds,
)
REVEAL = Deed(
    "reveal",
    lazy("查看联系方式"),
    REVEAL_CARE,
    forms.RevealForm,
    _reveal,
    "",
    help=lazy("谁、什么时候、为什么查看，都会记录。"),
    offered=_holds,
)
ERASE = Deed(
    "erase",
    lazy("删除"),
    ERASE_CARE,
    forms.EraseForm,
    _erase,
    lazy("已删除，系统里不再有这户的任何内容。"),
    help=lazy(
        "登记、走访记录和含有这户的导出、导入文件一并删除，不能恢复。等待导入的关爱台账表格也会清除，需要的请重新上传。"
        "数据库备份里的，随备份到期清除。"
    ),
    tone="danger",
)
DEEDS = (VISIT, CONFIRM, CORRECT, MOVE, REVEAL, ERASE)
