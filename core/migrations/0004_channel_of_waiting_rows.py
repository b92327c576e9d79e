from django.db import migrations


def name_channels(apps, schema_editor):
    """Rows for the outside that wait from before: their channel stood in the audience. The mail of then went to the duty
    mailboxes."""
    model = apps.get_model("core", "OutboxMessage")
    for row in model.objects.filter(state="waiting", key__contains="#").iterator():
        channel = row.audience.get("channel", "")
        if channel:
            row.channel = "mailbox" if channel == "email" else channel
            row.audience = {"readers": row.audience.get("readers", [])}
            row.save(update_fields=["channel", "audience"])


class Migration(migrations.Migration):
    dependencies = [("core", "0003_outside_messages_templates_preferences")]

    operations = [migrations.RunPython(name_channels, migrations.RunPython.noop)]
