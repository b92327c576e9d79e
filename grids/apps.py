from django.apps import AppConfig
from django.db.models import Exists, Model, OuterRef
from django.utils.translation import gettext_lazy as _


class GridsConfig(AppConfig):
    name = "grids"
    verbose_name = _("网格")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from core import files, sheets
        from core import policies as registry
        from core.models import AuditEntry, NoticeTemplate, OutboxMessage, User
        from core.notice_words import MANAGE_NOTICE
        from grids import audiences, hanging_rows, models, pictures, policies, posts, timeline_rows
        from grids.actions import care_sweep
        from grids.models import Appointment, County, GridNode
        from grids.resources.appointments import AppointmentSheet
        from grids.resources.care import HouseholdSheet
        from grids.resources.coverage import CoverageSheet, VacancySheet
        from grids.resources.levels import LevelSheet
        from grids.resources.nodes import NodeSheet
        from grids.resources.remediations import RemediationSheet
        from grids.views import mobile_care

        held = Appointment.objects.filter(user=OuterRef("pk"))
        registry.provide_scopes(policies.appointment_grants, hint="holds_posts", exists=Exists(held))
        registry.name_rights(posts.RIGHT_LABELS)
        table: dict[type[Model], registry.Policy] = {
            County: policies.CountyPolicy(),
            models.Level: policies.CountySettings(posts.MANAGE_COUNTY),
            GridNode: policies.NODE_POLICY,
            models.Vacancy: policies.InTree(posts.VIEW_APPOINTMENT, path=""),
            Appointment: policies.APPOINTMENT_POLICY,
            User: policies.USER_POLICY,
            AuditEntry: policies.AUDIT_POLICY,
            NoticeTemplate: policies.OfCounty(MANAGE_NOTICE, "county_key"),
            OutboxMessage: policies.OutboxPolicy(MANAGE_NOTICE, "county_key"),
            models.CompoundProfile: policies.InTree(posts.VIEW_COMPOUND),
            models.Facility: policies.InTree(posts.VIEW_COMPOUND, path="profile.node", county="profile.county"),
            # By the compound, not by its own column: that one keeps where a finished project happened.
            models.Remediation: policies.InTree(posts.VIEW_COMPOUND),
            models.RemediationPhoto: policies.InTree(
                posts.VIEW_COMPOUND, path="remediation.node", county="remediation.county"
            ),
            models.CareHousehold: policies.CARE_POLICY,
            models.CareNeed: policies.InTree(posts.VIEW_CARE, path="household.node", county="household.county"),
            models.CareVisit: policies.InTree(posts.VIEW_CARE, path="household.node", county="household.county"),
            models.CareCadence: policies.CountySettings(),
        }
        for model, policy in table.items():
            registry.register(model, policy)
        hanging_rows.register()
        timeline_rows.register()
        files.register(pictures.FULL, models.RemediationPhoto, "file")
        files.register(pictures.SMALL, models.RemediationPhoto, "thumbnail")
        audiences.register()
        sheets.register(LevelSheet())
        sheets.register(RemediationSheet())
        care_sweep.register()
        mobile_care.register_ways()
        sheets.register(HouseholdSheet())
        sheets.register(AppointmentSheet())
        sheets.register(CoverageSheet())
        sheets.register(VacancySheet())
        sheets.register(NodeSheet())
