"""What is put right in compounds: planned, begun, finished, with pictures of before and after (docs/domain.md#z3)."""

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, files
from core.actors import Actor, user_of
from core.errors import Conflict, Invalid
from core.photos import accept_photos, make_thumbnail
from core.text import clean_line
from grids.actions.compounds import UNCHANGED, lock_compounds, refuse_stale
from grids.actions.permission import require
from grids.models import FacilityKind, GridNode, PhotoStage, Remediation, RemediationPhoto
from grids.posts import MANAGE_COMPOUND

BATCH = 500
MOST_QUANTITY = 1_000_000
# Pictures of one stage of one project: enough to show it, too few to fill the store.
MOST_PHOTOS = 12
_FIELDS = ("kind", "title", "quantity", "text", "planned_on", "started_on", "finished_on")


@dataclass(frozen=True)
class RemediationFacts:
    """A project as it is to stand. What is not given keeps its value, or for a new one its default.

    Attributes:
        remediation: the one to change; None registers a new one at `node`.
        version: of what the person saw; None: whatever stands.
        quantity: how many (lifts, doors, parking spaces).
    """

    node: GridNode
    remediation: Remediation | None = None
    version: int | None = None
    kind: str = UNCHANGED
    title: str = UNCHANGED
    quantity: int = UNCHANGED
    text: str = UNCHANGED
    planned_on: datetime.date | None = UNCHANGED
    started_on: datetime.date | None = UNCHANGED
    finished_on: datetime.date | None = UNCHANGED

    def of(self, remediation: Remediation) -> "RemediationFacts":
        """The same said of a project that stands, as it was seen."""
        return replace(self, remediation=remediation, version=remediation.version)


def register_remediation(*, actor: Actor, node: GridNode, kind: str, title: str, **facts: Any) -> Remediation:
    """Registers a project at a compound. `facts`: as `RemediationFacts`.

    Raises:
        NotFound, Forbidden: no `compound.manage` there. Invalid: a fact is not usable, or such a place has no profile.
        Conflict: the compound is retired, or has a project of that title.
    """
    return keep_remediations(actor=actor, rows=[RemediationFacts(node, kind=kind, title=title, **facts)])[0]


def update_remediation(*, actor: Actor, remediation: Remediation, **facts: Any) -> Remediation:
    """Corrects a project. Raises as `register_remediation`, and Stale."""
    return keep_remediations(actor=actor, rows=[RemediationFacts(remediation.node, remediation, **facts)])[0]


def begin_remediation(
    *, actor: Actor, remediation: Remediation, started_on: datetime.date | None = None, version: int | None = None
) -> Remediation:
    """Work begins, today when no day is given. Raises as `update_remediation`; Conflict when it has begun already."""
    if remediation.started_on is not None or remediation.finished_on is not None:
        raise Conflict(_("“%(title)s”已经开工。") % {"title": remediation.title})
    day = started_on or timezone.localdate()
    return update_remediation(actor=actor, remediation=remediation, started_on=day, version=version)


def finish_remediation(
    *,
    actor: Actor,
    remediation: Remediation,
    finished_on: datetime.date | None = None,
    quantity: int = UNCHANGED,
    version: int | None = None,
) -> Remediation:
    """Work is done, today when no day is given, and how much came of it. Raises as `update_remediation`; Conflict when
    it is finished already."""
    if remediation.finished_on is not None:
        raise Conflict(_("“%(title)s”已经完成。") % {"title": remediation.title})
    day = finished_on or timezone.localdate()
    return update_remediation(actor=actor, remediation=remediation, finished_on=day, quantity=quantity, version=version)


@transaction.atomic
def keep_remediations(*, actor: Actor, rows: Sequence[RemediationFacts]) -> list[Remediation]:
    """Registers and corrects many projects in a few statements; all or none. Raises as `update_remediation`."""
    nodes = lock_compounds(actor, [row.node for row in rows])
    stands = _projects([row.remediation.pk for row in rows if row.remediation is not None])
    titles = _titles(nodes)
    new: list[Remediation] = []
    changed: list[Remediation] = []
    made, corrected = [], []
    results = []
    for row, node in zip(rows, nodes, strict=True):
        project = _as_it_is(row, node, stands, actor)
        changes = check_remediation(row, project)
        if "title" in changes:
            _refuse_same_title(project, titles)
        deed = audit.Deed(project, changes, label=f"{node.path} {project.title}")
        if row.remediation is None:
            new.append(project)
            made.append(deed)
        elif changes:
            project.version += 1
            changed.append(project)
            corrected.append(deed)
        results.append(project)
    Remediation.objects.bulk_create(new, batch_size=BATCH)
    Remediation.objects.bulk_update(changed, [*_FIELDS, "version"], batch_size=BATCH)
    audit.record_many(actor=actor, action="remediation.register", deeds=made, new=True)
    audit.record_many(actor=actor, action="remediation.update", deeds=corrected)
    return results


def drop_remediation(*, actor: Actor, remediation: Remediation, reason: str, version: int | None = None) -> None:
    """Takes a project that was registered by mistake away, with its pictures. The trail keeps that it was there.

    Raises as `update_remediation`; Invalid without a reason.
    """
    reason = clean_line(reason, max_length=500, label=_("删除理由"), field="reason", required=True)
    with transaction.atomic():
        (node,) = lock_compounds(actor, [remediation.node])
        row = _projects([remediation.pk]).get(remediation.pk)
        if row is None:
            raise _gone()
        refuse_stale(node, version, row.version)
        _drop_photos(list(row.photos.all()))
        audit.record(
            actor=actor,
            action="remediation.drop",
            obj=row,
            changes={name: (getattr(row, name), None) for name in ("kind", "title", "quantity", "finished_on")},
            label=f"{node.path} {row.title}",
            reason=reason,
        )
        row.delete()


# --- Pictures -------------------------------------------------------------------------------------------------------


def add_remediation_photos(
    *, actor: Actor, remediation: Remediation, stage: str, photos: Iterable[Any]
) -> list[RemediationPhoto]:
    """Keeps pictures of before or after, cleaned of all metadata. A picture that is there already is not kept twice.

    Must not be called inside another transaction: the files go with a failure of this one alone.

    Raises:
        NotFound, Forbidden: no `compound.manage` there. Invalid, TooLarge: a file is no picture, or none is given, or
        there are too many. Conflict: the compound is retired, or the project is gone.
    """
    require(actor, MANAGE_COMPOUND, remediation.node)
    if stage not in PhotoStage.values:
        raise _bad("stage", _("请选择整治前或整治后。"))
    pictures = accept_photos(photos)
    if not pictures:
        raise _bad("photos", _("请拍照或选择照片。"))
    made = []
    with files.written_with_rows() as keep:
        (node,) = lock_compounds(actor, [remediation.node])
        row = _projects([remediation.pk]).get(remediation.pk)
        if row is None:
            raise _gone()
        there = [photo.digest for photo in row.photos.all() if photo.stage == stage]
        fresh = {picture.sha256: picture for picture in pictures if picture.sha256 not in there}
        if len(there) + len(fresh) > MOST_PHOTOS:
            message = _("一个项目整治前、后各最多 %(most)d 张照片，已有 %(count)d 张，请先删除不用的。")
            raise _bad("photos", message % {"most": MOST_PHOTOS, "count": len(there)})
        for digest, picture in fresh.items():
            photo = RemediationPhoto(remediation=row, stage=stage, size=picture.size, digest=digest)
            name = uuid4().hex
            keep(photo.file, f"{name}.jpg", picture.data)
            keep(photo.thumbnail, f"{name}-s.jpg", make_thumbnail(picture.data))
            made.append(photo)
        RemediationPhoto.objects.bulk_create(made)
        if made:
            changes = {stage: (len(there), len(there) + len(made)), "sha256": (None, list(fresh))}
            label = f"{node.path} {row.title}"
            audit.record(actor=actor, action="remediation.photos", obj=row, changes=changes, label=label)
    return made


def drop_remediation_photos(*, actor: Actor, remediation: Remediation, photos: Iterable[RemediationPhoto]) -> None:
    """Takes pictures of a project away (a face, a wrong place); their files go after the commit.

    Raises NotFound, Forbidden; Conflict when the compound is retired; Invalid when none of them is there (any more).
    """
    wanted = {photo.pk for photo in photos}
    with transaction.atomic():
        (node,) = lock_compounds(actor, [remediation.node])
        rows = list(RemediationPhoto.objects.filter(remediation_id=remediation.pk, pk__in=wanted))
        if not rows:
            raise _bad("photos", _("请选择要删除的照片。"))
        _drop_photos(rows)
        audit.record(
            actor=actor,
            action="remediation.unphoto",
            obj=remediation,
            changes={"sha256": ([row.digest for row in rows], None)},
            label=f"{node.path} {remediation.title}",
        )


def _drop_photos(rows: Sequence[RemediationPhoto]) -> None:
    RemediationPhoto.objects.filter(pk__in=[row.pk for row in rows]).delete()
    for row in rows:
        files.drop_after_commit(row.file, row.thumbnail)


# --- What stands, and what an input must be -------------------------------------------------------------------------


def _projects(pks: Sequence[int]) -> dict[int, Remediation]:
    found: dict[int, Remediation] = {}
    for start in range(0, len(pks), BATCH):
        rows = Remediation.objects.filter(pk__in=pks[start : start + BATCH]).prefetch_related("photos")
        found.update({row.pk: row for row in rows})
    return found


def _titles(nodes: Sequence[GridNode]) -> dict[tuple[int, str], int | None]:
    """(node, title) -> the project that has it."""
    found: dict[tuple[int, str], int | None] = {}
    for start in range(0, len(nodes), BATCH):
        rows = Remediation.objects.filter(node__in=nodes[start : start + BATCH]).order_by()
        found.update({(node, title): pk for pk, node, title in rows.values_list("pk", "node_id", "title")})
    return found


def _as_it_is(row: RemediationFacts, node: GridNode, stands: dict[int, Remediation], actor: Actor) -> Remediation:
    if row.remediation is None:
        return Remediation(node=node, county=node.county, community_id=node.community_id, created_by=user_of(actor))
    project = stands.get(row.remediation.pk)
    if project is None:
        raise _gone()
    refuse_stale(node, row.version, project.version)
    return project


def check_remediation(row: RemediationFacts, project: Remediation) -> dict[str, tuple[Any, Any]]:
    """Puts what is given into a project, writes nothing, and answers what changed. Raises Invalid."""
    is_new = project.pk is None
    changes: dict[str, tuple[Any, Any]] = {}
    for name in _FIELDS:
        value = getattr(row, name)
        if value is UNCHANGED:
            continue
        before, after = getattr(project, name), _CLEAN[name](value)
        if is_new or before != after:
            setattr(project, name, after)
            changes[name] = (None if is_new else before, after)
    _check_days(project)
    return changes


def _check_days(project: Remediation) -> None:
    today = timezone.localdate()
    for name, words in (("started_on", _("开工日期")), ("finished_on", _("完成日期"))):
        day = getattr(project, name)
        if day is not None and day > today:
            raise _bad(name, _("%(what)s不能晚于今天；还没到的，请填计划完成日期。") % {"what": words})
    if project.started_on and project.finished_on and project.finished_on < project.started_on:
        raise _bad("finished_on", _("完成日期不能早于开工日期。"))


def _refuse_same_title(project: Remediation, titles: dict[tuple[int, str], int | None]) -> None:
    key = (project.node_id, project.title)
    if key in titles and (project.pk is None or titles[key] != project.pk):
        message = _("这个小区已有“%(title)s”，请换一个项目名称。") % {"title": project.title}
        raise Conflict(message, code="title_taken", fields={"title": message})
    titles[key] = project.pk


def _clean_kind(value: str) -> str:
    if value not in FacilityKind.values:
        raise _bad("kind", _("没有这种整治内容，请从列表中选择。"))
    return value


def _clean_title(value: str) -> str:
    return clean_line(value, max_length=80, label=_("项目名称"), field="title", required=True)


def _clean_quantity(value: int) -> int:
    if not 1 <= value <= MOST_QUANTITY:
        raise _bad("quantity", _("数量请填写 1 或更大的整数。"))
    return value


def _clean_text(value: str) -> str:
    return clean_line(value, max_length=500, label=_("说明"), field="text")


def _same(value: Any) -> Any:
    return value


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "kind": _clean_kind,
    "title": _clean_title,
    "quantity": _clean_quantity,
    "text": _clean_text,
    "planned_on": _same,
    "started_on": _same,
    "finished_on": _same,
}


def _bad(name: str, message: str) -> Invalid:
    return Invalid(message, fields={name: message})


def _gone() -> Conflict:
    return Conflict(_("这个整治项目刚刚被删除，请返回查看最新情况。"), code="gone")
