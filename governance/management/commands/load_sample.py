import datetime
import unicodedata
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from core.accounts import new_password
from governance.sample.load import Loaded, load
from grids.models import County


class Command(BaseCommand):
    help = "载入示例县：西乡县（按公开报道的规模）、镇安县和镇赉县（小样本）。人名、电话、需求内容均为虚构。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as-of", metavar="DATE", help="示例以哪一天为“今天”，如 2026-11-20；默认为今天")
        parser.add_argument("--password", help="示例账号的登录密码；默认随机生成，只显示一次")
        parser.add_argument("--force", action="store_true", help="允许载入另行配置的（非内置）数据库")

    def handle(self, *args: Any, **options: Any) -> None:
        day = self._day(options["as_of"])
        self._check_database(force=options["force"])
        password = options["password"] or new_password()
        loaded = load(day, password)
        self._print(loaded, password)

    @staticmethod
    def _day(value: str | None) -> datetime.date:
        if value is None:
            return timezone.localdate()
        try:
            return datetime.date.fromisoformat(value)
        except ValueError as error:
            raise CommandError(_("“%(value)s”不是日期，请写成 2026-11-20 的样子。") % {"value": value}) from error

    @staticmethod
    def _check_database(*, force: bool) -> None:
        counties = "、".join(County.objects.values_list("name", flat=True)[:5])
        if counties:
            raise CommandError(
                _(
                    "数据库里已有县（%(counties)s），没有载入示例。示例只能载入空数据库：请换一个数据库，或另设 DATA_DIR。"
                )
                % {"counties": counties}
            )
        if not settings.EMBEDDED and not force:
            raise CommandError(
                _("当前使用的是另行配置的数据库（DATABASE_URL），没有载入示例。确实要载入，请加 --force。")
            )

    def _print(self, loaded: Loaded, password: str) -> None:
        for county, told in loaded.counts.items():
            self.stdout.write(
                _(
                    "已载入%(county)s：网格 %(nodes)d 个，人员 %(people)d 名，单位 %(units)d 个，"
                    "包联 %(pairings)d 项，需求 %(demands)d 条，关爱家庭 %(households)d 户，承诺 %(commitments)d 项，项目 %(projects)d 个。"
                )
                % {"county": county, **told}
            )
        self.stdout.write(_("示例账号（密码都是 %(password)s ，只显示这一次）：") % {"password": password})
        rows = [(_("角色"), _("姓名"), _("手机号"), _("入口"))]
        rows += [(one.role, one.user.name, one.user.phone, one.door) for one in loaded.sign_ins]
        for line in _table(rows):
            self.stdout.write(line)
        if loaded.token:
            address = f"{settings.PUBLIC_URL.rstrip('/')}/r/{loaded.token}/"
            self.stdout.write(_("居民扫码的地址举例（楼栋二维码）：%(address)s") % {"address": address})


def _width(text: str) -> int:
    """Columns in a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  " + "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
