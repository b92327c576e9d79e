"""Look of the admin: the settings of django-unfold, in the colours of static/css/tokens.css.

The theme wants its own scale of each colour and can not read a style sheet, so the values stand here again;
tests/test_look.py holds the two together.
"""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _


def _asset(path: str) -> Any:
    # Late: with hashed names the manifest is read when the first page is drawn, not when settings load.
    return lambda request: static(path)


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("经纬"),
    "SITE_HEADER": _("经纬"),
    "SITE_SUBHEADER": _("县域党建引领基层治理平台"),
    "SITE_URL": "/",
    "SITE_ICON": _asset("img/mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _asset("img/mark.svg")}],
    # Offices print and project: one light look, no switch.
    "THEME": "light",
    "BORDER_RADIUS": "8px",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "STYLES": [_asset("css/tokens.css"), _asset("css/parts.css"), _asset("css/forms.css"), _asset("css/admin.css")],
    "COLORS": {
        "base": {
            "50": "#f6f7f9",
            "100": "#eceff2",
            "200": "#d8dee4",
            "300": "#c2cad2",
            "400": "#8c959f",
            "500": "#57606a",
            "600": "#4a525b",
            "700": "#3a4149",
            "800": "#2b3138",
            "900": "#1f2328",
            "950": "#14171a",
        },
        "primary": {
            "50": "#f1f6fb",
            "100": "#e8f0f9",
            "200": "#c9dcf1",
            "300": "#9cc0e4",
            "400": "#5f98d0",
            "500": "#2f74c0",
            "600": "#1f5fa8",
            "700": "#184a84",
            "800": "#153f70",
            "900": "#12335b",
            "950": "#0b1f38",
        },
        "font": {
            "subtle-light": "var(--color-base-500)",
            "subtle-dark": "var(--color-base-400)",
            "default-light": "var(--color-base-700)",
            "default-dark": "var(--color-base-300)",
            "important-light": "var(--color-base-900)",
            "important-dark": "var(--color-base-100)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "command_search": False,
        "show_all_applications": False,
        # Named, not imported: settings load before the models it asks about.
        "navigation": "governance.navigation.sidebar",
    },
    # The desk has a search of its own, within scope (governance/views/find.py).
    "COMMAND": {"search_models": False, "show_history": False},
}
