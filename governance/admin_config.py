from django.contrib.admin.apps import AdminConfig


class DeskAdminConfig(AdminConfig):
    """Puts the desk in the place of Django's own admin site. A module of its own: the configuration of an app is found
    by looking through `apps.py`, and there must be one only."""

    default_site = "governance.admin_site.DeskSite"
