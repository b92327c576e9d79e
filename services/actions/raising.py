"""How a demand begins: a resident, a keeper, a cadre or a telephone call."""

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import RESIDENT, SYSTEM, Actor, kind_of, user_of
from core.codes import follow_code_of, new_matter_code
from core.errors import Forbidden, Invalid
from core.masking import is_mobile
from core.photos import accept_photos
from core.prepared import insert
from core.text import clean_line, clean_text, first_line
from grids.actions import hold_places
from grids.models import GridNode
from services import posts
from services.actions.photos import keep_photos
from services.clocks import clock_for
from services.models import Category, Demand, DemandEvent, Origin
from services.notices import tell

TEXT_LENGTH = 2000
TITLE_LENGTH = 80
# A title for words that came without one.
TITLE_FROM_TEXT = 40
_TRIES = 5


def raise_demand(
    *,
    actor: Actor,
    node: GridNode,
    category: Category,
    text: str,
    origin: str,
    title: str = "",
    contact_name: str = "",
    contact_phone: str = "",
    photos: Iterable[Any] = (),
    once: str = "",
) -> Demand:
    """Registers a demand at a place and tells the community.

    Args:
        actor: `RESIDENT` for the public page, else the account that raises it (needs `demand.raise` at the node).
        node: where it is; at community level or below.
        title: the first line of the text when empty.
        photos: uploads, at most six; cleaned of metadata.
        once: names one sending of a form; the same words sent again under it make no second demand, the first one is
            returned (a double tap, a line that broke, the back button).

    Raises:
        Invalid, TooLarge: something in the input; `fields` names it. Forbidden, NotFound: not this actor's place.
    """
    _check_place(actor, node, category, origin)
    text = clean_text(text, max_length=TEXT_LENGTH, label=_("内容"), field="text", required=True)
    title = clean_line(title, max_length=TITLE_LENGTH, label=_("标题"), field="title") or first_line(
        text, TITLE_FROM_TEXT
    )
    name = clean_line(contact_name, max_length=60, label=_("联系人"), field="contact_name")
    phone = clean_line(contact_phone, max_length=20, label=_("联系电话"), field="contact_phone")
    if phone and not is_mobile(phone):
        raise Invalid(
            _("联系电话“%(phone)s”不是 11 位手机号码，请核对；不方便留电话可以不填。") % {"phone": phone},
            fields={"contact_phone": _("请填写 11 位手机号码。")},
        )
    follow_code = follow_code_of("\n".join((once, str(node.pk), str(category.pk), phone, text))) if once else ""
    if once and (first := Demand.objects.filter(follow_code=follow_code).first()):
        return first
    cleaned = accept_photos(photos)
    now = timezone.now()
    for attempt in range(_TRIES):
        demand = Demand(
            county_id=node.county_id,
            node=node,
            community_id=node.community_id,
            code=new_matter_code(timezone.localdate(now)),
            category=category,
            urgency=category.urgency,
            origin=origin,
            title=title,
            text=text,
            contact_name=name,
            contact_phone=phone,
            raised_by=user_of(actor),
            registered_at=now,
            step_due_at=_accept_due(node, now),
            **({"follow_code": follow_code} if once else {}),
        )
        try:
            return _write(actor, demand, cleaned)
        except IntegrityError:
            if once and (first := Demand.objects.filter(follow_code=follow_code).first()):
                return first
            # Two matters drew the same random number; the whole transaction is gone, so draw again.
            if attempt == _TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _check_place(actor: Actor, node: GridNode, category: Category, origin: str) -> None:
    if actor is not RESIDENT and actor is not SYSTEM:
        if user_of(actor) is None:
            raise Forbidden(_("请先登录。"))
        policies.require(actor, posts.RAISE_DEMAND, node)
    if node.community_id is None:
        raise Invalid(_("请选择到社区或更小的地点。"), fields={"node": _("地点太大。")})
    _refuse_retired(node)
    if category.county_id != node.county_id or not category.is_active:
        raise Invalid(_("请选择正在使用的类别。"), fields={"category": _("没有这个类别。")})
    if actor is RESIDENT and (origin != Origin.RESIDENT or not category.is_public):
        raise Invalid(_("请选择正在使用的类别。"), fields={"category": _("没有这个类别。")})


def _refuse_retired(node: GridNode) -> None:
    if node.is_retired:
        raise Invalid(_("“%(place)s”已撤销，请选择其他地点。") % {"place": node.path}, fields={"node": _("已撤销。")})


def _accept_due(node: GridNode, now: Any) -> Any:
    clock = clock_for(node.county_id)
    return clock.workdays(now, clock.limits.accept_workdays)


@transaction.atomic
def _write(actor: Actor, demand: Demand, photos: list[Any]) -> Demand:
    # The place may have gone to another community, or out of use, since it was read; from here on it stays as it is.
    node: Any = hold_places(demand.node)[0]
    _refuse_retired(node)
    demand.node, demand.community = node, node.community
    insert(demand)
    event = DemandEvent(
        demand=demand,
        name="raise",
        title=_("登记（%(origin)s）") % {"origin": Origin(demand.origin).label},
        actor=user_of(actor),
        actor_kind=kind_of(actor),
        to_state=demand.state,
        at=demand.registered_at,
    )
    insert(event)
    keep_photos(event, photos)
    audit.record(
        actor=actor,
        action="demand.raise",
        obj=demand,
        changes={"state": (None, demand.state), "node": (None, demand.node_id), "origin": (None, demand.origin)},
        label=demand.code,
        new=True,
    )
    tell("raise", demand)
    return demand
