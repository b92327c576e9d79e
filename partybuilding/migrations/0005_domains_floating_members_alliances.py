import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("grids", "0006_fewer_indexes_on_places"),
        ("partybuilding", "0004_pairing_guides"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Alliance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alliances",
                        to="grids.county",
                        verbose_name="县",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alliances",
                        to="grids.gridnode",
                        verbose_name="所在地",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("street_committee", "街道大工委"),
                            ("community_committee", "社区大党委"),
                            ("alliance", "党建联盟"),
                        ],
                        max_length=20,
                        verbose_name="类型",
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="名称")),
                ("founded_on", models.DateField(blank=True, null=True, verbose_name="成立日期")),
                ("is_active", models.BooleanField(default=True, verbose_name="在用")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "党建联盟",
                "verbose_name_plural": "党建联盟",
                "ordering": ["node__tree_id", "node__lft", "kind"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_active", True)), fields=("node", "kind"), name="alliance_one_of_a_kind"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AllianceSeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "alliance",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="seats",
                        to="partybuilding.alliance",
                        verbose_name="党建联盟",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("standing_chair", "常任主席"),
                            ("rotating_chair", "轮值主席"),
                            ("part_time", "兼职委员"),
                            ("member", "成员"),
                        ],
                        max_length=20,
                        verbose_name="席位",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="seats",
                        to="partybuilding.unit",
                        verbose_name="所在单位",
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="姓名")),
                ("title", models.CharField(blank=True, max_length=60, verbose_name="职务")),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="账号",
                    ),
                ),
                ("start", models.DateField(default=django.utils.timezone.localdate, verbose_name="任期开始")),
                ("end", models.DateField(blank=True, null=True, verbose_name="任期结束")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "联盟席位",
                "verbose_name_plural": "联盟席位",
                "ordering": ["alliance", "role", "start", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("end__isnull", True), ("end__gte", models.F("start")), _connector="OR"),
                        name="seat_end_after_start",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Station",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stations",
                        to="grids.county",
                        verbose_name="县",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stations",
                        to="grids.gridnode",
                        verbose_name="所在地",
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="驿站名称")),
                ("address", models.CharField(blank=True, max_length=200, verbose_name="地址")),
                (
                    "keeper",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="负责人",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="在用")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "流动党员驿站",
                "verbose_name_plural": "流动党员驿站",
                "ordering": ["node__tree_id", "node__lft", "name"],
                "constraints": [models.UniqueConstraint(fields=("county", "name"), name="station_county_name")],
            },
        ),
        migrations.CreateModel(
            name="FloatingMember",
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
                    "station",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="partybuilding.station",
                        verbose_name="驿站",
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
                ("kept_at", models.CharField(max_length=100, verbose_name="组织关系所在党组织")),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="联系人",
                    ),
                ),
                ("start", models.DateField(default=django.utils.timezone.localdate, verbose_name="登记日期")),
                ("end", models.DateField(blank=True, null=True, verbose_name="离开日期")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "流动党员",
                "verbose_name_plural": "流动党员",
                "ordering": ["station", "-start", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("end__isnull", True)),
                        fields=("county", "phone"),
                        name="floating_phone_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("end__isnull", True), ("end__gte", models.F("start")), _connector="OR"),
                        name="floating_end_after_start",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FloatingContact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "floating",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contacts",
                        to="partybuilding.floatingmember",
                        verbose_name="流动党员",
                    ),
                ),
                ("contacted_on", models.DateField(verbose_name="联系日期")),
                ("text", models.CharField(max_length=300, verbose_name="联系情况")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="记录时间"),
                ),
            ],
            options={
                "verbose_name": "流动党员联系记录",
                "verbose_name_plural": "流动党员联系记录",
                "ordering": ["-contacted_on", "-id"],
            },
        ),
        migrations.AddField(
            model_name="member",
            name="home",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="grids.gridnode",
                verbose_name="居住小区",
            ),
        ),
        migrations.AddField(
            model_name="partyorganisation",
            name="domain",
            field=models.CharField(
                choices=[
                    ("community", "街道社区"),
                    ("department", "机关"),
                    ("institution", "事业单位"),
                    ("school", "学校"),
                    ("hospital", "医院"),
                    ("state_company", "国有企业"),
                    ("non_public", "非公企业"),
                    ("social", "社会组织"),
                    ("industry", "行业"),
                    ("chain", "产业链"),
                    ("park", "园区"),
                    ("compound", "小区"),
                    ("property", "物业"),
                    ("building", "楼宇"),
                ],
                default="community",
                max_length=20,
                verbose_name="所属领域",
            ),
        ),
        migrations.AddField(
            model_name="partyorganisation",
            name="founded_on",
            field=models.DateField(blank=True, null=True, verbose_name="成立日期"),
        ),
        migrations.AddField(
            model_name="partyorganisation",
            name="secretary",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="led",
                to="partybuilding.member",
                verbose_name="书记",
            ),
        ),
        migrations.AddField(
            model_name="partyorganisation",
            name="version",
            field=models.PositiveIntegerField(default=1, editable=False),
        ),
        migrations.AddField(
            model_name="unit",
            name="domain",
            field=models.CharField(
                choices=[
                    ("community", "街道社区"),
                    ("department", "机关"),
                    ("institution", "事业单位"),
                    ("school", "学校"),
                    ("hospital", "医院"),
                    ("state_company", "国有企业"),
                    ("non_public", "非公企业"),
                    ("social", "社会组织"),
                    ("industry", "行业"),
                    ("chain", "产业链"),
                    ("park", "园区"),
                    ("compound", "小区"),
                    ("property", "物业"),
                    ("building", "楼宇"),
                ],
                default="department",
                max_length=20,
                verbose_name="所属领域",
            ),
        ),
    ]
