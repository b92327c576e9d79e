from django.urls import path

from governance.dashboard import lists, supervising, views

app_name = "dashboard"
urlpatterns = [
    path("", views.dashboard, name="start"),
    path("rows/", lists.row_list, name="rows"),
    path("rows/<slug:code>/supervise/", supervising.supervise, name="supervise"),
    path("supervisions/", supervising.supervision_list, name="supervisions"),
    path("<slug:code>/", views.dashboard, name="place"),
    path("<slug:code>/ledger/", views.ledger, name="ledger"),
]
