from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from core.actors import SYSTEM, Actor
from core.errors import DomainError
from core.models import User
from core.uploads import read_at_most
from grids.models import GridNode
from services.actions.import_places import Placed
from services.actions.import_rows import MAX_BYTES
from services.actions.importing import Outcome, import_demands


class Command(BaseCommand):
    help = "把信访、热线等平台导出的表格（xlsx、csv）导入一个社区的需求。说明见 docs/guide/import.md。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="表格文件：.xlsx，或 UTF-8、GB18030 编码的 .csv")
        parser.add_argument("--community", required=True, metavar="CODE", help="社区的编码（12 位区划代码）")
        parser.add_argument("--dry-run", action="store_true", help="只核对，不写入")
        parser.add_argument(
            "--keep-good", action="store_true", help="有错误的行不导入，其余导入（默认有一行错误就都不导入）"
        )
        parser.add_argument(
            "--as", dest="phone", metavar="PHONE", help="以这个账号（手机号码）的名义和权限导入，默认以系统名义"
        )
        parser.add_argument("--errors", metavar="FILE", help="把有错误的行写成一份带“错误信息”列的 .xlsx")
        parser.add_argument("--limit", type=int, default=100, help="最多列出多少处错误（默认 100）")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            outcome = self._import(options)
        except DomainError as error:
            raise CommandError(error.message) from error
        self._report(outcome, options["limit"])
        if options["errors"] and outcome.report.errors:
            Path(options["errors"]).write_bytes(outcome.error_file())
            self.stdout.write(_("有错误的行已写入 %(file)s") % {"file": options["errors"]})
        if not outcome.written and not outcome.dry_run:
            raise CommandError(
                _("有 %(count)d 行有错误，没有导入任何内容。改好后再导入；或加 --keep-good，只导入没有错误的行。")
                % {"count": outcome.report.bad_rows}
            )

    def _import(self, options: dict[str, Any]) -> Outcome:
        path = Path(options["file"])
        try:
            with path.open("rb") as file:
                content = read_at_most(file, MAX_BYTES, what=_("表格文件"), advice=_("请分成几个文件分别导入。"))
        except OSError as error:
            raise CommandError(
                _("打不开文件 %(file)s：%(why)s") % {"file": path, "why": error.strerror or error}
            ) from error
        return import_demands(
            actor=self._actor(options["phone"]),
            community=self._community(options["community"]),
            content=content,
            filename=path.name,
            dry_run=options["dry_run"],
            keep_good=options["keep_good"],
        )

    def _actor(self, phone: str | None) -> Actor:
        if phone is None:
            return SYSTEM
        user = User.objects.active().filter(phone=phone).first()
        if user is None:
            raise CommandError(_("没有手机号码为 %(phone)s 的在用账号。") % {"phone": phone})
        return user

    def _community(self, code: str) -> GridNode:
        found = GridNode.objects.select_related("county__loop_settings").filter(code=code.strip()).first()
        if found is None:
            raise CommandError(_("没有编码为 %(code)s 的社区。") % {"code": code})
        return found

    def _report(self, outcome: Outcome, limit: int) -> None:
        report, table = outcome.report, outcome.reading.table
        how = "，".join(part for part in (table.kind, table.encoding, table.sheet) if part)
        self.stdout.write(
            _("%(file)s（%(how)s）：读取 %(rows)d 行") % {"file": table.filename, "how": how, "rows": report.total}
        )
        for note in report.notes:
            self.stdout.write(note)
        if report.ignored_columns:
            self.stdout.write(_("没有读取的列：%(columns)s") % {"columns": "、".join(report.ignored_columns)})
        if outcome.categories:
            counted = "、".join(f"{name} {count}" for name, count in outcome.categories)
            self.stdout.write(_("类别（按关键词判断）：%(counted)s") % {"counted": counted})
            self.stdout.write(_("地点：%(counted)s") % {"counted": place_words(outcome.places)})
        for error in report.errors[:limit]:
            number = outcome.reading.numbers.get(error.row, "")
            where = _("第 %(row)d 行") % {"row": error.row}
            where += _("（编号 %(number)s）") % {"number": number} if number else ""
            where += f"“{error.column}”" if error.column else ""
            self.stdout.write(f"{where}：{error.message}")
        if len(report.errors) > limit:
            self.stdout.write(_("另有 %(count)d 处错误没有列出。") % {"count": len(report.errors) - limit})
        self.stdout.write(
            _("%(created)s %(new)d，以前已导入 %(unchanged)d，跳过 %(skipped)d，有错误 %(bad)d")
            % {
                "created": _("可以新增") if outcome.dry_run else _("新增"),
                "new": report.created,
                "unchanged": report.unchanged,
                "skipped": report.skipped,
                "bad": report.bad_rows,
            }
        )


def place_words(places: dict[str, int]) -> str:
    """How many rows were hung where, in words; what did not occur is left out."""
    words = {
        Placed.FOUND: _("认出具体地点 %(count)d"),
        Placed.PARTLY: _("只认出地点开头 %(count)d"),
        Placed.NONE: _("没有写地点 %(count)d（挂在社区）"),
        Placed.UNKNOWN: _("认不出地点 %(count)d（挂在社区）"),
        Placed.AMBIGUOUS: _("地点重名 %(count)d（挂在社区）"),
    }
    shown = [text % {"count": places[placed]} for placed, text in words.items() if places.get(placed)]
    return "、".join(shown)
