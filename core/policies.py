"""Who may see and do what. Each floor fills this registry in its `apps.py`; the ground floor knows no floor above it.

Three ideas, one place:

* A **grant** is a set of rights inside a scope: "受理 and 派单, inside 新城社区". Scope providers turn a user into grants.
* A **scope** is a small frozen object of the floor that knows it (a subtree, a county, a unit).
* A **policy** says, per model, what a scope covers: as a `Q` for lists (`visible`) and for one object in hand (`can`).
  A test walks every model and role and asserts that the two agree.

No grant, no rows: a missing scope shows nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from django.db.models import Model, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core.actors import SYSTEM, Actor, user_of
from core.errors import Forbidden, NotFound

if TYPE_CHECKING:
    from core.models import User

USE_DESK = "desk.use"
USE_MOBILE = "mobile.use"
VIEW_DASHBOARD = "dashboard.view"


@dataclass(frozen=True)
class Grant:
    """Rights inside one scope. `source` says in words where they come from ("新城社区 书记")."""

    rights: frozenset[str]
    scope: Any
    source: str | Promise = ""


class Policy(Protocol):
    """What a model's floor says about it. `view` is the right that opens its rows.

    A policy may have `acts_from`, the kinds of scope from which rights other than `view` hold: everybody in a county
    knows the county, and only who holds something over the whole of it changes it.
    """

    view: str

    def q(self, scope: Any) -> Q | None:
        """The rows of the model inside `scope`; None when that kind of scope has none."""

    def covers(self, scope: Any, obj: Any) -> bool:
        """Whether `obj` is inside `scope`. Must say what `q` says."""


Provider = Callable[["User", Sequence[Grant]], Iterable[Grant]]

_providers: list[Provider] = []
_hints: dict[str, Any] = {}
_policies: dict[type[Model], Policy] = {}
_labels: dict[str, object] = {}
_hinted: dict[Provider, str] = {}


def provide_scopes(provider: Provider, *, hint: str = "", exists: Any = None) -> None:
    """Registers a source of grants. Called from an app's `ready`, lower floors first.

    Args:
        provider: gets the user and the grants found so far.
        hint, exists: an `Exists(...)` over users (`OuterRef("pk")`), read along with the user at sign-in under the
            name `hint`; where it is false the provider is not asked. Saves most people most of the queries.
    """
    _providers.append(provider)
    if hint:
        _hints[hint] = exists
        _hinted[provider] = hint


def with_hints(users: QuerySet[Any]) -> QuerySet[Any]:
    """A queryset of users that brings the hints along. Sign-in backends load the user through this."""
    return users.annotate(**_hints)


def register(model: type[Model], policy: Policy) -> None:
    """Registers the one policy of a model."""
    _policies[model] = policy


def name_rights(labels: Mapping[str, object]) -> None:
    """Gives rights their Chinese names, for messages and the role overview."""
    _labels.update(labels)


def label(right: str) -> str:
    return str(_labels.get(right, right))


def policy_of(model: type[Model]) -> Policy:
    return _policies[model]


def registered() -> dict[type[Model], Policy]:
    return dict(_policies)


def grants_of(user: Any) -> tuple[Grant, ...]:
    """All grants of a user, read once per loaded user object (that is: once per request)."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return ()
    cached: tuple[Grant, ...] | None = getattr(user, "_grants", None)
    if cached is None:
        found: list[Grant] = []
        for provider in _providers:
            if getattr(user, _hinted.get(provider, ""), True):
                found.extend(provider(user, found))
        cached = user._grants = tuple(found)
    return cached


def forget_grants(user: Any) -> None:
    """Drops the grants read so far; for code that changes what the same user object holds."""
    user.__dict__.pop("_grants", None)
    user.__dict__.pop("_scopes", None)


def holds(user: Any, right: str) -> bool:
    """Whether the user has the right anywhere at all (for menus and doors, never for an object)."""
    return any(right in grant.rights for grant in grants_of(user))


def scopes(user: Any, right: str) -> list[Any]:
    grants = grants_of(user)
    if not grants:
        return []
    # A page asks for the same few rights again and again; kept with the grants they were read from.
    kept: dict[str, tuple[Any, ...]] = user.__dict__.setdefault("_scopes", {})
    found = kept.get(right)
    if found is None:
        found = kept[right] = tuple(grant.scope for grant in grants if right in grant.rights)
    return list(found)


def within(model: type[Model], user: Any, right: str) -> Q:
    """The rows of `model` on which the user has `right`, as a filter. Without any grant it matches nothing."""
    policy = _policies[model]
    found = Q(pk__in=[])
    for scope in dict.fromkeys(_acting(policy, user, right)):
        part = policy.q(scope)
        if part is not None:
            found |= part
    return found


def visible(queryset: Any, user: Any) -> Any:
    """The part of `queryset` the user may know of. Every list, page, export and API route starts here."""
    return queryset.filter(within(queryset.model, user, _policies[queryset.model].view))


def seen_by(queryset: Any, actor: Actor) -> Any:
    """What an actor may know of: the system everything, an account what is visible to it, a resident nothing."""
    user = user_of(actor)
    if user is not None:
        return queryset.visible_to(user)
    return queryset if actor is SYSTEM else queryset.none()


def can(user: Any, right: str, obj: Model) -> bool:
    """Whether the user has `right` on this object."""
    policy = _policies[type(obj)]
    return any(policy.covers(scope, obj) for scope in _acting(policy, user, right))


def _acting(policy: Policy, user: Any, right: str) -> list[Any]:
    """The scopes of a right that count for a model."""
    found = scopes(user, right)
    kinds = None if right == policy.view else getattr(policy, "acts_from", None)
    return found if kinds is None else [scope for scope in found if isinstance(scope, kinds)]


def sees(user: Any, obj: Model) -> bool:
    return can(user, _policies[type(obj)].view, obj)


def require(user: Any, right: str, obj: Model) -> None:
    """Raises `NotFound` when the object is out of the user's sight, `Forbidden` when only the right is missing."""
    if can(user, right, obj):
        return
    if not sees(user, obj):
        raise NotFound(_("没有找到这条记录，或不在您的管辖范围内。"))
    raise Forbidden(_("您没有“%(right)s”的权限，请联系有此职责的人员办理。") % {"right": label(right)})
