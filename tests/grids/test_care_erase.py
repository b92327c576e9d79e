"""Erased is erased: every table, every kept file and the database's own file are searched for what was there."""

import csv
import datetime
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from core import jobs, notices
from core.errors import Forbidden, Invalid, NotFound
from core.models import AuditEntry, Job, JobState, Notice, User
from core.sheets import sheet_of, submit_check, submit_import
from core.sheets.jobs import submit_export
from grids.actions.care import correct_household, move_household, record_visit
from grids.actions.care_erase import erase_household
from grids.actions.care_facts import facts_of
from grids.actions.care_reveal import reveal_household
from grids.actions.care_sweep import sweep_care
from grids.models import CareHousehold, CareNeed, CareVisit
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db(transaction=True)

NAME, PHONE, ROOM = "欧阳惠莲", "13987651234", "东巷十七号后院"
OTHER = "不相干的人"
HEADERS = ("地点", "门牌", "联系人", "电话", "关爱类别", "同意方式", "同意日期", "最近走访日期")
DAY = datetime.timedelta(days=1)


@pytest.fixture
def cast(transactional_cast: Cast) -> Cast:
    return transactional_cast


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def table(*rows: list[str]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def row(cast: Cast, **changes: str) -> list[str]:
    values = {
        "地点": cast.a.building.path,
        "门牌": ROOM,
        "联系人": NAME,
        "电话": PHONE,
        "关爱类别": "独居老人、残疾人",
        "同意方式": "本人书面同意",
        "同意日期": f"{timezone.localdate():%Y-%m-%d}",
        "最近走访日期": "",
    }
    return list({**values, **changes}.values())


def checked(actor: User, content: bytes, name: str = f"{NAME}家.csv") -> Job:
    file = ContentFile(content, name=name)
    job = submit_check(actor=actor, sheet=sheet_of("households"), upload=file)
    jobs.run(job.pk)
    return Job.objects.get(pk=job.pk)


def imported(actor: User, check: Job) -> Job:
    job = submit_import(actor=actor, check=check, keep_good=True)
    jobs.run(job.pk)
    return Job.objects.get(pk=job.pk)


def cells() -> Iterator[tuple[str, str]]:
    """Every value of every table, as text."""
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")
            for values in cursor.fetchall():
                for value in values:
                    yield name, value if isinstance(value, str) else str(value)


def contents(store: Path) -> Iterator[tuple[str, bytes]]:
    """Every kept file, and what is packed inside it."""
    for path in store.rglob("*"):
        if not path.is_file():
            continue
        yield str(path), str(path).encode() + path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                for member in packed.namelist():
                    yield f"{path}:{member}", packed.read(member)


def traces(store: Path, *words: str) -> list[tuple[str, str]]:
    """Where any of the words is still to be found; JSON may have written them in escapes."""
    wanted = [form for word in words for form in (word, word.encode("unicode_escape").decode())]
    found = [(name, word) for name, value in cells() for word in wanted if word in value]
    coded = [(word, word.encode(encoding)) for word in wanted for encoding in ("utf-8", "gb18030", "utf-16-le")]
    return found + [(name, word) for name, content in contents(store) for word, part in coded if part in content]


def a_whole_life(cast: Cast) -> CareHousehold:
    """A household that went through everything there is: tables, a correction, a move, visits, a look, an export."""
    good = checked(cast.a.officer, table(list(HEADERS), row(cast)))
    imported(cast.a.officer, good)
    one = CareHousehold.objects.get(name=NAME)
    # A table with its row and a bad one, never confirmed; one that is refused and quotes what it found; one of a
    # neighbour, who is not told that the place exists.
    checked(cast.a.officer, table(list(HEADERS), row(cast), row(cast, 门牌="2", 同意方式="没有")))
    checked(cast.a.officer, table(row(cast), row(cast)))
    checked(cast.b.officer, table(list(HEADERS), row(cast)))
    record_visit(actor=cast.a.keeper, household=one, visited_on=timezone.localdate(), text=f"{NAME}要人送药，{PHONE}")
    one.refresh_from_db()
    correct_household(actor=cast.a.keeper, household=one, facts=facts_of(one), version=one.version)
    move_household(actor=cast.a.officer, household=one, node=cast.a.entrance, room=ROOM)
    reveal_household(actor=cast.a.keeper, household=one, purpose="visit")
    ids = [one.pk, make.make_household(cast.a.building, name=OTHER).pk]
    jobs.run(submit_export(actor=cast.a.officer, sheet=sheet_of("households"), ids=ids).pk)
    jobs.run(submit_export(actor=cast.a.officer, sheet=sheet_of("households"), ids=ids[1:]).pk)
    for person, page in ((cast.a.officer, f"/admin/grids/carehousehold/{one.pk}/change/"),):
        client = Client()
        client.force_login(person)
        assert client.get(page).status_code == 200
    sweep_care()
    notices.deliver()
    return CareHousehold.objects.get(pk=one.pk)


def test_nothing_is_left_of_an_erased_household(cast: Cast, store: Path) -> None:
    one = a_whole_life(cast)
    assert any(str(store) in name for name, _word in traces(store, NAME)), "the files that wait hold it"
    kept = Job.objects.get(params__ids=[CareHousehold.objects.get(name=OTHER).pk])

    erase_household(actor=cast.a.officer, household=one, reason="asked")

    assert traces(store, NAME, PHONE, ROOM) == []
    assert not CareNeed.objects.filter(household_id=one.pk).exists()
    assert not CareVisit.objects.filter(household_id=one.pk).exists()
    assert CareHousehold.objects.get().name == OTHER
    kept.refresh_from_db()
    assert kept.result, "a ledger it does not stand in stays"
    assert not Job.objects.exclude(pk=kept.pk).exclude(upload="", result="").exists()


def test_the_trail_says_that_somebody_erased_and_not_whom(cast: Cast) -> None:
    one = make.make_household(cast.a.building, name=NAME, phone=PHONE, room=ROOM)
    erase_household(actor=cast.a.officer, household=one, reason="moved")
    entry = AuditEntry.objects.get(action="care.erase")
    assert (entry.actor, entry.reason, entry.changes) == (cast.a.officer, "已搬离本社区", {})
    assert entry.label == "白龙塘社区 关爱台账"
    with pytest.raises(NotFound):
        erase_household(actor=cast.a.officer, household=one, reason="moved")


@pytest.mark.parametrize(
    ("role", "refusal"),
    [
        ("a.keeper", Forbidden),
        ("b.officer", NotFound),
        ("street_secretary", NotFound),
        ("department", NotFound),
        ("admin", NotFound),
        ("superuser", NotFound),
        ("a.team_lead", NotFound),
    ],
)
def test_only_the_community_erases(cast: Cast, store: Path, role: str, refusal: type[Exception]) -> None:
    one = make.make_household(cast.a.building)
    with pytest.raises(refusal):
        erase_household(actor=cast.people()[role], household=one, reason="asked")
    with pytest.raises(Invalid):
        erase_household(actor=cast.a.officer, household=one, reason=f"{NAME}要求")
    assert CareHousehold.objects.get() == one
    assert not AuditEntry.objects.filter(action="care.erase").exists()


def test_a_dry_run_from_before_can_not_bring_an_erased_household_back(cast: Cast) -> None:
    one = make.make_household(cast.a.building, name=NAME, room=ROOM)
    check = checked(cast.a.officer, table(list(HEADERS), row(cast, 门牌="9")))
    erase_household(actor=cast.a.officer, household=one, reason="asked")
    with pytest.raises(NotFound, match="重新上传"):
        submit_import(actor=cast.a.officer, check=Job.objects.get(pk=check.pk))
    assert not CareHousehold.objects.exists()


def test_a_job_that_waits_while_its_file_is_erased_says_what_to_do(cast: Cast) -> None:
    one = make.make_household(cast.a.building)
    upload = ContentFile(table(list(HEADERS), row(cast)), name="x.csv")
    job = submit_check(actor=cast.a.officer, sheet=sheet_of("households"), upload=upload)
    erase_household(actor=cast.a.officer, household=one, reason="asked")
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "重新上传" in job.error


def test_another_county_keeps_its_tables(cast: Cast) -> None:
    elsewhere = checked(cast.other_county_secretary, table(list(HEADERS), row(cast)))
    erase_household(actor=cast.a.officer, household=make.make_household(cast.a.building), reason="asked")
    elsewhere.refresh_from_db()
    assert elsewhere.upload


@pytest.mark.embedded
def test_the_database_file_itself_forgets(cast: Cast) -> None:
    one = make.make_household(cast.a.building, name=NAME, phone=PHONE, room=ROOM)
    record_visit(actor=cast.a.keeper, household=one, visited_on=timezone.localdate(), text="要人送药到东巷")
    file = Path(str(django_settings.DATABASES["default"]["NAME"]))
    words = [word.encode() for word in (NAME, PHONE, ROOM, "要人送药到东巷")]

    def held() -> list[bytes]:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return [word for word in words if word in file.read_bytes()]

    assert held() == words
    erase_household(actor=cast.a.officer, household=one, reason="asked")
    assert held() == []


# --- By itself ------------------------------------------------------------------------------------------------------


def test_an_entry_runs_out_is_shown_for_a_while_and_goes(cast: Cast, store: Path) -> None:
    one = make.make_household(cast.a.building, name=NAME, phone=PHONE, room=ROOM)
    end = one.expires_on
    with time_machine.travel(datetime.datetime.combine(end + 29 * DAY, datetime.time(12), datetime.UTC), tick=False):
        assert sweep_care()["erased"] == 0
        assert CareHousehold.objects.visible_to(fresh(cast.a.keeper)).exists()
    with time_machine.travel(datetime.datetime.combine(end + 30 * DAY, datetime.time(12), datetime.UTC), tick=False):
        assert not CareHousehold.objects.visible_to(fresh(cast.a.keeper)).exists()
        assert sweep_care()["erased"] == 1
        assert sweep_care()["erased"] == 0
    assert traces(store, NAME, PHONE, ROOM) == []
    entry = AuditEntry.objects.get(action="care.expire")
    assert (entry.actor, entry.actor_kind) == (None, "system")


def told(person: User) -> list[str]:
    return list(Notice.objects.filter(reader=person).order_by("pk").values_list("title", flat=True))


def test_keepers_and_community_are_told_and_no_household_is_named(cast: Cast, store: Path) -> None:
    with time_machine.travel(datetime.datetime(2027, 2, 10, 4, tzinfo=datetime.UTC), tick=False):
        make.make_household(cast.a.building, name=NAME, phone=PHONE, room=ROOM, days_ago=340)
        make.make_household(cast.a.building, name=OTHER, days_ago=370)
        make.make_household(cast.b.building, days_ago=10)
        make.make_household(cast.b.building, days_ago=60)
        assert sweep_care()["told"] > 0
        notices.deliver()
        assert sweep_care()["told"] == 0
        notices.deliver()
    words = [
        "关爱台账有1户登记已到期，请上门核实",
        "关爱台账有1户登记将到期，请上门核实",
        "2027年第一季度关爱台账有1户待核实",
    ]
    assert told(cast.a.keeper) == told(cast.a.officer) == words
    assert told(cast.b.keeper) == ["2027年第一季度关爱台账有1户待核实"]
    for person in (cast.a.building_head, cast.a.team_lead, cast.street_officer, cast.department):
        assert told(person) == []
    assert {name for name, _word in traces(store, NAME, PHONE, ROOM)} == {"grids_carehousehold"}
    with time_machine.travel(datetime.datetime(2027, 3, 20, 4, tzinfo=datetime.UTC), tick=False):
        assert sweep_care()["erased"] == 1
        notices.deliver()
    assert "关爱台账有1户到期没有核实，已自动删除" in told(cast.a.officer)
