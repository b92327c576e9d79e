from django.http import HttpRequest
from django.template.response import TemplateResponse


def find(request: HttpRequest) -> TemplateResponse:
    return TemplateResponse(request, "admin/find.html", {})
