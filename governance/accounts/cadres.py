"""Cadres and keepers by a table: an account and a post in each row."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core.periods import date_words
from core.sheets import Task, What
from core.spreadsheets import Column
from governance.accounts.people import PersonSheet, Reading, Row, batches
from governance.accounts.words import CADRES, KINDS, person_columns, place_column, start_column
from grids.actions import Correction, NewAppointment, appoint_many, correct_appointments
from grids.actions.appointments import APART
from grids.actions.terms import meet
from grids.models import Appointment, County, GridNode
from grids.places import FREE, Words, find_places
from grids.posts import COUNTY, MANAGE_APPOINTMENT, POSTS, posts_at
from grids.resources.base import differs_from_what_stands
from grids.resources.places import PlaceColumns
from grids.resources.posts import post_column, posts_of

_Held = dict[str, list[Appointment]]


class CadreSheet(PersonSheet):
    key = CADRES
    label = KINDS[CADRES]
    right = MANAGE_APPOINTMENT

    def columns(self, where: County) -> Sequence[Column]:
        place = PlaceColumns(where, place_column()).columns()
        return (*person_columns(), post_column(where), place[0], start_column(), *place[1:])

    def judge(self, reading: Reading) -> None:
        places, posts = PlaceColumns(reading.county, place_column()), posts_of(reading.county)
        said = {row.number: places.read(row.record) for row in reading.rows}
        found = find_places(reading.county, said.values())
        held, seen = _held_by(reading.rows), dict[Any, int]()
        for done, row in enumerate(reading.rows):
            reading.task.progress(done, len(reading.rows))
            post, words = posts[row.record.text("post")], said[row.number]
            if POSTS[post].levels == (COUNTY,):
                place, why = _county(reading.county, words)
            else:
                place, why = (found[words].node, found[words].fault) if words else (None, _("请填写任职地"))
            if place is None or why:
                reading.blame(row, places.column(words), why)
                continue
            key = "" if isinstance(place, County) else place.level_type.key
            if key and key not in POSTS[post].levels:
                reading.blame(row, "post", _not_there(place, post))
                continue
            row.what = f"{place} {POSTS[post].label}"
            if (first := seen.setdefault((row.phone, post, place), row.number)) != row.number:
                reading.blame(row, "", _("与第 %(row)d 行重复") % {"row": first})
                continue
            self._hold(reading, row, post, place, held.setdefault(row.phone, []))

    def _hold(self, reading: Reading, row: Row, post: str, place: GridNode | County, held: list[Appointment]) -> None:
        """Whether the person holds it already, and if not, whether they may."""
        start = row.record.day("start")
        first = start or timezone.localdate()
        here = [one for one in held if one.post == post and place == (one.node or one.county)]
        standing = next((one for one in here if one.end is None or one.end >= timezone.localdate()), None)
        if standing is not None:
            self._compare(reading, row, standing, start, [one for one in here if one is not standing])
        elif over := next((one.end for one in here if one.end and meet(one, first)), None):
            words = _("已有到 %(end)s 为止的同一任职，任职日期不能早于它")
            reading.blame(row, "start", words % {"end": date_words(over)})
        elif row.user is not None and row.user == reading.task.actor:
            reading.blame(row, "", _("不能给自己任职，请由另一位管理员办理"))
        elif any({post, one.post} == APART and meet(one, first) for one in held):
            reading.blame(row, "post", _("审计员和管理员不能由同一人担任"))
        else:
            where = {"county": place} if isinstance(place, County) else {"node": place}
            held.append(Appointment(post=post, start=first, **where))
            row.found = (post, place, start)
            reading.add(row, What.NEW)

    def _compare(
        self, reading: Reading, row: Row, standing: Appointment, start: datetime.date | None, others: list[Appointment]
    ) -> None:
        if start is None or start == standing.start:
            reading.add(row, What.SAME)
            return
        changes = [(_("任职日期"), date_words(standing.start), date_words(start))]
        if not reading.task.update:
            reading.blame(row, "start", differs_from_what_stands(changes))
        elif row.user == reading.task.actor:
            reading.blame(row, "", _("不能更改自己的任职，请由另一位管理员办理"))
        elif standing.end is not None and start > standing.end:
            reading.blame(row, "start", _("晚于离任日期 %(end)s") % {"end": date_words(standing.end)})
        elif any(meet(one, start, standing.end) for one in others):
            reading.blame(row, "start", _("与同一岗位的另一段任职重叠"))
        else:
            row.found = Correction(standing, start, standing.end, standing.note, standing.version)
            reading.add(row, What.CHANGED, changes)

    def write_rows(self, task: Task, new: Sequence[Row], changed: Sequence[Row]) -> None:
        if new:
            rows = [NewAppointment(row.user, *row.found) for row in new if row.user is not None]
            appoint_many(actor=task.actor, rows=rows)
        if changed:
            correct_appointments(actor=task.actor, rows=[row.found for row in changed])


def _county(county: County, words: Words) -> tuple[GridNode | County | None, str]:
    """The place of a county's post, which needs none."""
    if words and words != ((FREE, county.name),):
        return county, _("县级岗位不用填任职地")
    return county, ""


def _not_there(place: Any, post: str) -> str:
    words = {
        "place": place.name,
        "level": place.level_type.name,
        "post": POSTS[post].label,
        "posts": "、".join(str(one.label) for one in posts_at(place.level_type.key)) or _("（无）"),
    }
    return _("“%(place)s”是%(level)s，不设%(post)s；可以设：%(posts)s") % words


def _held_by(rows: Sequence[Row]) -> _Held:
    """Phone -> all that its person holds or held."""
    held: _Held = {}
    users: Mapping[int, str] = {row.user.pk: row.phone for row in rows if row.user is not None}
    for some in batches(users):
        for one in Appointment.objects.filter(user_id__in=some).select_related("node", "county", "user"):
            held.setdefault(users[one.user_id], []).append(one)
    return held
