"""Addresses of this floor's own faces; governance/urls.py hangs each list where it belongs."""

from django.urls import path

from services.views import door_cards, mobile, mobile_lists, photos, picker, qr, resident

# /m/
mobile_urls = [
    path("", mobile.todo, name="todo"),
    path("report/", mobile.report, name="report"),
    path("report/place/", mobile.report_place, name="report_place"),
    path("lists/", mobile_lists.lists, name="lists"),
    path("me/", mobile.me, name="me"),
    path("demands/<str:code>/", mobile.demand, name="demand"),
    path("demands/<str:code>/contact/", mobile.contact, name="contact"),
    path("demands/<str:code>/<slug:name>/", mobile.make_move, name="move"),
]

# /r/
resident_urls = [
    path("", picker.start, name="start"),
    path("in/<str:token>/", picker.inside, name="inside"),
    path("follow/", resident.look_up, name="look_up"),
    path("follow/<str:code>/", resident.follow, name="follow"),
    path("follow/<str:code>/card/", resident.card, name="card"),
    path("follow/<str:code>/card.svg", resident.card_picture, name="card_picture"),
    path("follow/<str:code>/photos/<int:pk>/", photos.resident_photo, name="photo"),
    path("follow/<str:code>/<slug:name>/", resident.act, name="act"),
    path("<str:token>/", resident.order, name="order"),
]

# Pages for the printer
place_urls = [
    path("places/<int:pk>/qr/", qr.page, name="qr"),
    path("places/<int:pk>/qr/sheet/", qr.sheet, name="qr_sheet"),
    path("places/<int:pk>/card/", door_cards.page, name="card"),
    path("places/<int:pk>/cards/", door_cards.run, name="cards"),
]
