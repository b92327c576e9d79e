"""Columns found in a table, dates decided per file, columns no import may carry, the report."""

import json
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from core.spreadsheets import (
    MEMBER_ROSTER,
    Column,
    DateOrder,
    Report,
    RowError,
    bind_columns,
    decide_date_order,
    forbidden_headers,
    refuse_forbidden,
    table_of,
    why_not_said,
)
from core.spreadsheets.numbers import whole_number

COLUMNS = (
    Column("code", "编号", required=True),
    Column("day", "日期", kind="date"),
    Column("kind", "类别", aliases=("性质", "分类"), choices=("投诉", "咨询")),
    Column("title", "标题", required=True, max_length=10),
    Column("body", "内容", kind="text", max_length=50),
)


def table(text: str):
    return table_of(text.encode(), filename="a.csv", columns=COLUMNS)


def bound(text: str, **options):
    return bind_columns(table(text), COLUMNS, **options)


def records(text: str):
    return list(bound(text).records())


# --- Columns ---


def test_columns_are_found_whatever_their_order_and_marks():
    read = bound("＊标 题（必填）,分类：,编 号*,备注,答复\na,咨询,1,x,y\n")
    assert read.ignored == ("备注", "答复")
    record = next(read.records())
    assert record.values == {"code": "1", "day": None, "kind": "咨询", "title": "a", "body": ""}
    assert (record.text("title"), record.day("day"), record.errors) == ("a", None, [])
    assert read.has("kind")
    assert not read.has("day")


def test_a_missing_required_column_is_named_with_what_was_found_instead():
    with pytest.raises(Invalid) as refused:
        bound("编号,题目\n1,a\n")
    assert "“标题”" in refused.value.message
    assert "“题目”" in refused.value.message
    assert "第 1 行" in refused.value.message


def test_a_column_that_is_there_twice_is_refused_with_both_places():
    with pytest.raises(Invalid) as refused:
        bound("编号,标题,性质,分类\n1,a,投诉,咨询\n")
    assert "C 列“性质”" in refused.value.message
    assert "D 列“分类”" in refused.value.message
    with pytest.raises(Invalid, match="标题重复"):
        bound("编号,标题,标题\n1,a,b\n")
    assert bound("编号,标题,备注,备注\n1,a,b,c\n").ignored == ("备注", "备注")


def test_an_alias_beside_the_column_itself_is_a_column_nobody_asked_for():
    read = bound("编号,标题,性质,类别\n1,a,求助,咨询\n")
    assert read.ignored == ("性质",)
    assert [record.text("kind") for record in read.records()] == ["咨询"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("社区“两委”干部",) * 2,
        ("社区两委干部", "社区“两委”干部"),
        ('社区 "两委" 干部', "社区“两委”干部"),
        ("两委", "社区“两委”干部"),
    ],
)
def test_a_choice_is_known_by_its_other_words_and_whatever_its_quotes(written, meant):
    column = Column("post", "岗位", choices=("网格员", "社区“两委”干部"), synonyms={"两委": "社区“两委”干部"})
    assert column.choice(written) == meant
    with pytest.raises(Invalid, match="可选：网格员、社区“两委”干部"):
        column.choice("书记")


def test_every_fault_of_a_row_is_told_and_the_other_rows_are_read():
    bad, good = records("编号,日期,类别,标题,内容\n,昨天,表扬,字字字字字字字字字字字,x\n2,2026-03-05,投诉,b,y\n")
    assert [(error.row, error.column) for error in bad.errors] == [(2, "编号"), (2, "日期"), (2, "类别"), (2, "标题")]
    assert "必填" in bad.errors[0].message
    assert "可选：投诉、咨询" in bad.errors[2].message
    assert "最多 10 字，现在有 11 字" in bad.errors[3].message
    assert bad.errors[2].value == "表扬"
    assert good.errors == []
    assert good.day("day") == date(2026, 3, 5)


def test_a_fault_in_a_column_nobody_wants_does_not_matter():
    record = records("编号,标题,代码\n1,a,6.1E+11\n")[0]
    assert record.errors == []
    slipped = records("编号,标题\n1,a,b\n")[0]
    assert "多出 1 格" in slipped.errors[0].message


def test_text_keeps_its_lines_and_a_line_does_not():
    record = records('编号,标题,内容\n1,"a\nb","c\nd"\n')[0]
    assert record.text("title") == "a b"
    assert record.text("body") == "c\nd"


def test_the_column_of_errors_from_an_earlier_round_means_nothing():
    assert bound("编号,标题,错误信息\n1,a,标题太长\n").ignored == ()


# --- Dates ---


@pytest.mark.parametrize(
    "value",
    [
        "2020-09-03",
        "2020/9/3",
        "2020.9.3",
        "2020年9月3日",
        "2020年09月03日 星期四",
        "20200903",
        "２０２０－０９－０３",
        "2020-09-03 10:20",
        "2020-09-03T10:20:30+08:00",
        "2020/9/3 上午 10:20:30",
        "2020年9月3日10时20分",
        "2020年9月3日10点20分",
        "2020年9月3号",
        "2020年9月3号 上午10点",
        "2020 09 03",
        "2020. 9. 3",
        "2020.9.3 10:20",
        "20200903102033",
        "202009031020",
        "20200903 10:20:33",
        "44077",
        "44077.5",
        datetime(2020, 9, 3),  # noqa: DTZ001
        datetime(2020, 9, 3, 23, 59),  # noqa: DTZ001
    ],
)
def test_a_date_with_the_year_first_is_read_as_it_stands(value):
    reading = decide_date_order([value])
    assert reading.parse(value) == date(2020, 9, 3)
    assert (reading.order, reading.proven) == (DateOrder.YMD, True)


@settings(max_examples=60)
@given(
    day=st.dates(date(1900, 1, 1), date(2199, 12, 31)),
    form=st.sampled_from(
        [
            *("{0:04}-{1}-{2}", "{0:04}/{1:02}/{2:02}", "{0:04}.{1}.{2}", "{0:04} {1:02} {2:02}", "{0:04}年{1}月{2}日"),
            *("{0:04}年{1:02}月{2:02}号", "{0:04}{1:02}{2:02}", "{1}/{2}/{0:04}"),
        ]
    ),
    hours=st.sampled_from(
        ["", " {0}:{1:02}", " {0:02}:{1:02}:07", "T{0:02}:{1:02}:07.5Z", " 上午{0}点{1}分", " {0}时"]
    ),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
)
def test_however_a_day_is_written_it_is_that_day(day, form, hours, hour, minute):
    # Month first is proved by its own file.
    reading = decide_date_order(["12/31/2020"])
    written = form.format(day.year, day.month, day.day) + hours.format(hour, minute)
    assert reading.parse(written) == day


@pytest.mark.parametrize("empty", ["", "  ", "\u3000"])
def test_an_empty_cell_is_no_date_and_no_fault(empty):
    assert decide_date_order([empty]).parse(empty) is None


def test_one_date_proves_the_order_of_its_whole_file():
    reading = decide_date_order(["2020-09-03", "09/03/2016", "09/23/2016", "不详"])
    assert (reading.order, reading.proven) == (DateOrder.MDY, True)
    assert reading.parse("09/03/2016") == date(2016, 9, 3)
    assert "月/日/年" in reading.sentence
    assert reading.parse("2020-09-03") == date(2020, 9, 3)

    reading = decide_date_order(["03/09/2016", "23/09/2016"])
    assert (reading.order, reading.proven) == (DateOrder.DMY, True)
    assert reading.parse("03/09/2016") == date(2016, 9, 3)
    assert "日/月/年" in reading.sentence


def test_without_proof_the_default_is_taken_and_said():
    reading = decide_date_order(["09/03/2016", "1/2/2016 10:20:00 AM"])
    assert (reading.order, reading.proven) == (DateOrder.MDY, False)
    assert reading.parse("1/2/2016 10:20:00 AM") == date(2016, 1, 2)
    assert "请核对" in reading.sentence
    assert decide_date_order(["09/03/2016"], default=DateOrder.DMY).parse("09/03/2016") == date(2016, 3, 9)


def test_a_file_that_proves_both_orders_reads_only_what_proves_itself():
    reading = decide_date_order(["09/23/2016", "23/09/2016", "01/02/2016"])
    assert reading.order is DateOrder.MIXED
    assert reading.parse("09/23/2016") == reading.parse("23/09/2016") == date(2016, 9, 23)
    with pytest.raises(Invalid) as refused:
        reading.parse("01/02/2016")
    assert "分不清" in refused.value.message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("昨天", "不是日期"),
        ("2020-02-30", "不存在"),
        ("13/13/2016", "不存在"),
        ("0000-01-01", "不存在"),
        ("0016-09-03", "不合常理"),
        ("9999-01-01", "不合常理"),
        ("9/3/16", "四位年份"),
        ("2020-09", "不是日期"),
        ("20200903992033", "不是日期"),
        ("2020090310", "不是日期"),
        ("2020-9-310:20", "不是日期"),
        ("2020 0903", "不是日期"),
        ("2020-09-03-04", "不是日期"),
        ("٢٠٢٠-٠٩-٠٣", "不是日期"),
    ],
)
def test_what_is_no_date_is_a_fault_that_says_why(value, words):
    with pytest.raises(Invalid) as refused:
        decide_date_order([value]).parse(value)
    assert words in refused.value.message


def test_bare_numbers_are_counted_from_the_workbooks_own_first_day():
    assert decide_date_order([], dates_from_1904=True).parse("42615") == date(2020, 9, 3)


@given(st.lists(st.dates(date(1990, 1, 1), date(2100, 1, 1)), min_size=1), st.sampled_from(["%m/%d/%Y", "%d/%m/%Y"]))
def test_a_file_in_one_order_is_never_misread_once_it_proves_it(days, form):
    days.append(date(2016, 9, 23))
    reading = decide_date_order([day.strftime(form) for day in days])
    assert [reading.parse(day.strftime(form)) for day in days] == days


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_refused(value):
    try:
        day = decide_date_order([value]).parse(value)
    except Invalid:
        return
    assert day is None or date(1900, 1, 1) <= day <= date(2199, 12, 31)


def test_the_order_of_the_dates_is_part_of_what_a_person_is_told():
    read = bound("编号,标题,日期\n1,a,09/23/2016\n")
    assert read.date_order == "MDY"
    assert any("月/日/年" in note for note in read.notes)
    assert bound("编号,标题\n1,a\n").date_order == ""


# --- Columns that no import may carry ---


@pytest.mark.parametrize(
    "header",
    [
        "民族",
        "*民 族",
        "宗教信仰",
        "政治面貌",
        "是否信访户",
        "上访次数",
        "犯罪记录",
        "刑满释放人员",
        "社区矫正对象",
        "是否吸毒",
        "精神障碍等级",
        "重点人员类别",
        "身份证号",
        "身份证\n号码",
        "证件号码",
        "ＩＤ Card",
        "车牌号",
        "处分情况",
        "民.族",
        "备注（信 访）",
        "民族团结/民族",
        "信教群众",
        "越级访记录",
        "缓刑考验期",
        "禁毒对象",
        "精神残疾",
        "既往病史",
        "三色预警",
        "重点对象",
        "信用积分",
        "机动车号牌",
    ],
)
def test_a_column_the_portal_does_not_hold_is_named_with_its_reason(header):
    found = forbidden_headers(["姓名", header, "电话"])
    assert [each.header for each in found] == [header]
    assert found[0].reason


@pytest.mark.parametrize(
    "header",
    [
        "姓名",
        "手机号",
        "楼栋",
        "残疾类别",
        "低保",
        "高龄独居",
        "精神文明单位",
        "视力矫正",
        "统一社会信用代码",
        "党支部",
        "内容",
        "民族团结",
        "关爱类别",
        "残疾人",
        "退役军人家庭",
        "最近走访日期",
        "需要陪同就医",
    ],
)
def test_ordinary_columns_and_care_needs_are_taken(header):
    assert forbidden_headers([header]) == []


@pytest.mark.parametrize("text", ["301（刑满释放）", "信访户", "张三（重点人员）", "家里信 教", "吸毒史", "精神病"])
def test_what_a_column_may_not_hold_no_line_of_text_may_say_either(text):
    assert why_not_said(text).startswith("平台不")


@pytest.mark.parametrize("text", ["民族路 3 号 2 单元 301", "张信", "患病在家，需要送药", "指纹锁坏了，帮忙联系", ""])
def test_an_address_and_an_illness_may_be_spoken_of(text):
    assert why_not_said(text) == ""


def test_a_roster_of_members_may_repeat_that_they_are_members_and_nothing_more():
    assert forbidden_headers(["姓名", "政治面貌"], allowed=MEMBER_ROSTER) == []
    assert [each.header for each in forbidden_headers(["政治面貌", "民族"], allowed=MEMBER_ROSTER)] == ["民族"]


def test_a_file_with_such_a_column_is_refused_whole_with_every_reason():
    with pytest.raises(Invalid) as refused:
        bound("编号,标题,民族,身份证号\n1,a,x,y\n")
    assert refused.value.code == "forbidden_columns"
    for words in ("“民族”", "“身份证号”", "不登记民族", "证件号码", "没有保存任何内容"):
        assert words in refused.value.message
    refuse_forbidden(["编号", "标题"])


# --- The report ---


def test_a_report_survives_being_stored_as_json():
    report = Report(total=3, created=1, skipped=1, errors=[RowError(2, "标题", "必填", "")], ignored_columns=("答复",))
    report.errors += [RowError(2, "", "多出 1 格"), RowError(4, "日期", "不是日期", "昨天")]
    again = Report.from_dict(json.loads(json.dumps(report.as_dict())))
    assert again.as_dict() == report.as_dict()
    assert again.bad_rows == 2
    assert again.errors[2] == RowError(4, "日期", "不是日期", "昨天")


def test_an_error_keeps_no_telephone_or_identity_number():
    error = RowError(2, "联系方式", "不对", "张三13812345678，证件110105199001010010，" + "很长" * 100)
    assert "13812345678" not in error.value
    assert "110105199001010010" not in error.value
    assert len(error.value) <= 60


# --- Words for choices, numbers ---


def test_other_words_for_a_choice_are_read_as_the_choice():
    columns = (Column("code", "编号"), Column("kind", "类别", choices=("投诉",), synonyms={"举报": "投诉"}))
    read = bind_columns(table_of("编号,类别\na,举报\nb,表扬\n".encode(), filename="a.csv", columns=columns), columns)
    first, second = read.records()
    assert first.text("kind") == "投诉"
    assert second.errors


@pytest.mark.parametrize(
    ("text", "value"), [("", None), ("12", 12), ("1,200户", 1200), ("２ 部", 2), ("3.0", 3), ("0", 0)]
)
def test_a_number_is_read_as_it_is_written(text, value):
    assert whole_number(text) == value


@pytest.mark.parametrize("text", ["约30", "3.5", "十二", "-1", "3-5", "1e3", "12万"])
def test_what_may_mean_another_number_is_none(text):
    with pytest.raises(Invalid):
        whole_number(text)
