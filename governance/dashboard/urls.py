from django.urls import path

from governance.dashboard import lists, supervising, views, weft

app_name = "dashboard"
urlpatterns = [
    path("", views.dashboard, name="start"),
    path("rows/", lists.row_list, name="rows"),
    path("rows/<slug:code>/supervise/", supervising.supervise, name="supervise"),
    path("supervisions/", supervising.supervision_list, name="supervisions"),
    path("weft/", weft.weft, name="weft"),
    path("<slug:code>/weft/", weft.weft, name="weft_place"),
    path("<slug:code>/", views.dashboard, name="place"),
    path("<slug:code>/ledger/", views.ledger, name="ledger"),
]
