"""What is done with resources, projects and responsibilities, on the desk and on the phone alike."""

from typing import Any

from django.utils.translation import gettext_lazy as t

from core.deeds import Deed, DeedForm, deed_of
from services import list_forms as forms
from services import posts
from services.actions import project_records as records
from services.actions import projects, resources
from services.models import PROJECT_HOLDS, Milestone, Project, ProjectState, Resource, ResourceState, Responsibility
from services.workflow import PROJECT, RESOURCE, RESPONSIBILITY

# --- Resources ------------------------------------------------------------------------------------------------------


def _register(*, actor: Any, obj: None, **data: Any) -> Resource:
    return resources.register_resource(actor=actor, **data)


def _offer(*, actor: Any, obj: None, **data: Any) -> Resource:
    return resources.offer_resource(actor=actor, **data)


def _change_resource(*, actor: Any, obj: Resource, **data: Any) -> Resource:
    return resources.change_resource(actor=actor, resource=obj, **data)


def _on_resource(action: Any) -> Any:
    def run(*, actor: Any, obj: Resource, **data: Any) -> Resource:
        done: Resource = action(actor=actor, resource=obj, **data)
        return done

    return run


REGISTER = Deed(
    "add",
    t("登记资源"),
    posts.MANAGE_RESOURCE,
    forms.RegisterResourceForm,
    _register,
    t("已登记资源。"),
    help=t("社区自己的资源，或替单位登记的资源；登记后就能用于项目。单位也可以在手机上自己提供，由社区核实。"),
    tone="main",
)
OFFER = Deed(
    "add",
    t("提供资源"),
    posts.OFFER_RESOURCE,
    forms.OfferResourceForm,
    _offer,
    t("已提交，社区核实后列入资源清单。"),
    tone="main",
)
CHECK = deed_of(RESOURCE, "check", forms.VersionForm, _on_resource(resources.check_resource))
SEND_BACK = deed_of(RESOURCE, "send_back", forms.ReasonForm, _on_resource(resources.send_back_resource))
AGAIN = deed_of(RESOURCE, "offer", forms.VersionForm, _on_resource(resources.offer_again))
CONFIRM = deed_of(RESOURCE, "confirm", forms.VersionForm, _on_resource(resources.confirm_resource))
WITHDRAW = deed_of(RESOURCE, "withdraw", forms.ReasonForm, _on_resource(resources.withdraw_resource))


def _not_withdrawn(row: Resource) -> bool:
    return row.state != ResourceState.WITHDRAWN


CHANGE_RESOURCE = Deed(
    "change",
    t("修改"),
    posts.MANAGE_RESOURCE,
    forms.ChangeResourceForm,
    _change_resource,
    t("已保存。"),
    offered=_not_withdrawn,
)
RESOURCE_DEEDS = (CHECK, SEND_BACK, CHANGE_RESOURCE, CONFIRM, WITHDRAW)
# A unit's own: the same deeds by its own right.
OWN_CHANGE = Deed(
    "change",
    t("修改"),
    posts.OFFER_RESOURCE,
    forms.ChangeResourceForm,
    _change_resource,
    t("已提交，等待社区核实。"),
    help=t("修改后由社区重新核实。"),
    offered=_not_withdrawn,
)


def _own(deed: Deed) -> Deed:
    return Deed(
        deed.name,
        deed.label,
        posts.OFFER_RESOURCE,
        deed.form,
        deed.run,
        deed.done,
        deed.help,
        deed.tone,
        deed.offered,
    )


OWN_RESOURCE_DEEDS = (_own(AGAIN), _own(CONFIRM), OWN_CHANGE, _own(WITHDRAW))

# --- Projects -------------------------------------------------------------------------------------------------------


def _draft(*, actor: Any, obj: None, **data: Any) -> Project:
    return projects.draft_projects(actor=actor, rows=[projects.NewProject(**data)])[0]


def _change_project(*, actor: Any, obj: Project, **data: Any) -> Project:
    return projects.change_project(actor=actor, project=obj, **data)


def _use(*, actor: Any, obj: Project, resource: Resource, quantity: int, version: int) -> Project:
    held = {row.resource: row.quantity for row in obj.allocations.select_related("resource")}
    held[resource] = quantity
    wanted = [(one, number) for one, number in held.items() if number]
    return projects.change_project(actor=actor, project=obj, resources=wanted, version=version)


def _on_project(action: Any) -> Any:
    def run(*, actor: Any, obj: Project, **data: Any) -> Project:
        action(actor=actor, project=obj, **data)
        return obj

    return run


def _step_done(*, actor: Any, obj: Project, milestone: Milestone, **data: Any) -> Project:
    records.do_milestone(actor=actor, milestone=milestone, **data)
    return obj


def _drop_photo(*, actor: Any, obj: Project, **data: Any) -> Project:
    records.drop_project_photo(actor=actor, **data)
    return obj


def _assign(*, actor: Any, obj: Project, **data: Any) -> Project:
    records.assign_responsibilities(actor=actor, rows=[records.NewResponsibility(obj, **data)])
    return obj


def _under_way(row: Project) -> bool:
    return row.state in PROJECT_HOLDS


def _changeable(row: Project) -> bool:
    return row.state in (ProjectState.DRAFT, ProjectState.OPEN, ProjectState.RUNNING)


def _deed(name: str, label: Any, form: type[DeedForm], run: Any, done: Any, **more: Any) -> Deed:
    return Deed(name, label, posts.MANAGE_PROJECT, form, run, done, **{"offered": _under_way, **more})


DRAFT = Deed(
    "add",
    t("新建项目"),
    posts.MANAGE_PROJECT,
    forms.DraftProjectForm,
    _draft,
    t("已存为草拟。接着可以选用资源、列出责任，再发布认领。"),
    help=t("把一条或几条需求和可用的资源合成一个项目。项目完成不会使需求销号，需求仍在需求清单里办结。"),
    tone="main",
)
PUBLISH = deed_of(PROJECT, "publish", forms.VersionForm, _on_project(projects.publish_project))
CLAIM = deed_of(PROJECT, "claim", forms.ClaimForm, _on_project(projects.claim_project))
APPOINT = deed_of(PROJECT, "appoint", forms.LeadForm, _on_project(projects.appoint_lead))
FINISH = deed_of(PROJECT, "finish", forms.FinishForm, _on_project(projects.finish_project))
ACCEPT = deed_of(PROJECT, "accept", forms.OpinionForm, _on_project(projects.accept_project))
RETURN = deed_of(PROJECT, "send_back", forms.ReasonForm, _on_project(projects.send_back_project))
DROP = deed_of(PROJECT, "drop", forms.ReasonForm, _on_project(projects.drop_project))
_CHANGE = _deed("change", t("修改"), forms.ChangeProjectForm, _change_project, t("已保存。"), offered=_changeable)
_USE = _deed(
    "use",
    t("选用资源"),
    forms.UseResourceForm,
    _use,
    t("已保存。"),
    offered=_changeable,
    help=t("选用后，这个数量就留给本项目，别的项目用不了；项目取消时空出来。"),
)
_MILESTONE = _deed("milestone", t("加节点"), forms.MilestoneForm, _on_project(records.add_milestone), t("已加节点。"))
_STEP = _deed("step", t("节点完成"), forms.StepDoneForm, _step_done, t("已登记。"))
_PHOTOS = _deed("photos", t("上传照片"), forms.PhotosForm, _on_project(records.add_project_photos), t("已上传照片。"))
_UNPHOTO = _deed(
    "unphoto",
    t("删除照片"),
    forms.DropPhotoForm,
    _drop_photo,
    t("已删除照片。"),
    tone="danger",
    offered=lambda row: row.photos.exists(),
)
_ASSIGN = _deed("assign", t("列责任"), forms.AssignForm, _assign, t("已列入责任清单。"))


def _by_place(deed: Deed) -> Deed:
    """The community reports for its own projects, by its own right."""
    return Deed(
        deed.name,
        deed.label,
        posts.MANAGE_PROJECT,
        deed.form,
        deed.run,
        deed.done,
        deed.help,
        "plain",
        deed.offered,
    )


PROJECT_DEEDS = (
    PUBLISH,
    ACCEPT,
    RETURN,
    APPOINT,
    _by_place(FINISH),
    _CHANGE,
    _USE,
    _ASSIGN,
    _MILESTONE,
    _STEP,
    _PHOTOS,
    _UNPHOTO,
    DROP,
)
# The lead unit's, on the phone: whoever serves the project at all is asked again by the action.
LEAD_DEEDS = tuple(
    Deed(one.name, one.label, posts.SERVE_PROJECT, one.form, one.run, one.done, one.help, one.tone, offered)
    for one, offered in (
        (FINISH, FINISH.offered),
        (_MILESTONE, FINISH.offered),
        (_PHOTOS, lambda row: row.state in (ProjectState.RUNNING, ProjectState.FINISHED)),
    )
)

# --- Responsibilities and milestones ----------------------------------------------------------------------------------


def _on_responsibility(action: Any) -> Any:
    def run(*, actor: Any, obj: Responsibility, **data: Any) -> Responsibility:
        done: Responsibility = action(actor=actor, responsibility=obj, **data)
        return done

    return run


def _change_responsibility(*, actor: Any, obj: Responsibility, **data: Any) -> Responsibility:
    change = records.ResponsibilityChange(obj, **data)
    return records.change_responsibilities(actor=actor, rows=[change])[0]


def _do_milestone(*, actor: Any, obj: Milestone, **data: Any) -> Milestone:
    return records.do_milestone(actor=actor, milestone=obj, **data)


DO = deed_of(RESPONSIBILITY, "do", forms.DoResponsibilityForm, _on_responsibility(records.do_responsibility))
REOPEN = deed_of(RESPONSIBILITY, "reopen", forms.ReasonForm, _on_responsibility(records.reopen_responsibility))
DROP_RESPONSIBILITY = deed_of(RESPONSIBILITY, "drop", forms.ReasonForm, _on_responsibility(records.drop_responsibility))
CHANGE_RESPONSIBILITY = Deed(
    "change",
    t("修改"),
    posts.MANAGE_PROJECT,
    forms.ChangeResponsibilityForm,
    _change_responsibility,
    t("已保存。"),
    offered=lambda row: row.state == "open",
)
RESPONSIBILITY_DEEDS = (DO, CHANGE_RESPONSIBILITY, REOPEN, DROP_RESPONSIBILITY)
OWN_DO = Deed("do", DO.label, posts.SERVE_PROJECT, DO.form, DO.run, DO.done, DO.help, DO.tone, DO.offered)
OWN_STEP = Deed(
    "done",
    t("节点完成"),
    posts.SERVE_PROJECT,
    forms.MilestoneDoneForm,
    _do_milestone,
    t("已登记。"),
    tone="main",
    offered=lambda row: row.done_on is None,
)
