"""The first page of the admin, and where to say that the portal asks too much."""

from django.http import HttpRequest
from django.template.response import TemplateResponse


def index(request: HttpRequest) -> TemplateResponse:
    return TemplateResponse(request, "admin/index.html", {})


def burden(request: HttpRequest) -> TemplateResponse:
    return TemplateResponse(request, "admin/burden.html", {})
