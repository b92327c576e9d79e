from core.models.audit import AppendOnlyError, AuditEntry, AuditSeal
from core.models.job import Job, JobState
from core.models.notice import Notice, OutboxMessage, OutboxState
from core.models.throttle import ThrottleHit
from core.models.user import User, mobile_validator
from core.models.working_day import CalendarDay

__all__ = [
    "AppendOnlyError",
    "AuditEntry",
    "AuditSeal",
    "CalendarDay",
    "Job",
    "JobState",
    "Notice",
    "OutboxMessage",
    "OutboxState",
    "ThrottleHit",
    "User",
    "mobile_validator",
]
