"""Units and organisations that stand already get the domain that follows from their kind, unit or place."""

from django.db import migrations

DOMAIN_OF_KIND = {
    "department": "department",
    "institution": "institution",
    "school": "school",
    "hospital": "hospital",
    "state_company": "state_company",
    "company": "non_public",
    "social": "social",
    "property": "property",
}


def fill(apps, schema_editor):
    Unit = apps.get_model("partybuilding", "Unit")
    PartyOrganisation = apps.get_model("partybuilding", "PartyOrganisation")
    for kind, domain in DOMAIN_OF_KIND.items():
        Unit.objects.filter(kind=kind).update(domain=domain)
        PartyOrganisation.objects.filter(unit__kind=kind).update(domain=domain)
    PartyOrganisation.objects.filter(unit=None, node__level_type__key="compound").update(domain="compound")
    PartyOrganisation.objects.filter(unit=None, node__level_type__key="building").update(domain="building")
    PartyOrganisation.objects.filter(unit=None, node=None).update(domain="department")


class Migration(migrations.Migration):
    dependencies = [("partybuilding", "0005_domains_floating_members_alliances")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
