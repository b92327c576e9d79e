"""Proves that every tree is sound; says what is wrong and leaves with 1 when one is not."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from grids.soundness import faults

SHOWN = 200


class Command(BaseCommand):
    help = "检查网格树：边界、上下级、层级顺序、深度、树号、所属社区、位置、撤销的节点，以及挂在节点上的记录。"

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for fault in faults():
            count += 1
            if count <= SHOWN:
                self.stdout.write(fault)
        if count > SHOWN:
            self.stdout.write(_("……另有 %(count)d 处未列出。") % {"count": count - SHOWN})
        if count:
            raise CommandError(_("网格树有 %(count)d 处错误。") % {"count": count})
        self.stdout.write(_("网格树没有问题。"))
