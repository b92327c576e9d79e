from django.urls import path

from core import views

app_name = "core"

urlpatterns = [
    path("notices/", views.notice_list, name="notices"),
    path("notices/read/", views.notice_read_all, name="notices_read"),
    path("notices/<int:pk>/", views.notice_open, name="notice_open"),
    path("jobs/", views.job_list, name="jobs"),
    path("jobs/<int:pk>/", views.job_detail, name="job"),
    path("jobs/<int:pk>/progress/", views.job_progress, name="job_progress"),
    path("account/password/", views.password, name="password"),
    path("account/notices/", views.notice_settings, name="notice_settings"),
    path("files/<slug:word>/<int:pk>/", views.file, name="file"),
]
