import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from core.audit_check import Check


class Command(BaseCommand):
    help = "核验审计记录：逐行、逐封存检查，发现改动或删除时退出码为 1（说明见 docs/audit.md）。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=100, help="最多列出多少处问题（默认 100）")

    def handle(self, *args: Any, **options: Any) -> None:
        check = Check()
        problems = 0
        for finding in check.run():
            problems += finding.problem
            if not finding.problem:
                self.stdout.write(_("提示：%(text)s") % {"text": finding.text})
            elif problems <= options["limit"]:
                self.stderr.write(_("问题：%(text)s") % {"text": finding.text})
        if problems > options["limit"]:
            self.stderr.write(_("另有 %(n)s 处问题没有列出。") % {"n": problems - options["limit"]})
        read = {"rows": check.rows, "chains": check.chains, "seals": check.seals, "problems": problems}
        if problems:
            self.stderr.write(
                _("核验未通过：%(rows)s 行、%(chains)s 条记录链、%(seals)s 个封存中有 %(problems)s 处问题。") % read
            )
            sys.exit(1)
        self.stdout.write(_("核验通过：%(rows)s 行、%(chains)s 条记录链、%(seals)s 个封存。") % read)
