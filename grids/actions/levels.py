"""The levels of a county: chosen from the presets, or its own. One action writes them, whatever the change is.

What would break nodes that stand is refused with the places that are in the way: a child must stay at a later level
than its parent, and a level with nodes (retired ones too: they stay in the tree) can not go.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict, Invalid, Stale
from core.spreadsheets.headers import header_key
from core.text import clean_line
from grids import naming
from grids.actions.locks import lock_county
from grids.actions.permission import require
from grids.levels import KNOWN, MOST_LEVELS, OWN_KEYS, PRESETS, STEP, Preset
from grids.models import County, GridNode, Level
from grids.posts import MANAGE_COUNTY, posts_at

SHOWN = 20
# Above every order there is, so that no two levels meet while they change places.
_ASIDE = 10_000
_FIRST = (naming.STREET, naming.COMMUNITY)


@dataclass(frozen=True)
class LevelDraft:
    """A level as it shall be.

    Attributes:
        key: of a level the county has, or of a known one (`grids.levels.KNOWN`); the next free own key when empty.
        holder_post: who answers for its nodes; the usual post of the level when empty.
        holder_title: what the county calls them, where it is not the post's own name.
    """

    key: str
    name: str
    holder_post: str = ""
    holder_title: str = ""


def draft_of(level: Level) -> LevelDraft:
    return LevelDraft(level.key, level.name, level.holder_post, level.holder_title)


@transaction.atomic
def arrange_levels(*, actor: Actor, county: County, levels: Sequence[LevelDraft]) -> list[Level]:
    """Gives a county exactly these levels, in this order; nodes keep theirs. Returns the levels as they are then.

    Raises:
        NotFound, Forbidden: the actor does not manage the county.
        Invalid: a name, key or post will not do, two share one, there are too many, or it does not begin with street and
        community.
        Conflict: nodes are in the way: they stand at a level that would go, or would stand above their parent.
    """
    require(actor, MANAGE_COUNTY, county)
    county = lock_county(county)
    return _arrange(actor, county, list(county.levels.all()), levels)


def load_preset(*, actor: Actor, county: County, preset: str) -> list[Level]:
    """Gives a county the levels of a preset in place of those it has. Raises as `arrange_levels`."""
    chosen = preset_of(preset)
    return arrange_levels(actor=actor, county=county, levels=drafts_of(chosen))


@transaction.atomic
def add_level(*, actor: Actor, county: County, level: LevelDraft, after: str) -> list[Level]:
    """Adds a level behind the one with the key `after`. Raises as `arrange_levels`."""
    return _change(actor, county, lambda now: _placed(now, level, after))


@transaction.atomic
def edit_level(*, actor: Actor, level: Level, draft: LevelDraft, version: int | None = None) -> list[Level]:
    """Gives a level another name, or another title to who answers. Its key stays.

    Args:
        version: the version the person saw.

    Raises as `arrange_levels`; Stale.
    """
    wanted = replace(draft, key=level.key)
    return _change(
        actor, level.county, lambda now: [wanted if one.key == level.key else one for one in now], level, version
    )


@transaction.atomic
def move_level(*, actor: Actor, level: Level, after: str, version: int | None = None) -> list[Level]:
    """Puts a level behind the one with the key `after`. Raises as `edit_level`."""

    def moved(now: list[LevelDraft]) -> list[LevelDraft]:
        own = next(one for one in now if one.key == level.key)
        return _placed([one for one in now if one is not own], own, after)

    return _change(actor, level.county, moved, level, version)


@transaction.atomic
def remove_level(*, actor: Actor, level: Level, version: int | None = None) -> list[Level]:
    """Takes a level away that no node stands at. Raises as `edit_level`."""
    return _change(actor, level.county, lambda now: [one for one in now if one.key != level.key], level, version)


def preset_of(key: str) -> Preset:
    """Raises Invalid for one there is none of."""
    if key not in PRESETS:
        known = "、".join(f"{preset.key}（{preset.name}）" for preset in PRESETS.values())
        message = _("没有“%(key)s”这套层级，可选：%(known)s。") % {"key": key, "known": known}
        raise Invalid(message, fields={"preset": message})
    return PRESETS[key]


def drafts_of(preset: Preset) -> list[LevelDraft]:
    return [LevelDraft(spec.key, str(spec.name)) for spec in preset.levels]


# --- How a list becomes the county's --------------------------------------------------------------------------------

_Change = Callable[[list[LevelDraft]], list[LevelDraft]]


def _change(
    actor: Actor, county: County, change: _Change, level: Level | None = None, version: int | None = None
) -> list[Level]:
    require(actor, MANAGE_COUNTY, county)
    county = lock_county(county)
    standing = list(county.levels.all())
    if level is not None:
        now = next((one for one in standing if one.pk == level.pk), None)
        if now is None or (version is not None and now.version != version):
            raise Stale(
                _("层级“%(level)s”刚刚被别人改动过。没有做任何改动，请看过最新情况后再办理。") % {"level": level.name}
            )
    return _arrange(actor, county, standing, change([draft_of(one) for one in standing]))


def _placed(levels: list[LevelDraft], level: LevelDraft, after: str) -> list[LevelDraft]:
    position = next((number for number, one in enumerate(levels, start=1) if one.key == after), 0)
    if not position:
        raise _bad("after", _("请选择排在哪个层级之后。"))
    return [*levels[:position], level, *levels[position:]]


def check_arrangement(county: County, standing: Sequence[Level], drafts: Sequence[LevelDraft]) -> list[LevelDraft]:
    """The drafts as they would be written; writes nothing. Raises Invalid and Conflict as `arrange_levels`."""
    wanted = _clean(drafts)
    order = _order(wanted)
    _refuse_nodes_without_level(county, [level for level in standing if level.key not in order])
    _refuse_nodes_above_their_parents(county, standing, order)
    return wanted


def _order(wanted: Sequence[LevelDraft]) -> dict[str, int]:
    return {draft.key: number * STEP for number, draft in enumerate(wanted, start=1)}


def _arrange(actor: Actor, county: County, standing: list[Level], drafts: Sequence[LevelDraft]) -> list[Level]:
    wanted = check_arrangement(county, standing, drafts)
    before = [_shown(level.name, level.holder_words) for level in standing]
    rows = _write(county, standing, wanted, _order(wanted))
    after = [_shown(level.name, level.holder_words) for level in rows]
    if after != before:
        changes = {"levels": (before, after)}
        audit.record(actor=actor, action="county.levels", obj=county, changes=changes, label=county.name)
    return rows


def _shown(name: str, holder: str) -> str:
    return f"{name}（{holder}）" if holder else name


def _write(county: County, standing: list[Level], wanted: list[LevelDraft], order: dict[str, int]) -> list[Level]:
    Level.objects.filter(county=county).exclude(key__in=order).delete()
    there = {level.key: level for level in standing if level.key in order}
    if any(level.order != order[key] for key, level in there.items()):
        Level.objects.filter(county=county).update(order=F("order") + _ASIDE)
    rows = []
    for draft in wanted:
        row = there.get(draft.key) or Level(county=county, key=draft.key)
        if row.pk and draft_of(row) == draft and row.order == order[draft.key]:
            rows.append(row)
            continue
        row.name, row.holder_post, row.holder_title = draft.name, draft.holder_post, draft.holder_title
        row.order = order[draft.key]
        if row.pk:
            row.version += 1
        rows.append(row)
    # Those that keep their place were set aside with the others.
    Level.objects.bulk_update(list(there.values()), ["name", "order", "holder_post", "holder_title", "version"])
    Level.objects.bulk_create([row for row in rows if not row.pk])
    return rows


# --- What will do ---------------------------------------------------------------------------------------------------


def _clean(drafts: Sequence[LevelDraft]) -> list[LevelDraft]:
    free = iter([key for key in OWN_KEYS if key not in {draft.key for draft in drafts}])
    wanted: list[LevelDraft] = []
    for draft in drafts:
        name = clean_line(draft.name, max_length=30, label=_("层级名称"), field="name", required=True)
        if naming.SEPARATOR.strip() in name:
            raise _bad("name", _("名称里不能用“%(mark)s”。") % {"mark": naming.SEPARATOR.strip()})
        key = draft.key or next(free, "")
        if key not in KNOWN and key not in OWN_KEYS:
            raise _bad("key", _("自定的层级最多 %(most)d 个。") % {"most": len(OWN_KEYS)})
        title = clean_line(draft.holder_title, max_length=30, label=_("负责人称呼"), field="holder_title")
        post = _holder(key, name, draft.holder_post)
        wanted.append(LevelDraft(key, name, post, title))
    _refuse_twice(wanted)
    if tuple(draft.key for draft in wanted[: len(_FIRST)]) != _FIRST:
        raise _bad("after", _("第一级是街道（镇），第二级是社区（村），这两级不能少，也不能调换。"))
    if len(wanted) > MOST_LEVELS:
        raise _bad("name", _("层级最多 %(most)d 个。") % {"most": MOST_LEVELS})
    return wanted


def _holder(key: str, name: str, given: str) -> str:
    posts = [post.key for post in posts_at(key)]
    if given and given not in posts:
        allowed = "、".join(str(post.label) for post in posts_at(key))
        raise _bad("holder_post", _("“%(level)s”可以设的岗位是：%(allowed)s。") % {"level": name, "allowed": allowed})
    return given or (KNOWN[key].holder_post if key in KNOWN else posts[0])


def _refuse_twice(wanted: Iterable[LevelDraft]) -> None:
    names: set[str] = set()
    keys: set[str] = set()
    for draft in wanted:
        if header_key(draft.name) in names:
            raise _bad("name", _("已有叫“%(name)s”的层级，请换一个名称。") % {"name": draft.name})
        if draft.key in keys:
            known = KNOWN[draft.key].name if draft.key in KNOWN else draft.name
            raise _bad("key", _("“%(level)s”类的层级已经有了。") % {"level": known})
        names.add(header_key(draft.name))
        keys.add(draft.key)


def _refuse_nodes_without_level(county: County, gone: Sequence[Level]) -> None:
    if not gone:
        return
    found = GridNode.objects.filter(county=county, level_type__in=gone)
    names = "、".join(f"“{level.name}”" for level in gone)
    _refuse(found, _("%(levels)s还有网格，不能去掉：") % {"levels": names})


def _refuse_nodes_above_their_parents(county: County, standing: Sequence[Level], order: dict[str, int]) -> None:
    """Looks at pairs of levels first: which stand in one another, however many nodes do."""
    kept = [level for level in standing if level.key in order]
    ranks = [order[level.key] for level in kept]
    if ranks == sorted(ranks):
        return
    pairs = GridNode.objects.filter(county=county, parent__isnull=False).order_by()
    pairs = pairs.values_list("parent__level_type__key", "level_type__key").distinct()
    wrong = [(above, below) for above, below in pairs if order[below] <= order[above]]
    if wrong:
        conflict = Q()
        for above, below in wrong:
            conflict |= Q(parent__level_type__key=above, level_type__key=below)
        names = {level.key: level.name for level in standing}
        above, below = wrong[0]
        words = _("“%(below)s”设在“%(above)s”之下的地方还有，不能把它排到前面：")
        found = GridNode.objects.filter(conflict, county=county)
        _refuse(found, words % {"below": names[below], "above": names[above]})


def _refuse(found: Any, words: str) -> None:
    """Names the first places in the way, and how many more there are."""
    count = found.count()
    if not count:
        return
    shown = found.order_by("tree_id", "lft").values_list("path", "retired_at")[:SHOWN]
    lines = [_("%(path)s（已撤销）") % {"path": path} if retired else path for path, retired in shown]
    if count > SHOWN:
        lines.append(_("……还有 %(count)d 个。") % {"count": count - SHOWN})
    raise Conflict("\n".join([words, *lines]), code="levels_in_use")


def _bad(field: str, message: str) -> Invalid:
    return Invalid(message, fields={field: message})
