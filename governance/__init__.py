"""The top floor: settings, addresses, background work, and the faces that read everything."""

# Every process that sets Django up must know the Celery app, or `shared_task` would publish to a default broker.
from governance.celery import app as celery_app

__all__ = ["celery_app"]
