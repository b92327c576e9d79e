"""The readers this floor can name: holders of a post, by what the post may do."""

from collections.abc import Iterable
from typing import Any

from core.accounts import AUDITORS
from core.notices import register_audience
from grids.models import Appointment
from grids.posts import POSTS, VIEW_AUDIT


def _post(value: dict[str, Any]) -> Iterable[int]:
    """`{"right": r, "node": id}` or `{"right": r, "county": id}`: who holds a post with that right exactly there."""
    posts = [post.key for post in POSTS.values() if value["right"] in post.rights]
    place = {f"{key}_id": value[key] for key in ("node", "county") if key in value}
    if not place:
        return []
    return Appointment.objects.current().filter(post__in=posts, **place).values_list("user_id", flat=True)


def _auditors(county: int | None) -> Iterable[int]:
    """Who audits the county of an account; nobody for an account of none."""
    return _post({"right": VIEW_AUDIT, "county": county}) if county is not None else []


def register() -> None:
    register_audience("post", _post)
    register_audience(AUDITORS, _auditors)
