"""Writes down, as version 1, the limits every county has today: what is changed from now on has a before."""

from typing import Any

from django.db import migrations

LIMITS = (
    "accept_workdays",
    "dispatch_workdays",
    "publish_workdays",
    "sign_hours",
    "contact_hours",
    "check_workdays",
    "assignment_workdays",
    "auto_close_days",
    "reopen_days",
    "supervision_workdays",
    "review_workdays",
    "bulletin_workdays",
    "leader_workdays",
    "bulletin_answer_workdays",
    "exclusion_workdays",
    "whistle_hours",
    "whistle_workdays",
    "case_workdays",
    "wish_check_workdays",
    "wish_adopt_days",
    "wish_workdays",
    "wish_cost",
    "yellow_percent",
)


def write_first_versions(apps: Any, schema_editor: Any) -> None:
    rule_version = apps.get_model("services", "RuleVersion")
    category = apps.get_model("services", "Category")
    for row in apps.get_model("services", "LoopSettings").objects.all():
        if rule_version.objects.filter(county_id=row.county_id).exists():
            continue
        categories = category.objects.filter(county_id=row.county_id).order_by("pk")
        rules = {
            "limits": {name: getattr(row, name) for name in LIMITS},
            "categories": {
                str(one.pk): [one.name, one.limit_value, one.limit_unit, one.contact_hours] for one in categories
            },
        }
        rule_version.objects.create(county_id=row.county_id, number=1, rules=rules)


class Migration(migrations.Migration):
    dependencies = [("services", "0007_loop_complete_cases_wishes_routing")]

    operations = [migrations.RunPython(write_first_versions, migrations.RunPython.noop)]
