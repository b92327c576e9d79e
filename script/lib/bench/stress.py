"""See script/stress-tree."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT)]


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=30.0)
    options.add_argument("--writers", type=int, default=16)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    os.environ.update(
        DATA_DIR=tempfile.mkdtemp(),
        SECRET_KEY="b" * 60,
        AUDIT_KEY="a" * 60,
        LOG_LEVEL="ERROR",
        DJANGO_SETTINGS_MODULE="governance.settings",
    )
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from grids.models import GridNode
    from grids.soundness import faults
    from services.actions.tallies import differences, refresh_tallies
    from tests.grids import writers

    if connection.vendor != "postgresql":
        print("没有 PostgreSQL，无法比试。")
        return 75
    call_command("migrate", verbosity=0)
    street = writers.build(officers=chosen.writers)
    before = GridNode.objects.count()
    outcome = writers.run(street, writers=chosen.writers, seconds=chosen.seconds, seed=chosen.seed)
    done = sum(outcome.done.values())
    print(f"{chosen.writers} 人同时改动一个街道，{outcome.seconds:.0f} 秒，种子 {chosen.seed}")
    print(f"节点 {before} → {GridNode.objects.count()}；办成 {done} 件（每秒 {done / outcome.seconds:.0f} 件）")
    for name, count in outcome.done.most_common():
        print(f"  {name:10} {count:6}   最慢 {outcome.slowest[name]:.2f} 秒")
    print(f"按规则拒绝 {sum(outcome.refused.values())} 件")
    for (name, code), count in sorted(outcome.refused.items()):
        print(f"  {name:10} {code:16} {count:6}")
    print(f"用户遇到的死锁：{len(outcome.deadlocks)}；其他故障：{len(outcome.faults)}")
    for line in [*outcome.deadlocks[:5], *outcome.faults[:5]]:
        print(f"  {line}")
    wrong = list(faults())
    while refresh_tallies():
        pass
    differing = list(differences(street.county))
    print(f"check_tree：{len(wrong)} 处错误；check_tallies：{len(differing)} 处差异")
    for line in [*wrong[:10], *differing[:5]]:
        print(f"  {line}")
    return 1 if outcome.deadlocks or outcome.faults or wrong or differing else 0


if __name__ == "__main__":
    sys.exit(main())
