"""Conditions of exclusions, of the ladder and of bulletins: each answers with the reason for a refusal, or None."""

from django.utils.translation import gettext as _

from core import policies
from core.actors import Actor, user_of
from partybuilding.models import Pairing, PairingKind
from partybuilding.policies import UnitScope
from services import posts
from services.models import BulletinItem, BulletinState, Climb, RateExclusion


def asked_oneself(exclusion: RateExclusion, actor: Actor) -> str | None:
    """Only who asked takes the question back."""
    user = user_of(actor)
    return None if user is not None and user.pk == exclusion.by_id else _("只有申请人本人可以撤回申请。")


def asked_by_another(exclusion: RateExclusion, actor: Actor) -> str | None:
    """Who asked does not decide, whatever post they hold besides."""
    user = user_of(actor)
    return _("申请人不能审核自己的申请，请由县级其他人审核。") if user and user.pk == exclusion.by_id else None


def paired_leader(climb: Climb, actor: Actor) -> str | None:
    """The leader who looks after the community says what is to be done, and only while the matter is late."""
    if not climb.stands:
        return _("这条需求已经办结或者换了时限，不再需要批示。")
    if Pairing.objects.current().filter(kind=PairingKind.LEADER, node=climb.demand.community_id, user=user_of(actor)):
        return None
    return _("请由包联“%(place)s”的领导批示。") % {"place": climb.demand.community.name}


def named_oneself(item: BulletinItem, actor: Actor) -> str | None:
    """Whoever is named answers, nobody in another's place."""
    if item.bulletin.state != BulletinState.PUBLISHED:
        return _("这期通报还没有印发，或者已经撤回。")
    scopes = policies.scopes(user_of(actor), posts.ANSWER_BULLETIN)
    units = {scope.unit_id for scope in scopes if isinstance(scope, UnitScope)}
    if item.unit_id is not None:
        return None if item.unit_id in units else _("通报的是单位，请由被通报的单位答复。")
    return None if len(units) < len(scopes) else _("通报的是社区，请由社区答复。")


def is_published(item: BulletinItem, actor: Actor) -> str | None:
    if item.bulletin.state != BulletinState.PUBLISHED:
        return _("这期通报还没有印发，或者已经撤回。")
    return None
