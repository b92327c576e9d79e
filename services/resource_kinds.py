"""What becomes of a promised quantity when the project that held it is done. Source: docs/domain.md#l1."""

from services.models import ResourceKind

# Whether the quantity is free again: a room is given back, money is spent and a talk has been given.
COMES_BACK: dict[str, bool] = {
    ResourceKind.PEOPLE: True,
    ResourceKind.SKILL: True,
    ResourceKind.PLACE: True,
    ResourceKind.EQUIPMENT: True,
    ResourceKind.MONEY: False,
    ResourceKind.SERVICE: False,
}
USED_UP = [str(kind) for kind, back in COMES_BACK.items() if not back]

# The word a person starts with when the measure is asked for.
MEASURES: dict[str, str] = {
    ResourceKind.PEOPLE: "人",
    ResourceKind.SKILL: "人",
    ResourceKind.PLACE: "间",
    ResourceKind.EQUIPMENT: "台",
    ResourceKind.MONEY: "元",
    ResourceKind.SERVICE: "场",
}
