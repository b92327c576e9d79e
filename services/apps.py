from django.apps import AppConfig
from django.db.models import Model
from django.utils.translation import gettext_lazy as _


class ServicesConfig(AppConfig):
    name = "services"
    verbose_name = _("服务")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import grids.posts
        import partybuilding.posts
        from core import phone, sheets
        from core import policies as registry
        from core import workflow as engine
        from grids import place_parts
        from grids import timeline as grid_timeline
        from grids.policies import CountySettings
        from services import (
            audiences,
            case_faces,
            checkin_notices,
            commitment_notices,
            evidence,
            hanging,
            list_faces,
            list_notices,
            meetings,
            member_faces,
            models,
            notice_groups,
            notices,
            place_checkins,
            place_firms,
            place_lists,
            place_promises,
            policies,
            posts,
            rate_notices,
            timeline,
            wish_faces,
            workflow,
        )
        from services.actions import (
            import_jobs,  # noqa: F401  (its kinds of job register themselves)
            moving,
            routing,
            triage_jobs,  # noqa: F401
        )
        from services.resources import activities as activity_sheets
        from services.resources import checkins, matching, projects, responsibilities, supply
        from services.resources import commitments as commitment_sheets
        from services.selectors import loop as selectors
        from services.views import (
            mobile_checkins,
            mobile_commitments,
            mobile_rates,
            mobile_ratings,
            mobile_supply,
            photos,
        )
        from services.workflow import waits

        grids.posts.add_rights(posts.POST_RIGHTS)
        partybuilding.posts.add_rights(posts.UNIT_RIGHTS)
        registry.name_rights(posts.RIGHT_LABELS)
        registry.provide_scopes(policies.checkin_grants)
        registry.provide_scopes(policies.reach_grants)
        table: dict[type[Model], registry.Policy] = {
            models.Demand: policies.DEMAND_POLICY,
            models.SubOrder: policies.SubOrderPolicy(),
            models.Assignment: policies.AssignmentPolicy(),
            models.DemandEvent: policies.OfDemand(),
            models.Photo: policies.OfDemand(),
            models.Evaluation: policies.OfDemand(),
            models.FollowUp: policies.OfDemand(),
            models.Supervision: policies.OfDemand(),
            models.Parking: policies.OfDemand(),
            models.Extension: policies.OfDemand("suborder__demand"),
            models.UnitCheckIn: policies.CheckInPolicy(),
            models.Category: CountySettings(posts.VIEW_SETTINGS),
            models.LoopSettings: CountySettings(posts.VIEW_SETTINGS),
            models.Tally: policies.TallyPolicy(),
            models.Whistle: policies.OfDemand(),
            models.RateExclusion: policies.OfDemand(),
            models.Climb: policies.OfDemand(),
            models.RuleVersion: CountySettings(posts.VIEW_SETTINGS),
            models.RoutingRule: CountySettings(posts.VIEW_SETTINGS),
            models.OutsideMatter: CountySettings(posts.VIEW_SETTINGS),
            models.CategoryLearning: CountySettings(posts.VIEW_SETTINGS),
            models.Bulletin: policies.BulletinPolicy(),
            models.BulletinItem: policies.BulletinItemPolicy(),
            models.HelpCase: policies.CASE_POLICY,
            models.Help: policies.HelpPolicy(),
            models.CaseEntry: policies.CaseEntryPolicy(),
            models.Wish: policies.WishPolicy(),
            **policies.WEFT_POLICIES,
        }
        for model, policy in table.items():
            registry.register(model, policy)
        moving.FOLLOWED["accept"] = routing.dispatch_by_rule
        audiences.register()
        hanging.register()
        timeline.register()
        notice_groups.register()
        notices.register()
        commitment_notices.register()
        list_notices.register()
        rate_notices.register()
        checkin_notices.register()
        list_faces.register()
        case_faces.register()
        photos.register()
        evidence.register()
        for sheet in (commitment_sheets.CommitmentSheet, activity_sheets.ActivitySheet, activity_sheets.RatingLedger):
            sheets.register(sheet())
        phone.count_waiting("demands", selectors.todo_count)
        phone.offer_ways("checkins", mobile_checkins.ways, desk=True)
        phone.offer_ways("lists", mobile_supply.ways)
        sheets.register(checkins.CheckInSheet())
        sheets.register(matching.ProposalLedger())
        place_parts.register("checkins", place_checkins.parts)
        grid_timeline.register("checkins", place_checkins.history)
        place_parts.register("lists", place_lists.parts)
        grid_timeline.register("lists", place_lists.history)
        place_parts.register("promises", place_promises.parts)
        place_parts.register("firms", place_firms.parts)
        grid_timeline.register("promises", place_promises.history)
        member_faces.register()
        phone.offer_ways("commitments", mobile_commitments.ways, desk=True)
        phone.offer_ways("rates", mobile_rates.ways, desk=True)
        phone.offer_ways("ratings", mobile_ratings.ways, counted=False)
        for sheet in (supply.ResourceSheet, projects.ProjectSheet, responsibilities.ResponsibilitySheet):
            sheets.register(sheet())
        meetings.register()
        wish_faces.register()
        engine.append(str(_("谁在等，等到何时")), waits.table)
        for flow in workflow.ALL:
            engine.register(flow)
