"""Fixed lists that several rows of the weft choose from. Source: docs/practice.md#checkin."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


class FreeTime(models.TextChoices):
    """When a member or a resource is there."""

    WORKDAY = "workday", _("工作日白天")
    EVENING = "evening", _("工作日晚上")
    WEEKEND_MORNING = "weekend_morning", _("周末上午")
    WEEKEND_AFTERNOON = "weekend_afternoon", _("周末下午")
    WEEKEND_EVENING = "weekend_evening", _("周末晚上")


class Skill(models.TextChoices):
    POLICY = "policy", _("政策宣讲")
    LAW = "law", _("法律咨询")
    MEDIATION = "mediation", _("纠纷调解")
    HEALTH = "health", _("医疗健康")
    TEACHING = "teaching", _("课业辅导")
    PSYCHOLOGY = "psychology", _("心理疏导")
    REPAIR = "repair", _("水电维修")
    ELECTRONICS = "electronics", _("家电电脑维修")
    ARTS = "arts", _("文艺书画")
    SPORTS = "sports", _("体育健身")
    CARE = "care", _("照料陪护")
    DRIVING = "driving", _("驾驶")
    OFFICE = "office", _("文字材料")
    OTHER = "other", _("其他")


class WishedPost(models.TextChoices):
    """The post a member wishes for (设岗定责)."""

    POLICY = "policy", _("政策宣传岗")
    HYGIENE = "hygiene", _("环境卫生岗")
    MEDIATION = "mediation", _("矛盾调解岗")
    SAFETY = "safety", _("治安巡防岗")
    CARE = "care", _("关爱帮扶岗")
    CULTURE = "culture", _("文体活动岗")
    OPINION = "opinion", _("民情收集岗")
    ANY = "any", _("服从安排")


def check_words(choices: type[models.TextChoices], chosen: Iterable[str]) -> list[str]:
    """The chosen keys in the order of the list, each once. Raises ValidationError for one there is none of."""
    given = set(chosen)
    if given - set(choices.values):
        raise ValidationError(_("没有这个选项。"))
    return [key for key in choices.values if key in given]


def labels_of(choices: type[models.TextChoices], chosen: Iterable[str]) -> str:
    """The chosen keys in words: 周末上午、周末下午."""
    given = set(chosen)
    return str(_("、")).join(str(label) for key, label in choices.choices if key in given)
