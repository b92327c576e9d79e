from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import policies
from core.masking import mask_name, mask_phone

mobile_validator = RegexValidator(r"^1[3-9]\d{9}$", _("请填写 11 位手机号码，以 1 开头。"))


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> "UserQuerySet":
        return self.filter(is_active=True)

    def visible_to(self, user: Any) -> "UserQuerySet":
        return policies.visible(self, user)


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, phone: str, name: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(phone=phone, name=name, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, phone: str, name: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(phone, name, password, is_superuser=True, **fields)


class User(AbstractBaseUser):
    """A person who signs in. What they may do follows from what they hold, never from ticks on this row.

    `is_superuser` runs the machine (jobs, settings); it opens no personal data and no county's matters.
    """

    phone = models.CharField(_("手机号码"), max_length=11, unique=True, validators=[mobile_validator])
    name = models.CharField(_("姓名"), max_length=60)
    # The county an account belongs to. A plain number: the ground floor knows no counties (grids.County).
    county_key = models.BigIntegerField(_("所属县"), null=True, blank=True, db_index=True, editable=False)
    is_active = models.BooleanField(_("在用"), default=True)
    is_superuser = models.BooleanField(_("系统维护"), default=False)
    must_change_password = models.BooleanField(_("首次登录须改密码"), default=False)
    password_changed_at = models.DateTimeField(_("改密时间"), null=True, blank=True)
    created_at = models.DateTimeField(_("建立时间"), default=timezone.now, editable=False)

    USERNAME_FIELD = "phone"
    REQUIRED_FIELDS = ["name"]

    objects = UserManager()

    class Meta:
        verbose_name = _("账号")
        verbose_name_plural = _("账号")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    # What Django's admin asks of a user. The answers come from `core.policies`; there are no stored permissions.

    @property
    def is_staff(self) -> bool:
        return self.is_active and (self.is_superuser or policies.holds(self, policies.USE_DESK))

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_active and self.is_superuser

    def has_perms(self, perm_list: Iterable[str], obj: object = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)

    @property
    def masked_name(self) -> str:
        return mask_name(self.name)
