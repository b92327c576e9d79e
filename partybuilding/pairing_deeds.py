"""What is done with a pairing on the desk and on the phone alike: a visit written down, a problem solved."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as lazy

from core.deeds import Deed, DeedForm
from grids.admin_people import date_input
from partybuilding import actions, posts
from partybuilding.models import Pairing, PairingProblem

NO_NAMES = lazy("写地方和事情，不写住户的姓名、电话。")


def words(label: Any, **kwargs: Any) -> forms.CharField:
    """A text of a few lines."""
    return forms.CharField(label=label, max_length=500, widget=forms.Textarea(attrs={"rows": 3}), **kwargs)


def version() -> forms.IntegerField:
    return forms.IntegerField(widget=forms.HiddenInput)


class VisitForm(DeedForm):
    visited_on = forms.DateField(label=lazy("走访日期"), initial=timezone.localdate, widget=date_input())
    text = words(lazy("做了什么"), help_text=NO_NAMES)
    problem = words(
        lazy("发现的问题"), required=False, help_text=lazy("没有发现问题就空着；有几个问题的，先写一个，存好后再记。")
    )


class SolveForm(DeedForm):
    solution = words(lazy("解决情况"), help_text=lazy("怎么解决的，哪个单位办的。"))
    solved_on = forms.DateField(label=lazy("解决日期"), initial=timezone.localdate, widget=date_input())
    version = version()


def _visit(*, actor: Any, obj: Pairing, **data: Any) -> Pairing:
    actions.add_visit(actor=actor, pairing=obj, **data)
    return obj


def _solve(*, actor: Any, obj: PairingProblem, **data: Any) -> PairingProblem:
    return actions.solve_problem(actor=actor, problem=obj, **data)


VISIT = Deed(
    "visit",
    lazy("记录走访"),
    posts.VISIT_PAIRING,
    VisitForm,
    _visit,
    lazy("已记录走访。"),
    tone="main",
)
SOLVE = Deed(
    "solve",
    lazy("登记解决"),
    posts.VISIT_PAIRING,
    SolveForm,
    _solve,
    lazy("已登记解决情况。"),
    tone="main",
    offered=lambda problem: not problem.is_solved,
)
