"""Addresses of this floor's own faces; governance/urls.py hangs each list where it belongs."""

from django.urls import path

from services.views import (
    certificates,
    checkin_papers,
    door_cards,
    mobile,
    mobile_cards,
    mobile_checkins,
    mobile_commitments,
    mobile_lists,
    mobile_members,
    mobile_own_report,
    mobile_ratings,
    photos,
    picker,
    promises,
    qr,
    resident,
)

# /m/
mobile_urls = [
    path("", mobile.todo, name="todo"),
    path("report/", mobile.report, name="report"),
    path("report/place/", mobile.report_place, name="report_place"),
    path("lists/", mobile_lists.lists, name="lists"),
    path("me/", mobile.me, name="me"),
    path("checkins/", mobile_checkins.checkins, name="checkins"),
    path("checkins/places/", mobile_checkins.places, name="checkin_places"),
    path("checkins/apply/<int:pk>/", mobile_checkins.apply, name="checkin_apply"),
    path("checkins/waiting/", mobile_checkins.waiting, name="checkins_waiting"),
    path("checkins/applications/<int:pk>/", mobile_checkins.application, name="checkin_application"),
    path("checkins/applications/<int:pk>/<slug:name>/", mobile_checkins.move, name="checkin_move"),
    path("checkins/<int:pk>/", mobile_checkins.checkin, name="checkin"),
    path("checkins/<int:pk>/renew/", mobile_checkins.renew, name="checkin_renew"),
    path("checkin/", mobile_own_report.checkin, name="own_report"),
    path("checkin/place/", mobile_own_report.place, name="own_home"),
    path("checkin/services/new/", mobile_own_report.new_service, name="own_service_new"),
    path("checkin/services/<int:pk>/", mobile_own_report.service, name="own_service"),
    path("checkin/services/<int:pk>/<slug:name>/", mobile_own_report.service, name="own_service_do"),
    path("checkin/<slug:name>/", mobile_own_report.do, name="own_do"),
    path("certificates/", certificates.certificates, name="certificates"),
    path("certificates/<int:pk>/", certificates.certificate, name="certificate"),
    path("members/", mobile_members.members, name="members"),
    path("members/all/<slug:name>/", mobile_members.decide_many, name="members_all"),
    path("members/<int:pk>/<slug:name>/", mobile_members.decide_report, name="member_report"),
    path("members/services/<int:pk>/<slug:name>/", mobile_members.decide_service, name="member_service"),
    path("cards/", mobile_cards.cards, name="cards"),
    path("cards/<int:unit>/<str:quarter>/", mobile_cards.unit_cards, name="unit_cards"),
    path("cards/<int:unit>/<str:quarter>/print/", mobile_cards.print_cards, name="unit_cards_print"),
    path("cards/<int:unit>/<str:quarter>/receive/", mobile_cards.receive, name="unit_cards_receive"),
    path("commitments/", mobile_commitments.commitments, name="commitments"),
    path("commitments/new/", mobile_commitments.make, name="commitment_make"),
    path("commitments/<int:pk>/", mobile_commitments.commitment, name="commitment"),
    path("commitments/<int:pk>/<slug:name>/", mobile_commitments.move, name="commitment_move"),
    path("ratings/", mobile_ratings.ratings, name="ratings"),
    path("ratings/<slug:key>/", mobile_ratings.rating, name="rating"),
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
    path("check/", certificates.check, name="certificate_check"),
    path("check/<str:code>/", certificates.checked, name="certificate"),
    path("promises/units/<int:pk>/", promises.of_unit, name="unit_promises"),
    path("promises/<str:token>/", promises.of_place, name="promises"),
    path("<str:token>/", resident.order, name="order"),
]

# Pages for the printer
place_urls = [
    path("places/<int:pk>/qr/", qr.page, name="qr"),
    path("places/<int:pk>/qr/sheet/", qr.sheet, name="qr_sheet"),
    path("places/<int:pk>/card/", door_cards.page, name="card"),
    path("places/<int:pk>/cards/", door_cards.run, name="cards"),
    path("checkins/<int:pk>/receipt/", checkin_papers.receipt, name="checkin_receipt"),
    path("checkins/<int:pk>/agreement/", checkin_papers.agreement, name="checkin_agreement"),
    path("places/<int:pk>/promises/", promises.place_code, name="place_promises"),
    path("units/<int:pk>/promises/", promises.unit_code, name="promises"),
]
