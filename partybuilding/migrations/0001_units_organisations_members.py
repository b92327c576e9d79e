import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import mptt.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("grids", "0001_counties_tree_appointments"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Unit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="units",
                        to="grids.county",
                        verbose_name="县",
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="单位名称")),
                ("short_name", models.CharField(blank=True, max_length=20, verbose_name="简称")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("department", "机关单位"),
                            ("institution", "事业单位"),
                            ("school", "学校"),
                            ("hospital", "医院"),
                            ("state_company", "国有企业"),
                            ("company", "非公企业"),
                            ("social", "社会组织"),
                            ("property", "物业企业"),
                        ],
                        default="department",
                        max_length=20,
                        verbose_name="单位类型",
                    ),
                ),
                ("credit_code", models.CharField(blank=True, max_length=18, verbose_name="统一社会信用代码")),
                ("address", models.CharField(blank=True, max_length=200, verbose_name="地址")),
                ("duty", models.CharField(blank=True, max_length=300, verbose_name="主要职责")),
                ("is_active", models.BooleanField(default=True, verbose_name="在用")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="建立时间"),
                ),
            ],
            options={
                "verbose_name": "单位",
                "verbose_name_plural": "单位",
                "ordering": ["county", "name"],
                "constraints": [
                    models.UniqueConstraint(fields=("county", "name"), name="unit_county_name"),
                    models.UniqueConstraint(
                        condition=models.Q(("credit_code", ""), _negated=True),
                        fields=("credit_code",),
                        name="unit_credit_code",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PartyOrganisation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="organisations",
                        to="grids.county",
                        verbose_name="县",
                    ),
                ),
                (
                    "parent",
                    mptt.fields.TreeForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="partybuilding.partyorganisation",
                        verbose_name="上级党组织",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="党组织名称")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("work_committee", "党工委"),
                            ("committee", "党委"),
                            ("general_branch", "党总支"),
                            ("branch", "党支部"),
                            ("group", "党小组"),
                        ],
                        default="branch",
                        max_length=20,
                        verbose_name="类型",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="organisations",
                        to="grids.gridnode",
                        verbose_name="所在网格",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="organisations",
                        to="partybuilding.unit",
                        verbose_name="所在单位",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="在用")),
                ("lft", models.PositiveIntegerField(editable=False)),
                ("rght", models.PositiveIntegerField(editable=False)),
                ("tree_id", models.PositiveIntegerField(db_index=True, editable=False)),
                ("depth", models.PositiveIntegerField(editable=False)),
            ],
            options={
                "verbose_name": "党组织",
                "verbose_name_plural": "党组织",
                "ordering": ["tree_id", "lft"],
                "constraints": [models.UniqueConstraint(fields=("county", "name"), name="organisation_county_name")],
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="grids.county",
                        verbose_name="县",
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="姓名")),
                (
                    "phone",
                    models.CharField(
                        max_length=11,
                        validators=[
                            django.core.validators.RegexValidator("^1[3-9]\\d{9}$", "请填写 11 位手机号码，以 1 开头。")
                        ],
                        verbose_name="手机号码",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="partybuilding.unit",
                        verbose_name="所在单位",
                    ),
                ),
                (
                    "branch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="partybuilding.partyorganisation",
                        verbose_name="所在支部",
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="member",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="账号",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="在用")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="建立时间"),
                ),
            ],
            options={
                "verbose_name": "党员",
                "verbose_name_plural": "党员",
                "ordering": ["unit", "name", "id"],
                "constraints": [models.UniqueConstraint(fields=("county", "phone"), name="member_county_phone")],
            },
        ),
        migrations.CreateModel(
            name="UnitMembership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unit_memberships",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="人员",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="partybuilding.unit",
                        verbose_name="单位",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("liaison", "联络员"), ("staff", "工作人员")],
                        default="liaison",
                        max_length=10,
                        verbose_name="角色",
                    ),
                ),
                ("start", models.DateField(default=django.utils.timezone.localdate, verbose_name="开始日期")),
                ("end", models.DateField(blank=True, null=True, verbose_name="结束日期")),
            ],
            options={
                "verbose_name": "单位人员",
                "verbose_name_plural": "单位人员",
                "ordering": ["unit", "role", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("end__isnull", True), ("end__gte", models.F("start")), _connector="OR"),
                        name="membership_end_after_start",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("end__isnull", True)), fields=("user", "unit"), name="membership_open_once"
                    ),
                ],
            },
        ),
    ]
