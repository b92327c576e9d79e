"""The auditor of a county reads its deeds, and no other county's: every audited row knows its county."""

from core.actors import SYSTEM
from core.models import AuditEntry
from grids.actions import appoint, create_node
from partybuilding.actions import add_member, add_membership, create_organisation, create_unit
from services.actions import check_in
from tests.cast import Cast


def test_every_deed_of_these_floors_is_read_by_its_own_auditor_alone(cast: Cast) -> None:
    create_node(actor=cast.admin, parent=cast.a.grid, level="building", name="9 号楼")
    appoint(actor=cast.admin, user=cast.nobody, post="grid_keeper", place=cast.a.grid)
    unit = create_unit(actor=cast.admin, county=cast.county, name="县供电局")
    add_membership(actor=cast.admin, user=cast.nobody, unit=unit)
    add_member(actor=cast.admin, county=cast.county, name="张三", phone="13612345678")
    create_organisation(actor=cast.admin, county=cast.county, name="供电局党支部", unit=unit)
    check_in(actor=cast.a.secretary, unit=unit, node=cast.a.node)
    create_node(actor=SYSTEM, parent=cast.other_county_community, level="grid", name="邻县网格")
    read = set(AuditEntry.objects.all().visible_to(cast.auditor).values_list("action", flat=True))
    assert read == {
        "node.create",
        "appointment.start",
        "unit.create",
        "membership.start",
        "member.add",
        "organisation.create",
        "checkin.start",
    }
    assert AuditEntry.objects.visible_to(cast.auditor).count() == AuditEntry.objects.count() - 1
    assert not AuditEntry.objects.filter(county_id=None).exists()
