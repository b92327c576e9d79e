"""After a service both sides rate (双向评价): the community the unit, the unit the community. Source: docs/domain.md#x2, #g5.

Once per side and service, of a service that is over: an order closed off, a project accepted, a promise kept. Nobody rates
the side they belong to, and who belongs to both rates neither.
"""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import Actor, user_of
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.text import clean_text
from grids.models import GridNode
from partybuilding.models import Unit
from partybuilding.policies import UnitScope
from services import posts
from services.models import (
    Commitment,
    CommitmentState,
    DemandState,
    Project,
    ProjectState,
    RatingSide,
    Satisfaction,
    ServiceRating,
    SubOrder,
    SubOrderState,
)

Service = SubOrder | Project | Commitment


@dataclass(frozen=True)
class _Sides:
    """Who served whom."""

    unit: Unit
    community: GridNode
    column: str


@transaction.atomic
def rate(
    *, actor: Actor, side: str, service: Service, grade: str, text: str = "", unit: Unit | None = None
) -> ServiceRating:
    """Says how the other side did in one service.

    Args:
        side: of `RatingSide`, who speaks. service: what was done.
        grade: of `Satisfaction`. text: at most 500 characters.
        unit: of a project, which of its units; its lead unit when not given.

    Raises:
        NotFound, Forbidden: the actor does not speak for that side, or belongs to the other one as well.
        Invalid: the grade or the words are not usable. Conflict: the service is not over, or was rated by this side.
    """
    row = type(service)._default_manager.select_for_update(of=("self",)).filter(pk=service.pk).first()
    if row is None:
        raise NotFound(_("没有找到这次服务，或不在您的管辖范围内。"))
    sides = _sides(row, unit)
    _require_side(actor, side, sides)
    if grade not in Satisfaction.values:
        raise Invalid(_("请选择评价。"), fields={"grade": _("请选择满意、基本满意或不满意。")})
    words = clean_text(text, max_length=500, label=_("意见"), field="text")
    rating = ServiceRating(
        county_id=sides.unit.county_id,
        community=sides.community,
        unit=sides.unit,
        side=side,
        grade=grade,
        text=scrub_identity_numbers(scrub_phone_numbers(words)),
        by=user_of(actor),
        **{sides.column: row},
    )
    try:
        with transaction.atomic():
            rating.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(_("这次服务已经评价过了，一方只评一次。"), code="rated_already") from error
    changes = {"side": (None, side), "grade": (None, grade), f"{sides.column}_id": (None, row.pk)}
    label = f"{sides.community.name} {sides.unit.label}"
    audit.record(actor=actor, action="rating.give", obj=rating, changes=changes, label=label, new=True)
    return rating


def _sides(row: Service, unit: Unit | None) -> _Sides:
    """Raises Conflict when the service is not over, Invalid when it has no such unit or no community."""
    over = False
    if isinstance(row, SubOrder):
        over = row.state == SubOrderState.FINISHED and row.demand.state == DemandState.CLOSED_OFF
        sides = _Sides(row.unit, row.demand.community, "suborder")
    elif isinstance(row, Commitment):
        over = row.state == CommitmentState.DONE
        if row.unit is None:
            raise Invalid(_("党员个人的承诺不作双向评价。"))
        sides = _Sides(row.unit, row.community, "commitment")
    else:
        over = row.state == ProjectState.DONE
        units = [one for one in (row.lead_unit, *row.supporting.all()) if one is not None]
        chosen = next((one for one in units if unit is None or one.pk == unit.pk), None)
        if chosen is None or row.community is None:
            raise Invalid(_("请选择这个项目的牵头或配合单位；全街道的项目不作双向评价。"))
        sides = _Sides(chosen, row.community, "project")
    if not over:
        raise Conflict(_("这次服务还没有办完，办完以后再评价。"), code="not_over")
    return sides


def _require_side(actor: Actor, side: str, sides: _Sides) -> None:
    user = user_of(actor)
    of_community = policies.can(user, posts.RATE_UNIT, sides.community)
    of_unit = any(
        isinstance(grant.scope, UnitScope) and grant.scope.unit_id == sides.unit.pk
        for grant in policies.grants_of(user)
    )
    if side not in RatingSide.values:
        raise Invalid(_("请说明是社区评单位，还是单位评社区。"))
    if of_community and of_unit:
        raise Forbidden(_("您既是社区的人，又是“%(unit)s”的人，请由别人评价。") % {"unit": sides.unit.label})
    if side == RatingSide.COMMUNITY:
        policies.require(actor, posts.RATE_UNIT, sides.community)
    else:
        policies.require(actor, posts.RATE_COMMUNITY, sides.unit)
