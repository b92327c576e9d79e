"""Whatever sequence of writes a county makes, the trees stay sound."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from core.actors import SYSTEM
from core.errors import Conflict, Invalid
from grids.actions import create_county, create_node, move_node, rename_node, retire_node
from grids.levels import PRESETS
from grids.models import County, GridNode
from grids.soundness import faults
from services.models import Category
from tests.factories import make_categories, make_demand

pick = st.integers(0, 10**6)
LEVELS = sorted({level.key for preset in PRESETS.values() for level in preset.levels})


class Tree(RuleBasedStateMachine):
    """Random makings, moves, renamings and retirings over two streets; the actions may refuse, never break."""

    county: County
    category: Category

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.names = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    def node(self, number: int) -> GridNode:
        nodes = list(GridNode.objects.select_related("level_type", "county").order_by("pk"))
        return nodes[number % len(nodes)]

    def name(self) -> str:
        self.names += 1
        return f"第{self.names}号"

    @initialize(preset=st.sampled_from(sorted(PRESETS)))
    def begin(self, preset: str) -> None:
        self.county = create_county(actor=SYSTEM, code="610724", name="西乡县", preset=preset)
        self.category = make_categories(self.county)["其他"]
        for street in ("城北街道", "城南街道"):
            root = create_node(actor=SYSTEM, county=self.county, level="street", name=street)
            for community in ("东社区", "西社区"):
                create_node(actor=SYSTEM, parent=root, level="community", name=community)

    @rule(parent=pick, level=st.sampled_from(LEVELS))
    def create(self, parent: int, level: str) -> None:
        try:
            create_node(actor=SYSTEM, parent=self.node(parent), level=level, name=self.name())
        except (Invalid, Conflict):
            pass

    @rule(parent=pick, step=st.integers(0, 6))
    def create_below(self, parent: int, step: int) -> None:
        """As `create`, at a level that fits, so that the trees really grow."""
        above = self.node(parent)
        fitting = [level.key for level in self.county.levels.filter(order__gt=above.level_type.order)]
        if fitting:
            level = "community" if above.parent_id is None else fitting[step % len(fitting)]
            try:
                create_node(actor=SYSTEM, parent=above, level=level, name=self.name())
            except Conflict:
                assert above.is_retired

    @rule()
    def create_street(self) -> None:
        create_node(actor=SYSTEM, county=self.county, level="street", name=self.name())

    @rule(node=pick, parent=pick)
    def move(self, node: int, parent: int) -> None:
        moving, target = self.node(node), self.node(parent)
        try:
            move_node(actor=SYSTEM, node=moving, parent=target)
        except (Invalid, Conflict):
            return
        if moving.parent_id != target.pk:
            siblings = GridNode.objects.filter(parent=target).order_by("lft")
            assert list(siblings)[-1].pk == moving.pk

    @rule(node=pick)
    def rename(self, node: int) -> None:
        renamed = self.node(node)
        try:
            rename_node(actor=SYSTEM, node=renamed, name=self.name())
        except Conflict:
            assert renamed.is_retired

    @rule(node=pick)
    def retire(self, node: int) -> None:
        try:
            retire_node(actor=SYSTEM, node=self.node(node), reason="调整")
        except Conflict:
            pass

    @rule(node=pick)
    def raise_demand(self, node: int) -> None:
        place = self.node(node)
        if place.community_id and not place.is_retired:
            make_demand(place, self.category)

    @invariant()
    def sound(self) -> None:
        assert list(faults()) == []


@pytest.mark.embedded
def test_random_writes_leave_every_tree_sound(db: None) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Tree,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
