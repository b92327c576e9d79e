import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import services.models.checkin
import services.models.supply


class Migration(migrations.Migration):
    dependencies = [
        ("grids", "0006_fewer_indexes_on_places"),
        ("partybuilding", "0005_domains_floating_members_alliances"),
        ("services", "0001_demands_suborders_records"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Activity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="activities",
                        to="grids.county",
                        verbose_name="县",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="activities",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("hygiene", "环境卫生"),
                            ("policy", "政策宣传"),
                            ("visit", "走访慰问"),
                            ("health", "健康义诊"),
                            ("culture", "文体活动"),
                            ("party_day", "主题党日"),
                            ("other", "其他"),
                        ],
                        max_length=12,
                        verbose_name="类型",
                    ),
                ),
                ("title", models.CharField(max_length=80, verbose_name="活动名称")),
                ("held_on", models.DateField(verbose_name="日期")),
                ("people", models.PositiveIntegerField(blank=True, null=True, verbose_name="参加人数")),
                ("text", models.CharField(blank=True, max_length=500, verbose_name="活动情况")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "units",
                    models.ManyToManyField(related_name="activities", to="partybuilding.unit", verbose_name="参加单位"),
                ),
            ],
            options={
                "verbose_name": "共建活动",
                "verbose_name_plural": "共建活动",
                "ordering": ["-held_on", "-id"],
                "indexes": [models.Index(fields=["community", "held_on"], name="activity_community")],
                "constraints": [models.UniqueConstraint(fields=("node", "title", "held_on"), name="activity_once")],
            },
        ),
        migrations.CreateModel(
            name="JointMeeting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="meetings",
                        to="grids.county",
                        verbose_name="县",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="meetings",
                        to="grids.gridnode",
                        verbose_name="召集地",
                    ),
                ),
                ("title", models.CharField(max_length=80, verbose_name="会议名称")),
                ("quarter", models.DateField(verbose_name="季度")),
                ("held_at", models.DateTimeField(verbose_name="会议时间")),
                ("venue", models.CharField(max_length=100, verbose_name="会议地点")),
                ("host", models.CharField(blank=True, max_length=60, verbose_name="主持人")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "筹备中"),
                            ("published", "已通知"),
                            ("running", "进行中"),
                            ("closed", "已结束"),
                            ("cancelled", "已取消"),
                        ],
                        default="planned",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("published_at", models.DateTimeField(blank=True, null=True, verbose_name="通知时间")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="结束时间")),
                ("summary", models.CharField(blank=True, max_length=2000, verbose_name="会议小结")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="意见")),
                ("revision", models.PositiveIntegerField(default=1, editable=False)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "联席会议",
                "verbose_name_plural": "联席会议",
                "ordering": ["-held_at", "-id"],
                "indexes": [models.Index(fields=["county", "quarter"], name="meeting_county_quarter")],
            },
        ),
        migrations.CreateModel(
            name="MatchRun",
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
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="match_runs",
                        to="grids.gridnode",
                        verbose_name="范围",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="匹配时间")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="发起人",
                    ),
                ),
                ("demands", models.PositiveIntegerField(verbose_name="需求数")),
                ("resources", models.PositiveIntegerField(verbose_name="资源数")),
                ("score", models.PositiveIntegerField(default=0, verbose_name="总分")),
                ("greedy_score", models.PositiveIntegerField(default=0, verbose_name="逐条匹配的总分")),
            ],
            options={
                "verbose_name": "供需匹配",
                "verbose_name_plural": "供需匹配",
                "ordering": ["-at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Project",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="projects",
                        to="grids.county",
                        verbose_name="县",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="projects",
                        to="grids.gridnode",
                        verbose_name="实施地点",
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="grids.gridnode",
                        verbose_name="社区",
                    ),
                ),
                ("code", models.CharField(max_length=20, unique=True, verbose_name="编号")),
                ("name", models.CharField(max_length=80, verbose_name="项目名称")),
                ("text", models.CharField(blank=True, max_length=1000, verbose_name="项目内容")),
                (
                    "lead_unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="led_projects",
                        to="partybuilding.unit",
                        verbose_name="牵头单位",
                    ),
                ),
                (
                    "leader",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="协调领导",
                    ),
                ),
                (
                    "budget",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="预算（元）"
                    ),
                ),
                ("start_on", models.DateField(blank=True, null=True, verbose_name="开始日期")),
                ("due_on", models.DateField(blank=True, null=True, verbose_name="完成期限")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "草拟"),
                            ("open", "待认领"),
                            ("running", "实施中"),
                            ("finished", "待验收"),
                            ("done", "已完成"),
                            ("dropped", "已取消"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="立项时间")),
                ("claimed_at", models.DateTimeField(blank=True, null=True, verbose_name="认领时间")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="申报完成时间")),
                ("done_on", models.DateField(blank=True, null=True, verbose_name="验收日期")),
                ("result", models.CharField(blank=True, max_length=1000, verbose_name="完成情况")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="意见")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "supporting",
                    models.ManyToManyField(
                        blank=True, related_name="supported_projects", to="partybuilding.unit", verbose_name="配合单位"
                    ),
                ),
                (
                    "demands",
                    models.ManyToManyField(
                        blank=True, related_name="projects", to="services.demand", verbose_name="对应需求"
                    ),
                ),
            ],
            options={
                "verbose_name": "项目",
                "verbose_name_plural": "项目清单",
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(fields=["community", "state"], name="project_community"),
                    models.Index(fields=["county", "-created_at", "-id"], name="project_county_recent"),
                    models.Index(fields=["lead_unit", "state"], name="project_lead"),
                    models.Index(
                        condition=models.Q(("state__in", ["open", "running"])), fields=["due_on"], name="project_due"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Resource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resources",
                        to="grids.county",
                        verbose_name="县",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resources",
                        to="partybuilding.unit",
                        verbose_name="提供单位",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resources",
                        to="grids.gridnode",
                        verbose_name="使用范围",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("people", "人力"),
                            ("skill", "技术"),
                            ("place", "场所"),
                            ("equipment", "设施设备"),
                            ("money", "资金"),
                            ("service", "服务"),
                        ],
                        max_length=12,
                        verbose_name="类型",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resources",
                        to="services.category",
                        verbose_name="对应需求类别",
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="资源名称")),
                ("text", models.CharField(blank=True, max_length=300, verbose_name="说明")),
                (
                    "quantity",
                    models.PositiveIntegerField(
                        default=1, validators=[django.core.validators.MinValueValidator(1)], verbose_name="数量"
                    ),
                ),
                ("measure", models.CharField(max_length=10, verbose_name="计量单位")),
                ("times", models.JSONField(default=services.models.supply._empty, verbose_name="可用时段")),
                ("start", models.DateField(default=django.utils.timezone.localdate, verbose_name="可用起")),
                ("end", models.DateField(blank=True, null=True, verbose_name="可用止")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("offered", "待核实"),
                            ("available", "可用"),
                            ("sent_back", "退回完善"),
                            ("withdrawn", "已撤回"),
                        ],
                        default="offered",
                        max_length=12,
                        verbose_name="状态",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="意见")),
                ("checked_on", models.DateField(default=django.utils.timezone.localdate, verbose_name="最近核对")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "资源",
                "verbose_name_plural": "资源清单",
                "ordering": ["kind", "name", "id"],
                "indexes": [models.Index(fields=["county", "state", "kind"], name="resource_county_state")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "withdrawn"), _negated=True),
                        fields=("unit", "node", "name"),
                        name="resource_once",
                    ),
                    models.CheckConstraint(condition=models.Q(("quantity__gte", 1)), name="resource_quantity"),
                    models.CheckConstraint(
                        condition=models.Q(("end__isnull", True), ("end__gte", models.F("start")), _connector="OR"),
                        name="resource_end_after_start",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MatchProposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="services.matchrun",
                        verbose_name="供需匹配",
                    ),
                ),
                (
                    "demand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="services.demand",
                        verbose_name="需求",
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="services.resource",
                        verbose_name="资源",
                    ),
                ),
                ("score", models.PositiveSmallIntegerField(verbose_name="匹配分")),
                ("reasons", models.JSONField(verbose_name="理由")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "待定"),
                            ("accepted", "已采纳"),
                            ("refused", "不采纳"),
                            ("outdated", "已失效"),
                        ],
                        default="proposed",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="services.project",
                        verbose_name="项目",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "匹配建议",
                "verbose_name_plural": "匹配建议",
                "ordering": ["run", "-score", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "demand"), name="proposal_one_per_demand"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "accepted"), _negated=True), ("project__isnull", False), _connector="OR"
                        ),
                        name="proposal_accepted_has_project",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AgendaItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "meeting",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="services.jointmeeting",
                        verbose_name="联席会议",
                    ),
                ),
                ("order", models.PositiveSmallIntegerField(verbose_name="序号")),
                ("title", models.CharField(max_length=100, verbose_name="议题")),
                ("text", models.CharField(blank=True, max_length=500, verbose_name="说明")),
                (
                    "theme",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("renewal", "改造升级"),
                            ("abandoned", "弃管小区整治"),
                            ("hygiene", "环境卫生"),
                            ("hardship", "困难帮扶"),
                            ("safety", "平安治安"),
                            ("service", "公共服务"),
                        ],
                        max_length=12,
                        verbose_name="问题类型",
                    ),
                ),
                (
                    "demand",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="agenda",
                        to="services.demand",
                        verbose_name="需求",
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="agenda",
                        to="services.matchproposal",
                        verbose_name="匹配建议",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="agenda",
                        to="services.project",
                        verbose_name="项目",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "待议"),
                            ("claimed", "已认领"),
                            ("resolved", "已议定"),
                            ("leader", "领导协调"),
                            ("deferred", "缓议"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claimed_items",
                        to="partybuilding.unit",
                        verbose_name="认领单位",
                    ),
                ),
                (
                    "claimed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="认领人",
                    ),
                ),
                ("claimed_at", models.DateTimeField(blank=True, null=True, verbose_name="认领时间")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "议题",
                "verbose_name_plural": "议题",
                "ordering": ["meeting", "order", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("demand__isnull", False)),
                        fields=("meeting", "demand"),
                        name="item_demand_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("project__isnull", False)),
                        fields=("meeting", "project"),
                        name="item_project_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attendance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "meeting",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attendances",
                        to="services.jointmeeting",
                        verbose_name="联席会议",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attendances",
                        to="partybuilding.unit",
                        verbose_name="单位",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("invited", "待回复"), ("coming", "参加"), ("excused", "请假"), ("present", "已到会")],
                        default="invited",
                        max_length=10,
                        verbose_name="出席",
                    ),
                ),
                ("person", models.CharField(blank=True, max_length=60, verbose_name="参会人")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="说明")),
                ("answered_at", models.DateTimeField(blank=True, null=True, verbose_name="回复时间")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "参会单位",
                "verbose_name_plural": "参会单位",
                "ordering": ["meeting", "unit"],
                "constraints": [models.UniqueConstraint(fields=("meeting", "unit"), name="attendance_once")],
            },
        ),
        migrations.CreateModel(
            name="Certificate",
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
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="certificates",
                        to="partybuilding.member",
                        verbose_name="党员",
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
                ("code", models.CharField(max_length=16, unique=True, verbose_name="验证码")),
                ("since", models.DateField(verbose_name="起")),
                ("until", models.DateField(verbose_name="止")),
                ("services", models.PositiveIntegerField(verbose_name="服务次数")),
                ("hours", models.DecimalField(decimal_places=1, max_digits=7, verbose_name="时长（小时）")),
                ("issued_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="出具时间")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="作废时间")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="作废原因")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "服务证明",
                "verbose_name_plural": "服务证明",
                "ordering": ["-issued_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="CheckInApplication",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="applications",
                        to="partybuilding.unit",
                        verbose_name="报到单位",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="applications",
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
                ("brings", models.CharField(max_length=500, verbose_name="带来的资源和服务")),
                ("years", models.PositiveSmallIntegerField(default=1, verbose_name="共建年限")),
                (
                    "unit_liaison",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="单位联络员",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("applied", "待接收"),
                            ("sent_back", "退回完善"),
                            ("accepted", "已接收"),
                            ("declined", "不接收"),
                            ("withdrawn", "已撤回"),
                        ],
                        default="applied",
                        max_length=12,
                        verbose_name="状态",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="意见")),
                (
                    "applied_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="申请人",
                    ),
                ),
                ("applied_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="申请时间")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="办理时间")),
                (
                    "renews",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="renewals",
                        to="services.unitcheckin",
                        verbose_name="续签的报到",
                    ),
                ),
                (
                    "checkin",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="applications",
                        to="services.unitcheckin",
                        verbose_name="报到",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "报到申请",
                "verbose_name_plural": "报到申请",
                "ordering": ["-applied_at", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["applied", "sent_back"])),
                        fields=("unit", "node"),
                        name="application_open_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("years__gte", 1), ("years__lte", 5)), name="application_years"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Commitment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commitments",
                        to="grids.county",
                        verbose_name="县",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commitments",
                        to="partybuilding.unit",
                        verbose_name="承诺单位",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commitments",
                        to="partybuilding.member",
                        verbose_name="承诺党员",
                    ),
                ),
                (
                    "checkin",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commitments",
                        to="services.unitcheckin",
                        verbose_name="单位报到",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commitments",
                        to="grids.gridnode",
                        verbose_name="受益地点",
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
                ("title", models.CharField(max_length=100, verbose_name="承诺事项")),
                ("measure", models.CharField(max_length=200, verbose_name="完成标准")),
                ("owner", models.CharField(max_length=60, verbose_name="责任人")),
                ("due_on", models.DateField(verbose_name="完成期限")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "进行中"),
                            ("reported", "待确认"),
                            ("done", "已完成"),
                            ("moved", "已转接"),
                            ("dropped", "已终止"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("percent", models.PositiveSmallIntegerField(default=0, verbose_name="进度（%）")),
                ("promised_on", models.DateField(default=django.utils.timezone.localdate, verbose_name="承诺日期")),
                ("reported_at", models.DateTimeField(blank=True, null=True, verbose_name="申报完成时间")),
                ("done_on", models.DateField(blank=True, null=True, verbose_name="完成日期")),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="确认人",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="意见")),
                (
                    "moved_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="moved_from",
                        to="services.commitment",
                        verbose_name="转接为",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "承诺事项",
                "verbose_name_plural": "承诺事项",
                "ordering": ["state", "due_on", "id"],
                "indexes": [
                    models.Index(fields=["community", "state"], name="commitment_community"),
                    models.Index(fields=["unit", "state", "due_on"], name="commitment_unit"),
                    models.Index(
                        condition=models.Q(("state__in", ["open", "reported"])),
                        fields=["due_on"],
                        name="commitment_due",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("member__isnull", True), ("unit__isnull", False)),
                            models.Q(("member__isnull", False), ("unit__isnull", True)),
                            _connector="OR",
                        ),
                        name="commitment_unit_or_member",
                    ),
                    models.CheckConstraint(condition=models.Q(("percent__lte", 100)), name="commitment_percent"),
                    models.UniqueConstraint(
                        condition=models.Q(("unit__isnull", False)),
                        fields=("unit", "node", "title", "promised_on"),
                        name="commitment_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CommitmentProgress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "commitment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="services.commitment",
                        verbose_name="承诺事项",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="时间")),
                ("percent", models.PositiveSmallIntegerField(verbose_name="进度（%）")),
                ("text", models.CharField(max_length=500, verbose_name="进展")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "承诺进展",
                "verbose_name_plural": "承诺进展",
                "ordering": ["-at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="photos",
                        to="services.project",
                        verbose_name="项目",
                    ),
                ),
                (
                    "step",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="photos",
                        to="services.commitmentprogress",
                        verbose_name="承诺进展",
                    ),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[("before", "实施前"), ("after", "实施后"), ("progress", "进展")],
                        max_length=10,
                        verbose_name="阶段",
                    ),
                ),
                ("file", models.FileField(upload_to="photos/%Y/%m/", verbose_name="图片")),
                ("thumbnail", models.FileField(blank=True, upload_to="photos/%Y/%m/")),
                ("size", models.PositiveIntegerField(verbose_name="大小")),
                ("digest", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="上传时间")),
            ],
            options={
                "verbose_name": "佐证照片",
                "verbose_name_plural": "佐证照片",
                "ordering": ["stage", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("project__isnull", False), ("step__isnull", True)),
                            models.Q(("project__isnull", True), ("step__isnull", False)),
                            _connector="OR",
                        ),
                        name="evidence_of_one",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MemberCard",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cards",
                        to="partybuilding.member",
                        verbose_name="党员",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="member_cards",
                        to="partybuilding.unit",
                        verbose_name="所在单位",
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
                ("quarter", models.DateField(verbose_name="季度")),
                ("services", models.PositiveSmallIntegerField(verbose_name="服务次数")),
                ("hours", models.DecimalField(decimal_places=1, max_digits=6, verbose_name="时长（小时）")),
                ("sent_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="反馈时间")),
                (
                    "sent_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="反馈人",
                    ),
                ),
                ("read_at", models.DateTimeField(blank=True, null=True, verbose_name="查收时间")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "季度服务卡",
                "verbose_name_plural": "季度服务卡",
                "ordering": ["-quarter", "unit", "member", "id"],
                "constraints": [models.UniqueConstraint(fields=("member", "community", "quarter"), name="card_once")],
            },
        ),
        migrations.CreateModel(
            name="MemberCheckIn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="checkins",
                        to="partybuilding.member",
                        verbose_name="党员",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="member_checkins",
                        to="grids.gridnode",
                        verbose_name="居住小区",
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
                ("skills", models.JSONField(default=services.models.checkin._empty, verbose_name="特长")),
                (
                    "wished_post",
                    models.CharField(
                        choices=[
                            ("policy", "政策宣传岗"),
                            ("hygiene", "环境卫生岗"),
                            ("mediation", "矛盾调解岗"),
                            ("safety", "治安巡防岗"),
                            ("care", "关爱帮扶岗"),
                            ("culture", "文体活动岗"),
                            ("opinion", "民情收集岗"),
                            ("any", "服从安排"),
                        ],
                        default="any",
                        max_length=12,
                        verbose_name="意愿岗位",
                    ),
                ),
                ("free_time", models.JSONField(default=services.models.checkin._empty, verbose_name="空闲时间")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="补充说明")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("applied", "待接收"),
                            ("sent_back", "退回完善"),
                            ("accepted", "报到中"),
                            ("declined", "不接收"),
                            ("ended", "已结束"),
                        ],
                        default="applied",
                        max_length=12,
                        verbose_name="状态",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="意见")),
                ("applied_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="报到时间")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="接收时间")),
                ("ended_on", models.DateField(blank=True, null=True, verbose_name="结束日期")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "党员报到",
                "verbose_name_plural": "党员报到",
                "ordering": ["-applied_at", "-id"],
                "indexes": [models.Index(fields=["community", "state"], name="member_checkin_community")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["applied", "sent_back", "accepted"])),
                        fields=("member",),
                        name="member_checkin_open_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Milestone",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="milestones",
                        to="services.project",
                        verbose_name="项目",
                    ),
                ),
                ("title", models.CharField(max_length=100, verbose_name="节点")),
                ("due_on", models.DateField(verbose_name="计划日期")),
                ("done_on", models.DateField(blank=True, null=True, verbose_name="完成日期")),
                ("text", models.CharField(blank=True, max_length=500, verbose_name="进展")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "项目节点",
                "verbose_name_plural": "项目节点",
                "ordering": ["project", "due_on", "id"],
                "constraints": [models.UniqueConstraint(fields=("project", "title"), name="milestone_once")],
            },
        ),
        migrations.CreateModel(
            name="ProjectResource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="services.project",
                        verbose_name="项目",
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="services.resource",
                        verbose_name="资源",
                    ),
                ),
                (
                    "quantity",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(1)], verbose_name="数量"
                    ),
                ),
            ],
            options={
                "verbose_name": "项目所用资源",
                "verbose_name_plural": "项目所用资源",
                "ordering": ["project", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("project", "resource"), name="allocation_once"),
                    models.CheckConstraint(condition=models.Q(("quantity__gte", 1)), name="allocation_quantity"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Resolution",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "meeting",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resolutions",
                        to="services.jointmeeting",
                        verbose_name="联席会议",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resolutions",
                        to="services.agendaitem",
                        verbose_name="议题",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("project", "立项"), ("commitment", "承诺"), ("task", "任务"), ("leader", "领导协调")],
                        max_length=12,
                        verbose_name="形式",
                    ),
                ),
                ("text", models.CharField(max_length=300, verbose_name="决议")),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resolutions",
                        to="partybuilding.unit",
                        verbose_name="责任单位",
                    ),
                ),
                ("owner", models.CharField(max_length=60, verbose_name="责任人")),
                (
                    "leader",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="协调领导",
                    ),
                ),
                ("due_on", models.DateField(verbose_name="完成期限")),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resolutions",
                        to="services.project",
                        verbose_name="项目",
                    ),
                ),
                (
                    "commitment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resolutions",
                        to="services.commitment",
                        verbose_name="承诺事项",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "落实中"), ("done", "已落实"), ("dropped", "不再办理")],
                        default="open",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("done_on", models.DateField(blank=True, null=True, verbose_name="落实日期")),
                ("result", models.CharField(blank=True, max_length=500, verbose_name="落实情况")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="议定时间")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "会议决议",
                "verbose_name_plural": "会议决议",
                "ordering": ["state", "due_on", "id"],
                "indexes": [
                    models.Index(condition=models.Q(("state", "open")), fields=["due_on"], name="resolution_due")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("owner", ""), _negated=True), name="resolution_has_owner"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Responsibility",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="responsibilities",
                        to="services.project",
                        verbose_name="项目",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="responsibilities",
                        to="partybuilding.unit",
                        verbose_name="责任单位",
                    ),
                ),
                ("person", models.CharField(max_length=60, verbose_name="责任人")),
                ("measure", models.CharField(max_length=200, verbose_name="责任内容")),
                ("due_on", models.DateField(verbose_name="完成期限")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "进行中"), ("done", "已落实"), ("dropped", "已取消")],
                        default="open",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("done_on", models.DateField(blank=True, null=True, verbose_name="落实日期")),
                ("text", models.CharField(blank=True, max_length=500, verbose_name="落实情况")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "责任",
                "verbose_name_plural": "责任清单",
                "ordering": ["state", "due_on", "id"],
                "indexes": [
                    models.Index(condition=models.Q(("state", "open")), fields=["due_on"], name="responsibility_due")
                ],
                "constraints": [models.UniqueConstraint(fields=("project", "measure"), name="responsibility_once")],
            },
        ),
        migrations.CreateModel(
            name="ServiceRating",
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
                        related_name="ratings",
                        to="grids.gridnode",
                        verbose_name="社区",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ratings",
                        to="partybuilding.unit",
                        verbose_name="单位",
                    ),
                ),
                (
                    "side",
                    models.CharField(
                        choices=[("community", "社区评单位"), ("unit", "单位评社区")],
                        max_length=10,
                        verbose_name="评价方",
                    ),
                ),
                (
                    "suborder",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ratings",
                        to="services.suborder",
                        verbose_name="派单",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ratings",
                        to="services.project",
                        verbose_name="项目",
                    ),
                ),
                (
                    "commitment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ratings",
                        to="services.commitment",
                        verbose_name="承诺事项",
                    ),
                ),
                (
                    "grade",
                    models.CharField(
                        choices=[("satisfied", "满意"), ("fairly", "基本满意"), ("dissatisfied", "不满意")],
                        max_length=12,
                        verbose_name="评价",
                    ),
                ),
                ("text", models.CharField(blank=True, max_length=500, verbose_name="意见")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="评价人",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="评价时间")),
            ],
            options={
                "verbose_name": "双向评价",
                "verbose_name_plural": "双向评价",
                "ordering": ["-at", "-id"],
                "indexes": [
                    models.Index(fields=["unit", "side"], name="rating_unit"),
                    models.Index(fields=["community", "side"], name="rating_community"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("commitment__isnull", True), ("project__isnull", True), ("suborder__isnull", False)
                            ),
                            models.Q(
                                ("commitment__isnull", True), ("project__isnull", False), ("suborder__isnull", True)
                            ),
                            models.Q(
                                ("commitment__isnull", False), ("project__isnull", True), ("suborder__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="rating_of_one_service",
                    ),
                    models.UniqueConstraint(fields=("side", "suborder"), name="rating_suborder_once"),
                    models.UniqueConstraint(fields=("side", "project", "unit"), name="rating_project_once"),
                    models.UniqueConstraint(fields=("side", "commitment"), name="rating_commitment_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ServiceRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "checkin",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="services",
                        to="services.membercheckin",
                        verbose_name="党员报到",
                    ),
                ),
                ("served_on", models.DateField(verbose_name="服务日期")),
                ("hours", models.DecimalField(decimal_places=1, max_digits=4, verbose_name="时长（小时）")),
                ("text", models.CharField(max_length=200, verbose_name="服务内容")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("entered", "待确认"),
                            ("sent_back", "退回核对"),
                            ("confirmed", "已确认"),
                            ("dropped", "已删除"),
                        ],
                        default="entered",
                        max_length=12,
                        verbose_name="状态",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="意见")),
                (
                    "entered_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="填写时间"),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="确认时间")),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="确认人",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "服务记录",
                "verbose_name_plural": "服务记录",
                "ordering": ["-served_on", "-id"],
                "indexes": [models.Index(fields=["checkin", "state", "served_on"], name="service_checkin")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("hours__gt", 0), ("hours__lte", 24)), name="service_hours_of_a_day"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "dropped"), _negated=True),
                        fields=("checkin", "served_on", "text"),
                        name="service_once",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="unitcheckin",
            name="brings",
            field=models.CharField(blank=True, max_length=500, verbose_name="带来的资源和服务"),
        ),
        migrations.AddField(
            model_name="unitcheckin",
            name="community_liaison",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="社区联络员",
            ),
        ),
        migrations.AddField(
            model_name="unitcheckin",
            name="number",
            field=models.CharField(blank=True, max_length=20, verbose_name="回执编号"),
        ),
        migrations.AddField(
            model_name="unitcheckin",
            name="unit_liaison",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="单位联络员",
            ),
        ),
        migrations.AddField(
            model_name="unitcheckin",
            name="until",
            field=models.DateField(blank=True, null=True, verbose_name="协议到期"),
        ),
        migrations.AddField(
            model_name="unitcheckin",
            name="version",
            field=models.PositiveIntegerField(default=1, editable=False),
        ),
        migrations.AddConstraint(
            model_name="unitcheckin",
            constraint=models.CheckConstraint(
                condition=models.Q(("until__isnull", True), ("until__gte", models.F("start")), _connector="OR"),
                name="checkin_until_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="unitcheckin",
            constraint=models.UniqueConstraint(
                condition=models.Q(("number", ""), _negated=True), fields=("number",), name="checkin_number"
            ),
        ),
    ]
