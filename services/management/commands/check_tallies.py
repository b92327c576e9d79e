from typing import Any

from django.core.management.base import BaseCommand, CommandError

from grids.models import County
from services.actions.tallies import differences, rebuild_tallies


class Command(BaseCommand):
    help = "核对统计表与需求记录是否一致；--rebuild 重新统计。"

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--rebuild", action="store_true", help="先重新统计，再核对")

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for county in County.objects.all():
            if options["rebuild"]:
                self.stdout.write(f"{county}：重新统计了 {rebuild_tallies(county)} 格。")
            for line in differences(county):
                wrong += 1
                self.stdout.write(f"{county}：{line}")
        if wrong:
            raise CommandError(f"统计表有 {wrong} 处不一致，可用 --rebuild 重新统计。")
        self.stdout.write("统计表与需求记录一致。")
