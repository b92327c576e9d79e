from typing import Any

from django.core.management.base import BaseCommand

from core import workflow


class Command(BaseCommand):
    help = "把所有流转表打印为 Mermaid 状态图（docs/workflow.md 由它生成）。"

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(workflow.document(), ending="")
