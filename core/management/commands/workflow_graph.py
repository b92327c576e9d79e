from typing import Any

from django.core.management.base import BaseCommand

from core import workflow


class Command(BaseCommand):
    help = "把所有流转表打印为 Mermaid 状态图（docs/workflow.md 由它生成）。"

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("# 流转图\n")
        self.stdout.write("由 `manage.py workflow_graph` 从流转表生成，请勿手改。\n")
        for flow in workflow.registered():
            self.stdout.write(f"## {flow.label}\n")
            self.stdout.write(f"```mermaid\n{workflow.mermaid(flow)}\n```\n")
