"""Makes a county with its first administrator on an empty production database."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from core.errors import DomainError
from governance.setup import set_up_county
from grids.levels import PRESETS


class Command(BaseCommand):
    help = "建县：层级、诉求类别、办理时限和第一位县级管理员。用于空的正式数据库。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        presets = "、".join(f"{preset.key}（{preset.name}）" for preset in PRESETS.values())
        parser.add_argument("--code", required=True, help="县的区划代码，6 位，例如 610724")
        parser.add_argument("--name", required=True, help="县名，例如 西乡县")
        parser.add_argument("--preset", required=True, help=f"层级：{presets}")
        parser.add_argument("--admin-phone", required=True, help="第一位管理员的手机号码，就是登录名")
        parser.add_argument("--admin-name", required=True, help="第一位管理员的姓名")
        parser.add_argument("--department", default="", help="主管部门，默认县委组织部")
        parser.add_argument("--another", action="store_true", help="库里已有别的县，再建一个（两县互不可见）")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            begun = set_up_county(
                code=options["code"],
                name=options["name"],
                preset=options["preset"],
                admin_phone=options["admin_phone"],
                admin_name=options["admin_name"],
                department=options["department"],
                another=options["another"],
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        levels = " → ".join(begun.county.levels.values_list("name", flat=True))
        words = {
            "county": begun.county.name,
            "code": begun.county.code,
            "levels": levels,
            "admin": begun.admin.name,
            "phone": begun.admin.phone,
            "password": begun.password,
            "url": settings.PUBLIC_URL,
        }
        self.stdout.write(_("已建立%(county)s（%(code)s）：%(levels)s") % words)
        self.stdout.write(_("管理员 %(admin)s 的登录名：%(phone)s") % words)
        self.stdout.write(_("首次密码（只显示这一次，登录后须修改）：%(password)s") % words)
        self.stdout.write(_("登录地址：%(url)s/，下一步：在“网格”里建立街道和社区，再开通人员账号。") % words)
