"""PostgreSQL itself refuses to change or remove a row of the audit trail, whoever asks.

Only there: SQLite's file belongs to whoever runs the portal, and its tables are emptied by DELETE between tests.
This stops slips and careless scripts; against somebody who may drop a trigger stand the seals (docs/audit.md).
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION core_audit_guard() RETURNS trigger AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.seal_id IS NULL AND NEW.seal_id IS NOT NULL
        AND NEW.id = OLD.id
        AND NEW.chain = OLD.chain
        AND NEW.position = OLD.position
        AND NEW.at = OLD.at
        AND NEW.actor_id IS NOT DISTINCT FROM OLD.actor_id
        AND NEW.actor_kind = OLD.actor_kind
        AND NEW.action = OLD.action
        AND NEW.label = OLD.label
        AND NEW.changes = OLD.changes
        AND NEW.reason = OLD.reason
        AND NEW.origin = OLD.origin
        AND NEW.county_id IS NOT DISTINCT FROM OLD.county_id
        AND NEW.previous = OLD.previous
        AND NEW.digest = OLD.digest
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit trail is append-only';
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER core_audit_entry_guard BEFORE UPDATE OR DELETE ON core_auditentry
    FOR EACH ROW EXECUTE PROCEDURE core_audit_guard();
CREATE FUNCTION core_audit_seal_guard() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'seals of the audit trail are never changed';
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER core_audit_seal_guard BEFORE UPDATE OR DELETE ON core_auditseal
    FOR EACH ROW EXECUTE PROCEDURE core_audit_seal_guard();
"""

BACKWARD = """
DROP TRIGGER core_audit_seal_guard ON core_auditseal;
DROP FUNCTION core_audit_seal_guard();
DROP TRIGGER core_audit_entry_guard ON core_auditentry;
DROP FUNCTION core_audit_guard();
"""


def _on_postgresql(sql):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            # Without parameters, or the percent signs of PL/pgSQL would need doubling.
            schema_editor.execute(sql, params=None)

    return run


class Migration(migrations.Migration):
    dependencies = [("core", "0001_users_audit_notices_jobs")]

    operations = [migrations.RunPython(_on_postgresql(FORWARD), _on_postgresql(BACKWARD), elidable=False)]
