"""What is written down while a project is carried out: milestones, pictures before and after, and who answers for what.

The project's row is the lock of all of it. Source: docs/domain.md#l1.
"""

import datetime
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, files
from core.actors import Actor
from core.errors import Conflict, Forbidden, Invalid, Stale
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.moving import advance
from core.photos import accept_photos, make_thumbnail
from core.text import clean_line, clean_text
from grids.actions.permission import can, require
from grids.actions.terms import BATCH
from partybuilding.models import Unit
from services import posts
from services.actions.projects import label_of, locked_project
from services.models import (
    PROJECT_HOLDS,
    Evidence,
    EvidenceStage,
    Milestone,
    Project,
    Responsibility,
    ResponsibilityState,
)
from services.workflow import RESPONSIBILITY
from services.workflow.projects import serves

UNCHANGED: Any = object()
MOST_PHOTOS = 12


# --- Milestones -----------------------------------------------------------------------------------------------------


@transaction.atomic
def add_milestone(*, actor: Actor, project: Project, title: str, due_on: datetime.date) -> Milestone:
    """Plans a step of a project. Sent twice, it answers the first one.

    Raises:
        NotFound, Forbidden: neither the lead unit nor the place. Conflict: the project is over, or has another step of
            that title. Invalid: the title is missing or too long.
    """
    row = at_work(actor, project)
    title = _line(title, 100, _("节点"), "title")
    twin = Milestone.objects.filter(project=row, title=title).first()
    if twin is not None:
        if twin.due_on == due_on:
            return twin
        message = _("这个项目已有“%(title)s”这个节点。") % {"title": title}
        raise Conflict(message, code="milestone_twice", fields={"title": message})
    one = Milestone.objects.create(project=row, title=title, due_on=due_on)
    _tell(actor, row, "project.milestone", {"milestone": (None, title), "due_on": (None, due_on)})
    return one


@transaction.atomic
def do_milestone(
    *,
    actor: Actor,
    milestone: Milestone,
    done_on: datetime.date | None = None,
    text: str = "",
    version: int | None = None,
) -> Milestone:
    """A step is done, today when no day is given. Raises as `add_milestone`; Stale for an old page."""
    row = at_work(actor, milestone.project)
    one = Milestone.objects.select_for_update().get(pk=milestone.pk)
    if version is not None and version != one.version:
        raise Stale(_("这个节点刚刚被别人改动过，请刷新页面，看过最新情况后再办理。"))
    day = done_on or timezone.localdate()
    if day > timezone.localdate():
        message = _("完成日期不能晚于今天。")
        raise Invalid(message, fields={"done_on": message})
    words = _text(text, _("进展"), "text")
    if (one.done_on, one.text) == (day, words):
        return one
    changes = {"milestone": (one.title, one.title), "done_on": (one.done_on, day)}
    one.done_on, one.text, one.version = day, words, one.version + 1
    one.save(update_fields=["done_on", "text", "version"])
    one.project = row
    _tell(actor, row, "project.milestone_done", changes)
    return one


# --- Pictures -------------------------------------------------------------------------------------------------------


def add_project_photos(*, actor: Actor, project: Project, stage: str, photos: Iterable[Any]) -> list[Evidence]:
    """Keeps pictures of before, after or in between, cleaned of all metadata; one that is there is not kept twice.

    Must not be called inside another transaction: the files go with a failure of this one alone.

    Raises:
        NotFound, Forbidden, Conflict: as `add_milestone`. Invalid, TooLarge: no picture, or too many.
    """
    at_work(actor, project, lock=False)
    if stage not in EvidenceStage.values:
        raise _bad("stage", _("请选择实施前、进展或实施后。"))
    pictures = accept_photos(photos)
    if not pictures:
        raise _bad("photos", _("请拍照或选择照片。"))
    made = []
    with files.written_with_rows() as keep:
        row = at_work(actor, project)
        there = set(Evidence.objects.filter(project=row, stage=stage).values_list("digest", flat=True))
        fresh = {picture.sha256: picture for picture in pictures if picture.sha256 not in there}
        if len(there) + len(fresh) > MOST_PHOTOS:
            words = _("每个阶段最多 %(most)d 张照片，已有 %(count)d 张。")
            raise _bad("photos", words % {"most": MOST_PHOTOS, "count": len(there)})
        for digest, picture in fresh.items():
            one = Evidence(project=row, stage=stage, size=picture.size, digest=digest)
            name = uuid4().hex
            keep(one.file, f"{name}.jpg", picture.data)
            keep(one.thumbnail, f"{name}-s.jpg", make_thumbnail(picture.data))
            made.append(one)
        Evidence.objects.bulk_create(made)
        if made:
            _tell(
                actor,
                row,
                "project.photos",
                {stage: (len(there), len(there) + len(made)), "sha256": (None, list(fresh))},
            )
    return made


@transaction.atomic
def drop_project_photo(*, actor: Actor, photo: Evidence, reason: str) -> None:
    """Takes a picture away (a face, a wrong place); its files go after the commit.

    Raises NotFound, Forbidden: no `project.manage` there; Invalid without a reason.
    """
    words = _line(reason, 500, _("理由"), "reason")
    assert photo.project is not None
    row = locked_project(photo.project)
    require(actor, posts.MANAGE_PROJECT, row)
    found = Evidence.objects.filter(pk=photo.pk, project=row).first()
    if found is None:
        return
    found.delete()
    files.drop_after_commit(found.file, found.thumbnail)
    _tell(actor, row, "project.unphoto", {"sha256": (photo.digest, None)}, reason=words)


# --- Responsibilities -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewResponsibility:
    """Who answers for which measure of a project, by when. `unit` None for the community itself; `done_on`, `text` for
    what a list on paper brings along as carried out."""

    project: Project
    person: str
    measure: str
    due_on: datetime.date
    unit: Unit | None = None
    done_on: datetime.date | None = None
    text: str = ""


@dataclass(frozen=True)
class ResponsibilityChange:
    """What shall be said of a responsibility that stands. What is not given stays."""

    responsibility: Responsibility
    person: str = UNCHANGED
    due_on: datetime.date = UNCHANGED
    unit: Unit | None = UNCHANGED
    version: int | None = None


@transaction.atomic
def assign_responsibilities(*, actor: Actor, rows: Sequence[NewResponsibility]) -> list[Responsibility]:
    """Puts many responsibilities onto the list; all or none.

    Raises:
        NotFound, Forbidden: no `project.manage` there. Conflict: the project is over, or has the measure already.
        Invalid: a person or measure is missing, the unit closed or of another county.
    """
    open_ones = {row.project.pk for row in rows if row.done_on is None}
    projects = _projects(actor, (row.project for row in rows), under_way=open_ones)
    made = []
    for row in rows:
        project = projects[row.project.pk]
        _check_unit(project, row.unit)
        _join(actor, project, row.unit)
        made.append(
            Responsibility(
                project=project,
                unit=row.unit,
                person=_line(row.person, 60, _("责任人"), "person"),
                measure=_line(row.measure, 200, _("责任内容"), "measure"),
                due_on=row.due_on,
                state=ResponsibilityState.DONE if row.done_on else ResponsibilityState.OPEN,
                done_on=_past(row.done_on),
                text=_text(row.text, _("落实情况"), "text"),
            )
        )
    try:
        with transaction.atomic():
            Responsibility.objects.bulk_create(made, batch_size=BATCH)
    except IntegrityError as error:
        message = _("这个项目已有同样内容的责任，请直接修改原来的那一条。")
        raise Conflict(message, code="responsibility_twice", fields={"measure": message}) from error
    deeds = [
        audit.Deed(
            one,
            {"project_id": (None, one.project_id), "unit_id": (None, one.unit_id), "due_on": (None, one.due_on)},
            label=label_of(one.project),
        )
        for one in made
    ]
    audit.record_many(actor=actor, action="responsibility.assign", deeds=deeds, new=True)
    return made


@transaction.atomic
def change_responsibilities(*, actor: Actor, rows: Sequence[ResponsibilityChange]) -> list[Responsibility]:
    """Corrects who answers, and by when. Raises as `assign_responsibilities`; Stale; Conflict when it is not open."""
    projects = _projects(actor, (row.responsibility.project for row in rows))
    pks = sorted(row.responsibility.pk for row in rows)
    locked = {one.pk: one for one in Responsibility.objects.select_for_update().filter(pk__in=pks).order_by("pk")}
    deeds, changed = [], []
    for row in rows:
        one = locked[row.responsibility.pk]
        one.project = projects[one.project_id]
        if row.version is not None and row.version != one.version:
            raise Stale(_("这条责任刚刚被别人改动过，请刷新页面，看过最新情况后再办理。"))
        changes = _changes(actor, one, row)
        if not changes:
            continue
        if one.state != ResponsibilityState.OPEN:
            raise Conflict(_("这条责任%(state)s，不能再修改。") % {"state": one.get_state_display()}, code="not_open")
        one.version += 1
        changed.append(one)
        deeds.append(audit.Deed(one, changes, label=label_of(one.project), personal=("person",)))
    Responsibility.objects.bulk_update(changed, ["person", "due_on", "unit", "version"], batch_size=BATCH)
    audit.record_many(actor=actor, action="responsibility.change", deeds=deeds)
    return list(locked.values())


def do_responsibility(
    *, actor: Actor, responsibility: Responsibility, text: str, version: int | None = None
) -> Responsibility:
    """It is carried out, and how. By the place, by the lead unit, or by the unit that answers for it.

    Raises as `core.moving.advance`.
    """
    words = _text(text, _("落实情况"), "text")

    def effect(row: Responsibility, data: Any) -> None:
        mine = serves(actor, row.unit_id) or serves(actor, row.project.lead_unit_id)
        if not mine and not can(actor, posts.MANAGE_PROJECT, row):
            raise Forbidden(_("由责任单位、牵头单位或社区登记落实。"))
        row.text, row.done_on = words, timezone.localdate()

    return _move("do", actor, responsibility, {"text": words}, version, effect)


def reopen_responsibility(
    *, actor: Actor, responsibility: Responsibility, reason: str, version: int | None = None
) -> Responsibility:
    """It was not carried out after all. Raises as `core.moving.advance`."""

    def effect(row: Responsibility, data: Any) -> None:
        row.text, row.done_on = "", None

    return _move("reopen", actor, responsibility, {"reason": _reason(reason)}, version, effect)


def drop_responsibility(
    *, actor: Actor, responsibility: Responsibility, reason: str, version: int | None = None
) -> Responsibility:
    """It is not wanted any more. Raises as `core.moving.advance`."""
    return _move("drop", actor, responsibility, {"reason": _reason(reason)}, version)


# --- What they share ------------------------------------------------------------------------------------------------


def at_work(actor: Actor, project: Project, *, lock: bool = True) -> Project:
    """The project, its row locked, if the actor may write down what is done for it: the lead unit or the place.

    Raises NotFound, Forbidden; Conflict when the project is over.
    """
    row = locked_project(project) if lock else project
    if not serves(actor, row.lead_unit_id):
        require(actor, posts.MANAGE_PROJECT, row)
    _refuse_over(row)
    return row


def _refuse_over(row: Project) -> None:
    if row.state not in PROJECT_HOLDS:
        words = _("项目%(state)s，不能再登记。") % {"state": row.get_state_display()}
        raise Conflict(words, code="project_closed")


def _projects(
    actor: Actor, projects: Iterable[Project], *, under_way: Collection[int] | None = None
) -> dict[int, Project]:
    """The projects under their locks. Args: under_way: those that must not be over; all of them when not given."""
    found = {}
    for one in sorted({project.pk: project for project in projects}.values(), key=lambda project: project.pk):
        row = locked_project(one)
        require(actor, posts.MANAGE_PROJECT, row)
        if under_way is None or row.pk in under_way:
            _refuse_over(row)
        found[row.pk] = row
    return found


def _check_unit(project: Project, unit: Unit | None) -> None:
    if unit is not None and (unit.county_id != project.county_id or not unit.is_active):
        raise _bad("unit", _("“%(unit)s”不是本县在用的单位。") % {"unit": unit})


def _past(day: datetime.date | None) -> datetime.date | None:
    if day is not None and day > timezone.localdate():
        raise _bad("done_on", _("落实日期不能晚于今天。"))
    return day


def _join(actor: Actor, project: Project, unit: Unit | None) -> None:
    """Who answers for a part of a project supports it, and so sees it."""
    if unit is None or unit.pk == project.lead_unit_id or project.supporting.filter(pk=unit.pk).exists():
        return
    before = sorted(project.supporting.values_list("pk", flat=True))
    project.supporting.add(unit)
    _tell(actor, project, "project.change", {"supporting": (before, sorted([*before, unit.pk]))})


def _changes(actor: Actor, one: Responsibility, row: ResponsibilityChange) -> dict[str, tuple[Any, Any]]:
    given: dict[str, Any] = {"person": row.person, "due_on": row.due_on, "unit": row.unit}
    if row.person is not UNCHANGED:
        given["person"] = _line(row.person, 60, _("责任人"), "person")
    changes = {}
    for name, value in given.items():
        before = getattr(one, name)
        if value is UNCHANGED or before == value:
            continue
        if name == "unit":
            _check_unit(one.project, value)
            _join(actor, one.project, value)
        setattr(one, name, value)
        changes[name] = (getattr(before, "pk", before), getattr(value, "pk", value))
    return changes


def _move(
    name: str,
    actor: Actor,
    row: Responsibility,
    data: dict[str, Any],
    version: int | None,
    effect: Callable[..., None] | None = None,
) -> Responsibility:
    with transaction.atomic():
        locked_project(row.project)
        return advance(
            RESPONSIBILITY,
            row,
            name,
            actor=actor,
            data=data,
            version=version,
            effect=effect,
            related=("project__node", "project__lead_unit", "project__county", "unit"),
            label=label_of(row.project),
        )


def _tell(actor: Actor, row: Project, action: str, changes: dict[str, tuple[Any, Any]], reason: str = "") -> None:
    audit.record(actor=actor, action=action, obj=row, changes=changes, label=label_of(row), reason=reason)


def _line(text: str, limit: int, label: str, field: str) -> str:
    words = clean_line(text, max_length=limit, label=label, field=field, required=True)
    return scrub_identity_numbers(scrub_phone_numbers(words))


def _text(text: str, label: str, field: str) -> str:
    return scrub_identity_numbers(scrub_phone_numbers(clean_text(text, max_length=500, label=label, field=field)))


def _reason(text: str) -> str:
    return clean_line(text, max_length=500, label=_("理由"), field="reason")


def _bad(name: str, message: str) -> Invalid:
    return Invalid(message, fields={name: message})
