from core.models.audit import AppendOnlyError, AuditEntry, AuditSeal
from core.models.job import Job, JobState
from core.models.notice import DEAD, Notice, OutboxMessage, OutboxState
from core.models.telling import ChannelState, DigestEntry, NoticePreference, NoticeTemplate
from core.models.throttle import ThrottleHit
from core.models.user import User, mobile_validator
from core.models.working_day import CalendarDay

__all__ = [
    "DEAD",
    "AppendOnlyError",
    "AuditEntry",
    "AuditSeal",
    "CalendarDay",
    "ChannelState",
    "DigestEntry",
    "Job",
    "JobState",
    "Notice",
    "NoticePreference",
    "NoticeTemplate",
    "OutboxMessage",
    "OutboxState",
    "ThrottleHit",
    "User",
    "mobile_validator",
]
