"""The readers this floor can name: holders of a post, by what the post may do."""

from collections.abc import Iterable
from typing import Any

from core.notices import register_audience
from grids.models import Appointment
from grids.posts import POSTS


def _post(value: dict[str, Any]) -> Iterable[int]:
    """`{"right": r, "node": id}` or `{"right": r, "county": id}`: who holds a post with that right exactly there."""
    posts = [post.key for post in POSTS.values() if value["right"] in post.rights]
    place = {f"{key}_id": value[key] for key in ("node", "county") if key in value}
    if not place:
        return []
    return Appointment.objects.current().filter(post__in=posts, **place).values_list("user_id", flat=True)


def register() -> None:
    register_audience("post", _post)
