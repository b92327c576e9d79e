import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.text import clean_line, clean_text, ellipsis, first_line


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, ""),
        ("   ", ""),
        ("\u3000路灯坏了\u3000", "路灯坏了"),
        ("一\r\n二\r三\u2028四", "一\n二\n三\n四"),
        ("一  \n\n\n\n二", "一\n\n二"),
        ("路\x00灯\x07坏\x1b了", "路灯坏了"),
        ("路\u200b灯\ufeff坏\u202e了", "路灯坏了"),
        ("坏\ud800了", "坏了"),
        ("Cafe\u0301", "Café"),
        ("👨\u200d👩\u200d👧 好", "👨\u200d👩\u200d👧 好"),
    ],
)
def test_text_is_cleaned_before_it_is_stored(value, kept):
    assert clean_text(value, max_length=100, label="内容") == kept


def test_text_of_exactly_the_limit_is_taken_and_one_more_is_refused_with_both_numbers():
    assert clean_text("字" * 500, max_length=500, label="内容") == "字" * 500
    with pytest.raises(Invalid) as refused:
        clean_text("字" * 100_000, max_length=500, label="内容")
    assert "内容" in refused.value.message
    assert "500" in refused.value.message
    assert "100000" in refused.value.message


def test_what_is_cleaned_away_does_not_count():
    assert clean_text("字" * 5 + " \x00" * 50, max_length=5, label="内容") == "字" * 5


def test_an_empty_required_text_is_refused_by_name():
    assert clean_text("", max_length=5, label="标题") == ""
    with pytest.raises(Invalid) as refused:
        clean_text(" \u200b ", max_length=5, label="标题", required=True)
    assert "标题" in refused.value.message


def test_a_line_is_one_line():
    assert clean_line(" 张\n 三\t丰 ", max_length=10, label="姓名") == "张 三 丰"
    with pytest.raises(Invalid):
        clean_line("字" * 11, max_length=10, label="姓名")


@given(st.text())
def test_cleaning_twice_changes_nothing_and_leaves_nothing_invisible(value):
    once = clean_text(value, max_length=10**6, label="内容")
    assert clean_text(once, max_length=10**6, label="内容") == once
    assert not [char for char in once if char not in "\n\t" and unicodedata.category(char) in {"Cc", "Cs"}]
    once.encode()
    line = clean_line(value, max_length=10**6, label="内容")
    assert clean_line(line, max_length=10**6, label="内容") == line
    assert "\n" not in line


def test_long_text_is_cut_with_an_ellipsis_within_the_length():
    assert ellipsis("路灯坏了", 4) == "路灯坏了"
    assert ellipsis("路灯坏了请修", 4) == "路灯坏…"
    assert ellipsis("路灯", 0) == ""


def test_the_first_line_that_says_something_makes_a_title():
    assert first_line("\n \n 路灯 坏了\n请修", 20) == "路灯 坏了"
    assert first_line("路灯坏了请修", 4) == "路灯坏…"
    assert first_line(" \n", 4) == ""
