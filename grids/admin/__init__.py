"""Admin pages of this floor."""

from django.utils.translation import gettext_lazy as lazy

from core.audit_words import name_deeds, name_fields
from grids.admin import appointments, nodes

name_deeds(
    {
        "appointment.start": lazy("任命"),
        "appointment.end": lazy("离任"),
        "county.create": lazy("建县"),
        "county.levels": lazy("设置层级"),
        "node.create": lazy("新建网格"),
        "node.describe": lazy("修改网格资料"),
        "node.move": lazy("调整隶属"),
        "node.rename": lazy("网格改名"),
        "node.retire": lazy("撤销网格"),
    }
)
name_fields({"levels": lazy("层级")})

__all__ = ["appointments", "nodes"]
