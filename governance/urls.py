from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from core.api.sign_in import TokenView
from core.forms import SignInForm
from governance.elder import elder
from governance.health import healthz
from governance.styleguide import styleguide
from governance.views import doors
from grids.api.urls import urlpatterns as grid_api
from grids.urls import mobile_urls as grid_mobile
from partybuilding.api.urls import urlpatterns as party_api
from partybuilding.urls import mobile_urls as party_mobile
from services.api.urls import urlpatterns as service_api
from services.urls import mobile_urls as service_mobile
from services.urls import place_urls, resident_urls

# One space of names, a part from each floor.
API = [*service_api, *grid_api, *party_api]
MOBILE = [*grid_mobile, *party_mobile, *service_mobile]

handler500 = "core.faults.answer"

urlpatterns = [
    path("", doors.front, name="front"),
    path("home/", doors.home, name="home"),
    path(
        "accounts/login/",
        auth_views.LoginView.as_view(authentication_form=SignInForm, redirect_authenticated_user=True),
        name="login",
    ),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("elder/", elder, name="elder"),
    path("styleguide/", styleguide, name="styleguide"),
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("api/v1/token/", TokenView.as_view(), name="token"),
    path("api/v1/", include((API, "api"))),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("dashboard/", include("governance.dashboard.urls")),
    path("m/", include((MOBILE, "mobile"))),
    path("r/", include((resident_urls, "resident"))),
    path("", include((place_urls, "places"))),
    path("", include("core.urls")),
]
