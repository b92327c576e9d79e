import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import core.codes


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("grids", "0001_counties_tree_appointments"),
        ("partybuilding", "0001_units_organisations_members"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Category",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="categories",
                        to="grids.county",
                        verbose_name="县",
                    ),
                ),
                ("name", models.CharField(max_length=20, verbose_name="类别")),
                ("hint", models.CharField(blank=True, max_length=60, verbose_name="举例")),
                ("icon", models.CharField(blank=True, max_length=20, verbose_name="图标")),
                ("order", models.PositiveSmallIntegerField(default=100, verbose_name="顺序")),
                (
                    "urgency",
                    models.CharField(
                        choices=[("urgent", "紧急"), ("ordinary", "一般"), ("complex", "复杂")],
                        default="ordinary",
                        max_length=10,
                        verbose_name="紧急程度",
                    ),
                ),
                (
                    "limit_value",
                    models.PositiveSmallIntegerField(
                        default=5, validators=[django.core.validators.MinValueValidator(1)], verbose_name="办理时限"
                    ),
                ),
                (
                    "limit_unit",
                    models.CharField(
                        choices=[("hours", "小时"), ("workdays", "个工作日")],
                        default="workdays",
                        max_length=10,
                        verbose_name="时限单位",
                    ),
                ),
                ("is_public", models.BooleanField(default=True, verbose_name="居民可选")),
                ("is_active", models.BooleanField(default=True, verbose_name="在用")),
            ],
            options={
                "verbose_name": "诉求类别",
                "verbose_name_plural": "诉求类别",
                "ordering": ["county", "order", "id"],
                "constraints": [models.UniqueConstraint(fields=("county", "name"), name="category_county_name")],
            },
        ),
        migrations.CreateModel(
            name="Demand",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="demands",
                        to="grids.county",
                        verbose_name="县",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="demands",
                        to="grids.gridnode",
                        verbose_name="地点",
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="grids.gridnode",
                        verbose_name="社区",
                    ),
                ),
                ("code", models.CharField(max_length=20, unique=True, verbose_name="编号")),
                (
                    "follow_code",
                    models.CharField(
                        default=core.codes.new_follow_code,
                        editable=False,
                        max_length=12,
                        unique=True,
                        verbose_name="查询码",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="demands",
                        to="services.category",
                        verbose_name="类别",
                    ),
                ),
                (
                    "urgency",
                    models.CharField(
                        choices=[("urgent", "紧急"), ("ordinary", "一般"), ("complex", "复杂")],
                        default="ordinary",
                        max_length=10,
                        verbose_name="紧急程度",
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("resident", "居民扫码"),
                            ("keeper", "网格上报"),
                            ("cadre", "社区登记"),
                            ("phone", "电话登记"),
                            ("import", "表格导入"),
                        ],
                        default="resident",
                        max_length=10,
                        verbose_name="来源",
                    ),
                ),
                ("title", models.CharField(max_length=80, verbose_name="标题")),
                ("text", models.TextField(max_length=2000, verbose_name="内容")),
                ("contact_name", models.CharField(blank=True, max_length=60, verbose_name="联系人")),
                ("contact_phone", models.CharField(blank=True, max_length=20, verbose_name="联系电话")),
                (
                    "raised_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="登记人",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("registered", "待受理"),
                            ("declined", "不予受理"),
                            ("accepted", "已受理"),
                            ("published", "待认领"),
                            ("dispatched", "办理中"),
                            ("finished", "待核查"),
                            ("checked", "待评价"),
                            ("closed_off", "已销号"),
                            ("withdrawn", "已撤回"),
                            ("linked", "已并案"),
                        ],
                        default="registered",
                        max_length=12,
                        verbose_name="状态",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("round", models.PositiveSmallIntegerField(default=1, verbose_name="办理轮次")),
                (
                    "lead_unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="led_demands",
                        to="partybuilding.unit",
                        verbose_name="牵头单位",
                    ),
                ),
                (
                    "linked_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="linked",
                        to="services.demand",
                        verbose_name="并入",
                    ),
                ),
                ("registered_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="登记时间")),
                ("accepted_at", models.DateTimeField(blank=True, null=True, verbose_name="受理时间")),
                ("published_at", models.DateTimeField(blank=True, null=True, verbose_name="发布时间")),
                ("dispatched_at", models.DateTimeField(blank=True, null=True, verbose_name="派单时间")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="办结时间")),
                ("checked_at", models.DateTimeField(blank=True, null=True, verbose_name="核查时间")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="销号时间")),
                ("supervised_at", models.DateTimeField(blank=True, null=True, verbose_name="督办时间")),
                (
                    "supervised_unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partybuilding.unit",
                        verbose_name="被督办单位",
                    ),
                ),
                ("escalated_at", models.DateTimeField(blank=True, null=True, verbose_name="上报时间")),
                ("parked_until", models.DateField(blank=True, null=True, verbose_name="挂账至")),
                ("step_due_at", models.DateTimeField(blank=True, null=True, verbose_name="本步时限")),
                ("warn_at", models.DateTimeField(blank=True, null=True, verbose_name="预警时间")),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="办理时限")),
                (
                    "late_marked_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="标记超期时间"),
                ),
                ("solved", models.BooleanField(blank=True, null=True, verbose_name="是否解决")),
                ("satisfaction", models.CharField(blank=True, max_length=12, verbose_name="满意度")),
                ("external_number", models.CharField(blank=True, max_length=40, verbose_name="原编号")),
                ("external_date", models.DateField(blank=True, null=True, verbose_name="原日期")),
                ("external_channel", models.CharField(blank=True, max_length=40, verbose_name="来源渠道")),
                ("external_nature", models.CharField(blank=True, max_length=20, verbose_name="性质")),
                ("place_text", models.CharField(blank=True, max_length=100, verbose_name="原地点")),
            ],
            options={
                "verbose_name": "需求",
                "verbose_name_plural": "需求",
                "ordering": ["-registered_at", "-id"],
                "indexes": [
                    models.Index(fields=["community", "-registered_at", "-id"], name="demand_community_recent"),
                    models.Index(fields=["county", "-registered_at", "-id"], name="demand_county_recent"),
                    models.Index(fields=["node", "-registered_at"], name="demand_node_recent"),
                    models.Index(fields=["lead_unit", "-registered_at"], name="demand_lead_recent"),
                    models.Index(fields=["community", "state", "due_at"], name="demand_community_state"),
                    models.Index(
                        condition=models.Q(
                            ("due_at__isnull", False), ("state__in", ["accepted", "published", "dispatched"])
                        ),
                        fields=["county", "due_at"],
                        name="demand_running_due",
                    ),
                    models.Index(
                        condition=models.Q(("step_due_at__isnull", False)),
                        fields=["step_due_at"],
                        name="demand_step_due",
                    ),
                    models.Index(
                        condition=models.Q(("parked_until__isnull", False)),
                        fields=["parked_until"],
                        name="demand_parked",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_number", ""), _negated=True),
                        fields=("community", "external_number", "external_date"),
                        name="demand_external_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SubOrder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "demand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="suborders",
                        to="services.demand",
                        verbose_name="需求",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="suborders",
                        to="partybuilding.unit",
                        verbose_name="承办单位",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("lead", "牵头"), ("supporting", "配合")],
                        default="lead",
                        max_length=10,
                        verbose_name="角色",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("dispatched", "待签收"),
                            ("signed", "已签收"),
                            ("return_requested", "申请退单"),
                            ("returned", "已退单"),
                            ("in_service", "服务中"),
                            ("finished", "已办结"),
                        ],
                        default="dispatched",
                        max_length=16,
                        verbose_name="状态",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("note", models.CharField(blank=True, max_length=500, verbose_name="派单说明")),
                ("claimed", models.BooleanField(default=False, verbose_name="主动认领")),
                (
                    "designated",
                    models.BooleanField(default=False, help_text="指定承办的单位不能退单。", verbose_name="指定承办"),
                ),
                ("dispatched_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="派单时间")),
                ("sign_due_at", models.DateTimeField(blank=True, null=True, verbose_name="签收时限")),
                ("contact_due_at", models.DateTimeField(blank=True, null=True, verbose_name="首次联系时限")),
                ("warn_at", models.DateTimeField(blank=True, null=True, verbose_name="预警时间")),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="办理时限")),
                ("signed_at", models.DateTimeField(blank=True, null=True, verbose_name="签收时间")),
                ("contacted_at", models.DateTimeField(blank=True, null=True, verbose_name="首次联系时间")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="办结时间")),
                ("returned_at", models.DateTimeField(blank=True, null=True, verbose_name="退单时间")),
                (
                    "extension_waiting",
                    models.PositiveSmallIntegerField(default=0, editable=False, verbose_name="待审核的延期"),
                ),
                ("review_due_at", models.DateTimeField(blank=True, null=True, verbose_name="审核时限")),
                (
                    "late_marked_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="标记超期时间"),
                ),
                (
                    "response_late_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="标记响应超时"),
                ),
                ("result", models.TextField(blank=True, verbose_name="办理结果")),
            ],
            options={
                "verbose_name": "派单",
                "verbose_name_plural": "派单",
                "ordering": ["demand", "role", "id"],
                "indexes": [
                    models.Index(fields=["unit", "state", "due_at"], name="suborder_unit_state"),
                    models.Index(
                        condition=models.Q(("state__in", ["dispatched", "signed", "return_requested", "in_service"])),
                        fields=["due_at"],
                        name="suborder_running_due",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("role", "lead"), models.Q(("state", "returned"), _negated=True)),
                        fields=("demand",),
                        name="suborder_one_lead",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "returned"), _negated=True),
                        fields=("demand", "unit"),
                        name="suborder_once_per_unit",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Assignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "suborder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="services.suborder",
                        verbose_name="派单",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="partybuilding.member",
                        verbose_name="党员",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("offered", "待回应"), ("taken", "已接受"), ("passed_up", "已婉拒")],
                        default="offered",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="安排人",
                    ),
                ),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="安排时间")),
                ("answered_at", models.DateTimeField(blank=True, null=True, verbose_name="回应时间")),
            ],
            options={
                "verbose_name": "人员安排",
                "verbose_name_plural": "人员安排",
                "ordering": ["suborder", "id"],
                "indexes": [models.Index(fields=["member", "state"], name="assignment_member_state")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "passed_up"), _negated=True),
                        fields=("suborder", "member"),
                        name="assignment_open_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DemandEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "demand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="services.demand",
                        verbose_name="需求",
                    ),
                ),
                (
                    "suborder",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="services.suborder",
                        verbose_name="派单",
                    ),
                ),
                ("name", models.CharField(max_length=30, verbose_name="操作")),
                ("title", models.CharField(max_length=160, verbose_name="事项")),
                ("text", models.TextField(blank=True, verbose_name="说明")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="时间")),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="经办人",
                    ),
                ),
                ("actor_kind", models.CharField(default="user", max_length=10)),
                ("from_state", models.CharField(blank=True, max_length=16)),
                ("to_state", models.CharField(blank=True, max_length=16)),
                ("tallied", models.BooleanField(default=False, editable=False)),
            ],
            options={
                "verbose_name": "办理记录",
                "verbose_name_plural": "办理记录",
                "ordering": ["at", "id"],
                "indexes": [
                    models.Index(fields=["demand", "at"], name="event_demand"),
                    models.Index(condition=models.Q(("tallied", False)), fields=["id"], name="event_not_tallied"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Evaluation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "demand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evaluations",
                        to="services.demand",
                        verbose_name="需求",
                    ),
                ),
                ("round", models.PositiveSmallIntegerField(default=1, verbose_name="办理轮次")),
                ("solved", models.BooleanField(verbose_name="是否解决")),
                (
                    "satisfaction",
                    models.CharField(
                        choices=[("satisfied", "满意"), ("fairly", "基本满意"), ("dissatisfied", "不满意")],
                        max_length=12,
                        verbose_name="满意度",
                    ),
                ),
                ("text", models.TextField(blank=True, verbose_name="意见")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="评价时间")),
            ],
            options={
                "verbose_name": "居民评价",
                "verbose_name_plural": "居民评价",
                "ordering": ["-id"],
                "constraints": [models.UniqueConstraint(fields=("demand", "round"), name="evaluation_once_per_round")],
            },
        ),
        migrations.CreateModel(
            name="Extension",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "suborder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="extensions",
                        to="services.suborder",
                        verbose_name="派单",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField(default=1, verbose_name="第几次")),
                ("until", models.DateField(verbose_name="延期至")),
                ("reason", models.TextField(verbose_name="理由")),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "待审核"), ("approved", "同意"), ("rejected", "驳回")],
                        default="waiting",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="申请人",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="申请时间")),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="审核人",
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="审核时间")),
                ("note", models.CharField(blank=True, max_length=500, verbose_name="审核意见")),
            ],
            options={
                "verbose_name": "延期",
                "verbose_name_plural": "延期",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "waiting")), fields=("suborder",), name="extension_one_waiting"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FollowUp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "demand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="follow_ups",
                        to="services.demand",
                        verbose_name="需求",
                    ),
                ),
                ("reached", models.BooleanField(verbose_name="联系上")),
                ("solved", models.BooleanField(blank=True, null=True, verbose_name="是否解决")),
                (
                    "satisfaction",
                    models.CharField(
                        blank=True,
                        choices=[("satisfied", "满意"), ("fairly", "基本满意"), ("dissatisfied", "不满意")],
                        max_length=12,
                        verbose_name="满意度",
                    ),
                ),
                ("text", models.TextField(blank=True, verbose_name="回访记录")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="回访人",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="回访时间")),
            ],
            options={
                "verbose_name": "回访",
                "verbose_name_plural": "回访",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reached", False), ("solved__isnull", True)),
                            models.Q(("reached", True), ("solved__isnull", False)),
                            _connector="OR",
                        ),
                        name="follow_up_reached_says_solved",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LoopSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "county",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="loop_settings",
                        to="grids.county",
                        verbose_name="县",
                    ),
                ),
                ("accept_workdays", models.PositiveSmallIntegerField(default=1, verbose_name="受理时限（工作日）")),
                (
                    "dispatch_workdays",
                    models.PositiveSmallIntegerField(default=1, verbose_name="受理后派单时限（工作日）"),
                ),
                ("publish_workdays", models.PositiveSmallIntegerField(default=3, verbose_name="认领时限（工作日）")),
                ("sign_hours", models.PositiveSmallIntegerField(default=4, verbose_name="签收时限（工作小时）")),
                ("contact_hours", models.PositiveSmallIntegerField(default=2, verbose_name="首次联系时限（工作小时）")),
                ("check_workdays", models.PositiveSmallIntegerField(default=2, verbose_name="核查时限（工作日）")),
                (
                    "auto_close_days",
                    models.PositiveSmallIntegerField(default=7, verbose_name="核查后无人评价自动销号（天）"),
                ),
                ("reopen_days", models.PositiveSmallIntegerField(default=10, verbose_name="销号后可重启（天）")),
                (
                    "supervision_workdays",
                    models.PositiveSmallIntegerField(default=2, verbose_name="督办答复时限（工作日）"),
                ),
                (
                    "review_workdays",
                    models.PositiveSmallIntegerField(default=1, verbose_name="退单、延期审核时限（工作日）"),
                ),
                (
                    "bulletin_workdays",
                    models.PositiveSmallIntegerField(default=5, verbose_name="超期后列入通报（工作日）"),
                ),
                (
                    "yellow_percent",
                    models.PositiveSmallIntegerField(default=20, verbose_name="剩余时限不足百分之几亮黄灯"),
                ),
                ("promise", models.CharField(default="2 小时内联系您", max_length=60, verbose_name="对居民的承诺")),
            ],
            options={
                "verbose_name": "办理时限设置",
                "verbose_name_plural": "办理时限设置",
                "ordering": ["county"],
            },
        ),
        migrations.CreateModel(
            name="Parking",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "demand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parkings",
                        to="services.demand",
                        verbose_name="需求",
                    ),
                ),
                ("plan", models.TextField(verbose_name="计划")),
                ("until", models.DateField(verbose_name="挂账至")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="经办人",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="挂账时间")),
            ],
            options={
                "verbose_name": "挂账",
                "verbose_name_plural": "挂账",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Photo",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "demand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="photos",
                        to="services.demand",
                        verbose_name="需求",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="photos",
                        to="services.demandevent",
                        verbose_name="办理记录",
                    ),
                ),
                ("file", models.FileField(upload_to="photos/%Y/%m/", verbose_name="图片")),
                ("thumbnail", models.FileField(blank=True, upload_to="photos/%Y/%m/")),
                ("size", models.PositiveIntegerField(verbose_name="大小")),
                ("digest", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="上传时间")),
            ],
            options={
                "verbose_name": "图片",
                "verbose_name_plural": "图片",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Supervision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "demand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="supervisions",
                        to="services.demand",
                        verbose_name="需求",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="supervisions",
                        to="partybuilding.unit",
                        verbose_name="被督办单位",
                    ),
                ),
                ("text", models.TextField(verbose_name="督办要求")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="督办人",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="督办时间")),
                ("due_at", models.DateTimeField(verbose_name="答复时限")),
                ("answer", models.TextField(blank=True, verbose_name="答复")),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="答复人",
                    ),
                ),
                ("answered_at", models.DateTimeField(blank=True, null=True, verbose_name="答复时间")),
            ],
            options={
                "verbose_name": "督办",
                "verbose_name_plural": "督办",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("answered_at__isnull", True)), fields=["due_at"], name="supervision_waiting"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("answered_at__isnull", True)),
                        fields=("demand",),
                        name="supervision_one_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="grids.county",
                        verbose_name="县",
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="grids.gridnode",
                        verbose_name="社区",
                    ),
                ),
                ("month", models.DateField(verbose_name="月份")),
                (
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="services.category",
                        verbose_name="类别",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partybuilding.unit",
                        verbose_name="牵头单位",
                    ),
                ),
                ("registered", models.PositiveIntegerField(default=0, verbose_name="登记")),
                ("declined", models.PositiveIntegerField(default=0, verbose_name="不予受理")),
                ("dispatched", models.PositiveIntegerField(default=0, verbose_name="派单")),
                ("finished", models.PositiveIntegerField(default=0, verbose_name="办结")),
                ("closed", models.PositiveIntegerField(default=0, verbose_name="销号")),
                ("finished_in_time", models.PositiveIntegerField(default=0, verbose_name="按时办结")),
                ("response_due", models.PositiveIntegerField(default=0, verbose_name="应响应")),
                ("response_met", models.PositiveIntegerField(default=0, verbose_name="按时响应")),
                ("followed_up", models.PositiveIntegerField(default=0, verbose_name="有效回访")),
                ("solved", models.PositiveIntegerField(default=0, verbose_name="已解决")),
                ("satisfied", models.PositiveIntegerField(default=0, verbose_name="满意和基本满意")),
            ],
            options={
                "verbose_name": "统计",
                "verbose_name_plural": "统计",
                "ordering": ["month", "community", "category"],
                "indexes": [models.Index(fields=["county", "month"], name="tally_county_month")],
                "constraints": [
                    models.UniqueConstraint(fields=("community", "month", "category", "unit"), name="tally_cell"),
                    models.UniqueConstraint(
                        condition=models.Q(("unit__isnull", True)),
                        fields=("community", "month", "category"),
                        name="tally_cell_no_unit",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UnitCheckIn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="checkins",
                        to="partybuilding.unit",
                        verbose_name="报到单位",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="checkins",
                        to="grids.gridnode",
                        verbose_name="报到地",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("lead", "牵头单位"), ("supporting", "配合单位")],
                        default="supporting",
                        max_length=10,
                        verbose_name="角色",
                    ),
                ),
                ("start", models.DateField(default=django.utils.timezone.localdate, verbose_name="报到日期")),
                ("end", models.DateField(blank=True, null=True, verbose_name="结束日期")),
            ],
            options={
                "verbose_name": "单位报到",
                "verbose_name_plural": "单位报到",
                "ordering": ["node", "role", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("end__isnull", True), ("end__gte", models.F("start")), _connector="OR"),
                        name="checkin_end_after_start",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("end__isnull", True)), fields=("unit", "node"), name="checkin_open_once"
                    ),
                ],
            },
        ),
    ]
