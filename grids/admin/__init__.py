"""Admin pages of this floor."""

from django.utils.translation import gettext_lazy as lazy

from core.audit_words import name_deeds, name_fields
from grids.admin import appointments, care, coverage, levels, nodes, supervision

name_deeds(
    {
        "appointment.start": lazy("任命"),
        "appointment.end": lazy("离任"),
        "appointment.hand_over": lazy("交接"),
        "appointment.correct": lazy("更正任职"),
        "compound.describe": lazy("登记小区情况"),
        "county.create": lazy("建县"),
        "county.levels": lazy("设置层级"),
        "node.create": lazy("新建网格"),
        "node.describe": lazy("修改网格资料"),
        "node.merge": lazy("合并网格"),
        "node.move": lazy("调整隶属"),
        "node.rename": lazy("网格改名"),
        "node.retire": lazy("撤销网格"),
        "node.split": lazy("拆分网格"),
        "place.follow": lazy("随网格调整"),
        "remediation.register": lazy("登记整治项目"),
        "remediation.update": lazy("修改整治项目"),
        "remediation.photos": lazy("上传整治照片"),
        "remediation.unphoto": lazy("删除整治照片"),
        "remediation.drop": lazy("删除整治项目"),
        "place.supervision_phone": lazy("设置监督电话"),
        "sheet.import": lazy("导入表格"),
        "sheet.export": lazy("导出台账"),
    }
)
name_fields(
    {
        "levels": lazy("层级"),
        "merged": lazy("并入"),
        "split_from": lazy("拆分自"),
        "split_into": lazy("拆分出"),
        "successor": lazy("接任的任职编号"),
        "sha256": lazy("文件指纹"),
        "created": lazy("新增"),
        "updated": lazy("修改"),
        "unchanged": lazy("没有变化"),
        "errors": lazy("有错误"),
    }
)

__all__ = ["appointments", "care", "coverage", "levels", "nodes", "supervision"]
