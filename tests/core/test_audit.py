"""The trail of deeds: what is written, and that no way of changing it afterwards stays unseen."""

import datetime
import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import audit, origin, seals
from core.actors import RESIDENT, SYSTEM
from core.audit_check import Check
from core.errors import Conflict, Invalid
from core.models import AppendOnlyError, AuditEntry, AuditSeal, CalendarDay, JobState, User
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anchor(tmp_path: Path, settings: Any) -> Path:
    """Each test has an anchor file of its own."""
    settings.DATA_DIR = tmp_path
    return seals.anchor_path()


@pytest.fixture
def days() -> list[CalendarDay]:
    """Objects to do deeds to; which model they are does not matter here."""
    return [CalendarDay.objects.create(date=datetime.date(2026, 3, number), is_working=True) for number in range(1, 4)]


def deed(obj: models.Model, action: str = "day.change", **details: Any) -> AuditEntry:
    with transaction.atomic():
        return audit.record(actor=SYSTEM, action=action, obj=obj, **details)


def tamper(model: type[models.Model], **lookup: Any) -> models.QuerySet[Any]:
    """What somebody with the database's password reaches: rows without the guards of the model and the triggers."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE core_auditentry DISABLE TRIGGER USER")
            cursor.execute("ALTER TABLE core_auditseal DISABLE TRIGGER USER")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return models.QuerySet(model).filter(**lookup)


def remove(model: type[models.Model], **lookup: Any) -> None:
    rows = tamper(model, **lookup)
    rows._raw_delete(rows.db)


def problems() -> list[str]:
    return [finding.text for finding in Check().run() if finding.problem]


def two_chains(days: list[CalendarDay]) -> None:
    """Four deeds on the first day, two on the second, sealed after each third."""
    for number in range(6):
        deed(days[0] if number < 4 else days[1], changes={"note": (str(number), str(number + 1))})
        if number % 3 == 2:
            seals.seal()


# --- What is written ------------------------------------------------------------------------------------------------


def test_a_deed_says_who_what_where_and_why(days: list[CalendarDay]) -> None:
    user = make_user("王一")
    with transaction.atomic(), origin.coming_from("网页 10.0.0.8"):
        entry = audit.record(
            actor=user,
            action="day.change",
            obj=days[0],
            changes={"is_working": (True, False), "date": (datetime.date(2026, 3, 1), None)},
            label="3 月 1 日",
            reason=" 县里有活动 ",
        )
    entry.refresh_from_db()
    assert entry.chain == f"core.calendarday:{days[0].pk}"
    assert (entry.actor, entry.actor_kind, entry.actor_name) == (user, "user", "王一")
    assert entry.changes == {"is_working": [True, False], "date": ["2026-03-01", None]}
    assert (entry.label, entry.reason, entry.origin) == ("3 月 1 日", "县里有活动", "网页 10.0.0.8")
    assert (entry.position, entry.previous, entry.seal) == (1, "", None)


@pytest.mark.parametrize(("actor", "kind"), [(SYSTEM, "system"), (RESIDENT, "resident")])
def test_a_deed_without_an_account_names_its_kind(days: list[CalendarDay], actor: Any, kind: str) -> None:
    with transaction.atomic():
        entry = audit.record(actor=actor, action="day.change", obj=days[0])
    assert (entry.actor, entry.actor_kind, entry.actor_name) == (None, kind, actor.name)


def test_deeds_of_one_object_form_a_chain_and_of_two_objects_two(days: list[CalendarDay]) -> None:
    first, second, other = deed(days[0]), deed(days[0]), deed(days[1])
    assert (second.position, second.previous) == (2, first.digest)
    assert (other.position, other.previous) == (1, "")


def test_the_value_of_a_personal_field_is_never_stored(days: list[CalendarDay]) -> None:
    entry = deed(days[0], changes={"phone": ("13912345678", "13987654321"), "note": ("a", "b")}, personal=["phone"])
    entry.refresh_from_db()
    assert entry.changes == {"phone": ["***", "***"], "note": ["a", "b"]}


def test_the_county_is_taken_from_the_object() -> None:
    user = make_user("李二")
    user.county_key = 7
    assert deed(user).county_id == 7


def test_a_reason_that_is_too_long_is_refused_and_nothing_is_written(days: list[CalendarDay]) -> None:
    with pytest.raises(Invalid) as caught:
        deed(days[0], reason="因" * 501)
    assert "reason" in caught.value.fields
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_deed_needs_a_transaction() -> None:
    day = CalendarDay.objects.create(date=datetime.date(2026, 3, 1), is_working=True)
    with pytest.raises(RuntimeError):
        audit.record(actor=SYSTEM, action="day.change", obj=day)


def test_an_old_end_of_the_chain_is_a_conflict(days: list[CalendarDay]) -> None:
    deed(days[0])
    with pytest.raises(Conflict):
        deed(days[0], new=True)
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_writers_at_once_one_wins_and_the_other_is_told() -> None:
    day = CalendarDay.objects.create(date=datetime.date(2026, 3, 1), is_working=True)
    barrier = threading.Barrier(2, timeout=30)
    results: list[str] = []

    def write() -> None:
        try:
            # Both read the same end of the chain, which the lock on the object's row prevents in an action.
            end = audit._last(audit.chain_of(day))
            barrier.wait()
            with transaction.atomic():
                entry = audit._entry(SYSTEM, "x", audit.Deed(day), audit.chain_of(day), end[0] + 1, "", timezone.now())
                audit._insert([entry])
            results.append("written")
        except Conflict:
            results.append("conflict")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["conflict", "written"]
    assert AuditEntry.objects.count() == 1


def test_many_deeds_at_once_continue_their_chains(
    days: list[CalendarDay], django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    deed(days[0])
    deeds = [audit.Deed(days[0]), audit.Deed(days[1]), audit.Deed(days[0], reason="再改")]
    with transaction.atomic(), django_assert_max_num_queries(2):
        entries = audit.record_many(actor=SYSTEM, action="day.import", deeds=deeds)
    assert [(entry.chain, entry.position) for entry in entries] == [
        (audit.chain_of(days[0]), 2),
        (audit.chain_of(days[1]), 1),
        (audit.chain_of(days[0]), 3),
    ]
    assert problems() == []


def test_one_deed_costs_two_statements_and_on_a_new_object_one(
    days: list[CalendarDay], django_assert_num_queries: Callable[[int], Any]
) -> None:
    with transaction.atomic():
        with django_assert_num_queries(2):
            audit.record(actor=SYSTEM, action="day.change", obj=days[0])
        with django_assert_num_queries(1):
            audit.record(actor=SYSTEM, action="day.create", obj=days[1], new=True)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.dates()
    | st.datetimes()
    | st.sampled_from([JobState.DONE, gettext_lazy("已完成"), User(pk=3, name="张三"), datetime.time(8, 30)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3) | st.sets(st.integers()),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=json_values, after=json_values, reason=st.text(max_size=40), label=st.text(max_size=200))
def test_whatever_is_recorded_comes_back_with_its_digest(before: Any, after: Any, reason: str, label: str) -> None:
    day = CalendarDay(pk=1, date=datetime.date(2026, 3, 1), is_working=True)
    entry = deed(day, changes={"field": (before, after)}, reason=reason, label=label)
    stored = AuditEntry.objects.filter(pk=entry.pk).values_list(*audit.DIGESTED).get()
    assert audit.digest(stored) == entry.digest


def test_the_models_themselves_refuse_to_change_the_trail(days: list[CalendarDay]) -> None:
    entry = deed(days[0])
    with pytest.raises(AppendOnlyError):
        AuditEntry.objects.filter(pk=entry.pk).update(reason="另一个理由")
    with pytest.raises(AppendOnlyError):
        AuditEntry.objects.all().delete()
    with pytest.raises(AppendOnlyError):
        entry.delete()
    assert problems() == []


@pytest.mark.postgres
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditentry SET reason = 'x'",
        "DELETE FROM core_auditentry",
        "UPDATE core_auditentry SET seal_id = NULL",
        "UPDATE core_auditseal SET rows = 0",
        "DELETE FROM core_auditseal",
    ],
)
def test_postgresql_itself_refuses_to_change_the_trail(days: list[CalendarDay], statement: str) -> None:
    deed(days[0])
    seals.seal()
    with (
        pytest.raises(Exception, match=r"append-only|never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AuditEntry.objects.count() == 1
    assert problems() == []


# --- Seals ----------------------------------------------------------------------------------------------------------


def test_sealing_leaves_nothing_unsealed_and_anchors_each_seal(days: list[CalendarDay], anchor: Path) -> None:
    two_chains(days)
    assert not AuditEntry.objects.filter(seal=None).exists()
    first, second = AuditSeal.objects.order_by("number")
    assert (first.rows, second.rows, second.previous) == (3, 3, first.mac)
    assert [line.split()[:2] for line in anchor.read_text().splitlines()] == [["1", first.mac], ["2", second.mac]]
    assert problems() == []


def test_a_signature_covers_everything_a_seal_says_and_the_key(settings: Any) -> None:
    at = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC)
    plain: dict[str, Any] = {"number": 2, "previous": "p", "rows": 3, "digest": "d", "at": at}
    others = [
        {"number": 1},
        {"previous": "q"},
        {"rows": 4},
        {"digest": "e"},
        {"at": at + datetime.timedelta(seconds=1)},
    ]
    signatures = {seals.mac(**{**plain, **other}) for other in [{}, *others]}
    settings.AUDIT_KEY = "another-key-of-at-least-32-characters"
    signatures.add(seals.mac(**plain))
    assert len(signatures) == 7


def test_nothing_new_means_no_new_seal(days: list[CalendarDay]) -> None:
    deed(days[0])
    assert seals.seal() == 1
    assert seals.seal() == 0
    assert AuditSeal.objects.count() == 1


def test_a_lost_anchor_line_is_added_by_the_next_sealing(days: list[CalendarDay], anchor: Path) -> None:
    deed(days[0])
    seals.seal()
    # The process died between commit and append, in the middle of a line at that.
    anchor.write_bytes(anchor.read_bytes()[:-40])
    seals.seal()
    assert problems() == []


def test_more_rows_than_one_seal_holds_make_more_seals(
    days: list[CalendarDay], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "ROWS_PER_SEAL", 2)
    with transaction.atomic():
        audit.record_many(actor=SYSTEM, action="day.import", deeds=[audit.Deed(days[0])] * 5)
    assert seals.seal() == 5
    assert list(AuditSeal.objects.order_by("number").values_list("rows", flat=True)) == [2, 2, 1]
    assert problems() == []


@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_seal_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "ROWS_PER_SEAL", 5)
    day = CalendarDay.objects.create(date=datetime.date(2026, 3, 1), is_working=True)
    with transaction.atomic():
        audit.record_many(actor=SYSTEM, action="day.import", deeds=[audit.Deed(day)] * 40)
    barrier = threading.Barrier(2, timeout=30)
    counts: list[int] = []

    def run() -> None:
        try:
            barrier.wait()
            counts.append(seals.seal())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One of them may have given way before everything was sealed; the next run takes the rest.
    assert sum(counts) + seals.seal() == 40
    assert problems() == []


# --- Tampering --------------------------------------------------------------------------------------------------------


def test_an_altered_row_is_found(days: list[CalendarDay]) -> None:
    two_chains(days)
    tamper(AuditEntry, chain=audit.chain_of(days[0]), position=2).update(reason="另一个理由")
    assert problems() == [f"记录链 {audit.chain_of(days[0])} 第 2 行的内容被改动。"]


def test_an_altered_row_with_a_new_digest_is_found(days: list[CalendarDay]) -> None:
    two_chains(days)
    row = AuditEntry.objects.get(chain=audit.chain_of(days[0]), position=2)
    row.reason = "另一个理由"
    digest = audit.digest(getattr(row, name) for name in audit.DIGESTED)
    tamper(AuditEntry, pk=row.pk).update(reason=row.reason, digest=digest)
    found = problems()
    assert any("第 3 行与前一行不相连" in text for text in found)
    assert any("封存 1" in text and "不符" in text for text in found)


def test_a_chain_rewritten_to_its_end_is_found(days: list[CalendarDay]) -> None:
    two_chains(days)
    previous = ""
    for row in AuditEntry.objects.filter(chain=audit.chain_of(days[0])).order_by("position"):
        row.reason, row.previous = "另一个理由", previous
        previous = audit.digest(getattr(row, name) for name in audit.DIGESTED)
        tamper(AuditEntry, pk=row.pk).update(reason=row.reason, previous=row.previous, digest=previous)
    found = problems()
    assert not any("记录链" in text for text in found if "封存" not in text)
    assert any("封存 1" in text for text in found)
    assert any("封存 2" in text for text in found)


def test_a_removed_row_in_the_middle_is_found(days: list[CalendarDay]) -> None:
    two_chains(days)
    remove(AuditEntry, chain=audit.chain_of(days[0]), position=2)
    assert f"记录链 {audit.chain_of(days[0])} 缺少第 2 行。" in problems()


def test_a_removed_first_row_is_found(days: list[CalendarDay]) -> None:
    two_chains(days)
    remove(AuditEntry, chain=audit.chain_of(days[0]), position=1)
    assert f"记录链 {audit.chain_of(days[0])} 缺少第 1 行。" in problems()


def test_the_cut_tail_of_a_chain_is_found(days: list[CalendarDay]) -> None:
    two_chains(days)
    remove(AuditEntry, chain=audit.chain_of(days[0]), position__gte=4)
    assert [text for text in problems() if "封存 2" in text and "应有 3 行，现有 2 行" in text]


def test_a_chain_that_is_gone_as_a_whole_is_found(days: list[CalendarDay]) -> None:
    two_chains(days)
    remove(AuditEntry, chain=audit.chain_of(days[1]))
    assert [text for text in problems() if "封存 2" in text and "应有 3 行，现有 1 行" in text]


def test_an_altered_seal_is_found(days: list[CalendarDay]) -> None:
    two_chains(days)
    remove(AuditEntry, chain=audit.chain_of(days[1]))
    rows = AuditEntry.objects.filter(seal__number=2).order_by("id").values_list(*seals.SEALED)
    summer = seals.Summer()
    for row in rows:
        summer.add(row)
    tamper(AuditSeal, number=2).update(rows=summer.rows, digest=summer.digest())
    assert [text for text in problems() if "封存 2 的签名不符" in text]


def test_a_removed_seal_in_the_middle_is_found(days: list[CalendarDay]) -> None:
    two_chains(days)
    deed(days[2])
    seals.seal()
    tamper(AuditEntry, seal__number=2).update(seal=None)
    remove(AuditSeal, number=2)
    assert "缺少封存 2。" in problems()


def test_the_cut_tail_of_the_seals_is_found_by_the_anchor_file(days: list[CalendarDay]) -> None:
    two_chains(days)
    remove(AuditEntry, seal__number=2)
    remove(AuditSeal, number=2)
    assert problems() == ["封存 2 已从数据库中删除（存根文件里还有）。"]


def test_rows_unsealed_altered_and_sealed_again_by_the_portal_are_found(days: list[CalendarDay]) -> None:
    two_chains(days)
    row = AuditEntry.objects.get(chain=audit.chain_of(days[1]), position=2)
    tamper(AuditEntry, seal__number=2).update(seal=None)
    remove(AuditSeal, number=2)
    row.reason = "另一个理由"
    tamper(AuditEntry, pk=row.pk).update(
        reason=row.reason, digest=audit.digest(getattr(row, name) for name in audit.DIGESTED)
    )
    seals.seal()
    assert problems() == ["封存 2 与存根文件不符：原来的封存被删除后重新生成。"]


def test_everything_removed_is_found_by_the_anchor_file(days: list[CalendarDay]) -> None:
    two_chains(days)
    remove(AuditEntry)
    remove(AuditSeal)
    assert len(problems()) == 2


@pytest.mark.parametrize("change", ["remove", "empty", "first line", "garbage"])
def test_a_damaged_anchor_file_is_found(days: list[CalendarDay], anchor: Path, change: str) -> None:
    two_chains(days)
    lines = anchor.read_text().splitlines(keepends=True)
    if change == "remove":
        anchor.unlink()
    elif change == "empty":
        anchor.write_text("")
    elif change == "first line":
        anchor.write_text("".join(lines[1:]))
    else:
        anchor.write_text("".join(["x\n", *lines]))
    assert len(problems()) == 1


def test_another_key_can_not_verify_the_seals(days: list[CalendarDay], settings: Any) -> None:
    two_chains(days)
    settings.AUDIT_KEY = "another-key-of-at-least-32-characters"
    assert len([text for text in problems() if "签名不符" in text]) == 2


# Every column but the key of a seal, which nothing but the rows' reference to it depends on.
ROW_FIELDS = list(AuditEntry._meta.concrete_fields)
SEAL_FIELDS = [field for field in AuditSeal._meta.concrete_fields if not field.primary_key]


def other_value(field: "models.Field[Any, Any]", value: Any, salt: int) -> Any:
    """Some value the column can hold that is not the one it holds."""
    if isinstance(field, models.JSONField):
        return {**value, f"k{salt}": [salt, salt]}
    if isinstance(field, models.DateTimeField):
        return value + datetime.timedelta(microseconds=1 + salt)
    if isinstance(field, models.CharField):
        mark = f"~{salt}"
        return value[:-1] if salt % 3 == 0 and value else value[: field.max_length - len(mark)] + mark
    return (value or 0) + 100 + salt


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_change_of_any_field_of_any_row_stays_unseen(data: st.DataObject) -> None:
    days = [
        CalendarDay.objects.get_or_create(date=datetime.date(2026, 3, number), defaults={"is_working": True})[0]
        for number in (1, 2)
    ]
    if not AuditSeal.objects.exists():
        two_chains(days)
    model, fields = data.draw(st.sampled_from([(AuditEntry, ROW_FIELDS), (AuditSeal, SEAL_FIELDS)]))
    row = data.draw(st.sampled_from(list(models.QuerySet(model).order_by("pk"))))
    field = data.draw(st.sampled_from(fields))
    value = getattr(row, field.attname)
    changed = _reference(field, row) or other_value(field, value, data.draw(st.integers(0, 50)))
    try:
        with transaction.atomic():
            tamper(model, pk=row.pk).update(**{field.attname: changed})
            assert problems(), f"{field.attname}: {value!r} -> {changed!r}"
            raise RollbackError
    except (RollbackError, IntegrityError):
        # The database itself refuses what would break a constraint: as good as found.
        pass
    assert problems() == []


class RollbackError(Exception):
    """Takes back one try."""


def _reference(field: "models.Field[Any, Any]", row: Any) -> Any:
    """For a foreign key another row that exists; the database checks that one does."""
    if field.name == "seal":
        return AuditSeal.objects.exclude(pk=row.seal_id).values_list("pk", flat=True).first()
    if field.name == "actor":
        return (User.objects.first() or make_user("陌生人")).pk
    return None


# --- The command ------------------------------------------------------------------------------------------------------


def run_check() -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("check_audit", stdout=out, stderr=err)
    except SystemExit as stop:
        return int(stop.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_the_command_says_that_all_is_well(days: list[CalendarDay]) -> None:
    two_chains(days)
    deed(days[0])
    code, out, err = run_check()
    assert (code, err) == (0, "")
    assert "核验通过：7 行、2 条记录链、2 个封存。" in out
    assert "1 行还没有封存" in out


def test_the_command_fails_and_says_what_is_wrong(days: list[CalendarDay]) -> None:
    two_chains(days)
    tamper(AuditEntry, chain=audit.chain_of(days[0]), position=1).update(action="day.invented")
    code, _out, err = run_check()
    assert code == 1
    assert "第 1 行的内容被改动" in err
    assert "核验未通过" in err


def test_an_empty_portal_has_nothing_to_complain_of() -> None:
    assert run_check()[0] == 0


def test_the_check_reads_in_batches(days: list[CalendarDay], monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches smaller than chains and seals, so that a batch's border falls inside both."""
    from core import audit_check

    monkeypatch.setattr(audit_check, "CHUNK", 2)
    two_chains(days)
    assert problems() == []
    remove(AuditEntry, chain=audit.chain_of(days[0]), position=3)
    assert len(problems()) >= 2


@pytest.fixture(autouse=True)
def plain_origin() -> Iterator[None]:
    with origin.coming_from("测试"):
        yield
