"""Which resource could meet which demand: what is looked at (`features`), what it counts (`weights`, `scorer`), and the
choice for a whole list at once (`solver`). No database in here. Source: docs/domain.md#g2, docs/decisions/0023.
"""
