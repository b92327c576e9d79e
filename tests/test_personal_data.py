"""The register of personal data (docs/personal-data.md) against the models: no text is stored that nobody thought about."""

import re
from pathlib import Path

from django.apps import apps
from django.db import models

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "personal-data.md").read_text(encoding="utf-8")
OURS = ("core", "grids", "partybuilding", "services")
TEXTS = (models.CharField, models.TextField, models.FileField, models.JSONField, models.GenericIPAddressField)

# Texts that say nothing of a person: codes and keys, words of an office, names of places, units and kinds of things.
NOT_OF_PERSONS = {
    "core.AuditEntry": {"chain", "actor_kind", "action", "previous", "digest"},
    "core.AuditSeal": {"digest", "previous", "mac"},
    "core.CalendarDay": {"note"},
    "core.Job": {"kind"},
    "core.Notice": {"kind", "link"},
    "core.ChannelState": {"error", "name"},
    "core.DigestEntry": {"channel", "kind"},
    "core.NoticePreference": {"choices"},
    "core.NoticeTemplate": {"body", "kind", "outside", "title"},
    "core.OutboxMessage": {"audience", "channel", "error", "key", "kind", "link"},
    "grids.CompoundProfile": {"note"},
    "grids.County": {"code", "name", "department", "note", "supervision_phone"},
    "grids.GridNode": {
        "name",
        "path",
        "code",
        "external_code",
        "address",
        "supervision_phone",
        "public_token",
    },
    "grids.Level": {"key", "name", "holder_post", "holder_title"},
    "grids.Remediation": {"title", "text"},
    "grids.RemediationPhoto": {"digest"},
    "partybuilding.CompoundRunning": {"firm_name"},
    "partybuilding.Pairing": {"duty"},
    "partybuilding.PairingGuide": {"level"},
    "partybuilding.PartyOrganisation": {"name"},
    "partybuilding.Unit": {"name", "short_name", "credit_code", "address", "duty"},
    "services.Category": {"name", "hint", "icon"},
    "services.Demand": {
        "code",
        "follow_code",
        "satisfaction",
        "external_number",
        "external_channel",
        "external_nature",
    },
    "services.DemandEvent": {"name", "actor_kind", "from_state", "to_state"},
    "services.LoopSettings": {"promise"},
    "services.Photo": {"digest"},
    "partybuilding.Alliance": {"name"},
    "partybuilding.AllianceSeat": {"title"},
    "partybuilding.FloatingMember": {"kept_at"},
    "partybuilding.Station": {"address", "name"},
    "services.Activity": {"text", "title"},
    "services.AgendaItem": {"title"},
    "services.Certificate": {"code"},
    "services.CheckInApplication": {"brings", "reason"},
    "services.Commitment": {"measure", "reason", "title"},
    "services.Evidence": {"digest"},
    "services.JointMeeting": {"reason", "title", "venue"},
    "services.MatchProposal": {"reasons"},
    "services.MatchRun": {"missed"},
    "services.Milestone": {"title"},
    "services.Project": {"code", "name", "reason"},
    "services.Resource": {"measure", "name", "reason", "text", "times"},
    "services.Responsibility": {"measure"},
    "services.UnitCheckIn": {"brings", "number"},
    "services.Bulletin": {"title", "text", "figures"},
    "services.CaseEntry": {"actor_kind", "name"},
    "services.CategoryLearning": {"counts"},
    "services.HelpCase": {"code"},
    "services.OutsideMatter": {"basis", "name", "words"},
    "services.RateExclusion": {"figures"},
    "services.RoutingRule": {"levels", "name", "origins", "words"},
    "services.RuleVersion": {"rules"},
    "services.Whistle": {"venue"},
    "services.Wish": {"code"},
}
REGISTERED = set(re.findall(r"`(\w+\.\w+\.\w+)`", PAGE))


def texts() -> set[str]:
    """Every stored text that is no choice from a fixed list."""
    return {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in OURS and not model._meta.proxy
        for field in model._meta.concrete_fields
        if isinstance(field, TEXTS) and not field.choices
    }


def test_every_text_is_registered_or_says_nothing_of_a_person() -> None:
    known = REGISTERED | {f"{label}.{name}" for label, names in NOT_OF_PERSONS.items() for name in names}
    assert texts() - known == set(), "put it into docs/personal-data.md, or say here that it holds no person"


def test_every_field_of_the_register_exists() -> None:
    fields = {
        f"{model._meta.label}.{field.name}" for model in apps.get_models() for field in model._meta.concrete_fields
    }
    assert REGISTERED - fields == set()
    not_of_persons = {f"{label}.{name}" for label, names in NOT_OF_PERSONS.items() for name in names}
    assert not_of_persons - fields == set()
    assert not not_of_persons & REGISTERED


def test_every_row_says_what_for_on_what_ground_and_how_long() -> None:
    rows = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| `")]
    assert rows
    for row in rows:
        assert len(row) == 5 and all(cell.strip() for cell in row), row
