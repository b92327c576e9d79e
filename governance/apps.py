from django.apps import AppConfig

from governance import celery


class GovernanceConfig(AppConfig):
    name = "governance"
    verbose_name = "治理"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Work is handed over by the task's name (core.background), also by processes that are no worker; Celery itself
        # would look for the tasks in a worker alone.
        celery.app.autodiscover_tasks(force=True)
        from core.sheets import register
        from governance.accounts.cadres import CadreSheet
        from governance.accounts.ledger import PeopleLedger
        from governance.accounts.liaisons import LiaisonSheet
        from governance.accounts.members import MemberSheet

        for sheet in (CadreSheet(), LiaisonSheet(), MemberSheet(), PeopleLedger()):
            register(sheet)
