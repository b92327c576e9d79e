"""The one way a row moves along a table: checked under its lock, written once, with its deed."""

from typing import Any

import pytest
from django.db import models

from core.errors import Forbidden, Invalid, InvalidTransition, NotFound, Stale
from core.models import AuditEntry
from core.moving import advance
from core.workflow import Input, Transition, Workflow
from services import posts
from services.models import Resource
from tests.cast import Cast
from tests.weft_factories import make_resource

FLOW = Workflow(
    name="trial",
    label="试",
    states={"offered": "待核实", "available": "可用", "withdrawn": "已撤回"},
    initial="offered",
    transitions=(
        Transition(
            "check",
            "核实",
            frozenset({"offered"}),
            "available",
            posts.MANAGE_RESOURCE,
            inputs=(Input("reason", "意见", required=True),),
            guard=lambda row, actor: "没有名称" if not row.name else None,
        ),
        Transition("note", "备注", frozenset({"offered"}), None, posts.MANAGE_RESOURCE, system=True),
    ),
)


@pytest.fixture
def resource(cast: Cast) -> Resource:
    return make_resource(cast.a.unit, cast.a.node, state="offered")


def unchanged(row: models.Model) -> bool:
    now = type(row)._default_manager.get(pk=row.pk)
    return all(getattr(now, one.attname) == getattr(row, one.attname) for one in row._meta.concrete_fields)


def test_a_move_changes_state_version_and_what_its_effect_sets(cast: Cast, resource: Resource) -> None:
    def effect(row: Any, data: Any) -> None:
        row.reason = data["reason"]

    done = advance(
        FLOW,
        resource,
        "check",
        actor=cast.a.officer,
        data={"reason": "看过"},
        version=1,
        effect=effect,
        related=("node",),
    )
    stored = Resource.objects.get(pk=resource.pk)
    assert (
        (stored.state, stored.reason, stored.version)
        == ("available", "看过", 2)
        == (done.state, done.reason, done.version)
    )
    entry = AuditEntry.objects.get(action="trial.check")
    assert entry.reason == "看过" and entry.changes["state"] == ["offered", "available"]


def test_what_is_personal_is_not_in_the_trail(cast: Cast, resource: Resource) -> None:
    def effect(row: Any, data: Any) -> None:
        row.text = "张三的手机"

    advance(FLOW, resource, "note", actor=cast.a.officer, effect=effect, personal=("text",))
    entry = AuditEntry.objects.get(action="trial.note")
    assert "张三" not in str(entry.changes) and "text" in entry.changes


@pytest.mark.parametrize(
    ("who", "data", "version", "error"),
    [
        ("a.officer", {}, None, Invalid),
        ("a.officer", {"reason": "看过"}, 7, Stale),
        ("a.liaison", {"reason": "看过"}, None, Forbidden),
        ("b.officer", {"reason": "看过"}, None, NotFound),
        ("nobody", {"reason": "看过"}, None, NotFound),
    ],
)
def test_a_refused_move_changes_nothing(
    cast: Cast, resource: Resource, who: str, data: dict[str, str], version: int | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        advance(FLOW, resource, "check", actor=cast.people()[who], data=data, version=version)
    assert unchanged(resource) and not AuditEntry.objects.filter(action="trial.check").exists()


def test_a_state_or_a_guard_against_it_changes_nothing(cast: Cast, resource: Resource) -> None:
    Resource.objects.filter(pk=resource.pk).update(name="")
    with pytest.raises(InvalidTransition, match="没有名称"):
        advance(FLOW, resource, "check", actor=cast.a.officer, data={"reason": "看过"})
    Resource.objects.filter(pk=resource.pk).update(state="withdrawn")
    with pytest.raises(InvalidTransition, match="已撤回"):
        advance(FLOW, resource, "check", actor=cast.a.officer, data={"reason": "看过"})
    assert Resource.objects.get(pk=resource.pk).version == 1


def test_an_effect_that_refuses_takes_the_move_back(cast: Cast, resource: Resource) -> None:
    def effect(row: Any, data: Any) -> None:
        row.name = "改了"
        raise Invalid("不行")

    with pytest.raises(Invalid, match="不行"):
        advance(FLOW, resource, "check", actor=cast.a.officer, data={"reason": "看过"}, effect=effect)
    assert unchanged(resource)


def test_a_row_that_is_gone_is_not_found(cast: Cast, resource: Resource) -> None:
    gone = Resource.objects.get(pk=resource.pk)
    Resource.objects.filter(pk=resource.pk).delete()
    with pytest.raises(NotFound):
        advance(FLOW, gone, "note", actor=cast.a.officer)
