"""The body of script/stress-loop: pytest with one test, and the figures in its environment."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/stress-loop")
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    os.chdir(ROOT)
    os.environ["STRESS_LOOP"] = f"{asked.examples} {asked.steps}"
    test = "tests/services/test_loop_stateful.py"
    return pytest.main(["-q", "-s", "-p", "no:randomly", f"--hypothesis-seed={asked.seed}", test])


if __name__ == "__main__":
    sys.exit(main())
