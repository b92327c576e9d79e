import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.masking import (
    is_identity_number,
    is_mobile,
    mask_name,
    mask_phone,
    scrub_identity_numbers,
    scrub_phone_numbers,
)

MOBILE = "13812345678"
# Invented; only the check digit is right.
IDENTITY = "110105199001010010"


@pytest.mark.parametrize("value", ["13812345678", "19900000000"])
def test_a_mobile_number_is_recognised(value):
    assert is_mobile(value)


@pytest.mark.parametrize(
    "value",
    ["12812345678", "1381234567", "138123456789", " 13812345678", "13812345678\n", "１３８１２３４５６７８", ""],
)
def test_anything_else_is_no_mobile_number(value):
    assert not is_mobile(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("13812345678", "138****5678"),
        ("138 1234 5678", "138****5678"),
        ("+86 138-1234-5678", "138****5678"),
        ("１３８１２３４５６７８", "138****5678"),
        ("0916-6212345", "091****2345"),
        ("6212345", "****45"),
        ("110", "****"),
        ("无", "****"),
        ("", ""),
        ("  ", ""),
        (None, ""),
    ],
)
def test_a_phone_number_keeps_three_and_four(value, shown):
    assert mask_phone(value) == shown


@given(st.text("0123456789", min_size=1, max_size=20))
def test_a_masked_number_always_hides_at_least_four_digits(digits):
    shown = mask_phone(digits)
    assert "****" in shown
    assert sum(char.isdigit() for char in shown) <= max(len(digits) - 4, 0)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"),
        ("张三丰", "张*丰"),
        ("欧阳修文", "欧*修文"),
        ("张", "*"),
        ("买买提·吐尔逊", "买***逊"),
        ("Li Ming", "L*** M***"),
        ("José", "J***"),
        ("X", "*"),
        ("  张三 ", "张*"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_name_hides_its_second_character(name, shown):
    assert mask_name(name) == shown


@given(st.text(min_size=1, max_size=30))
def test_a_masked_name_is_never_the_name(name):
    assert mask_name(name) != name or not name.strip() or "*" in name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"请打{MOBILE}联系", "请打138****5678联系"),
        ("请打138 1234 5678联系", "请打138****5678联系"),
        ("请打138-1234-5678。", "请打138****5678。"),
        ("电话+8613812345678", "电话138****5678"),
        ("电话１３８１２３４５６７８", "电话138****5678"),
        (f"{MOBILE},{MOBILE}", "138****5678,138****5678"),
        ("座机0916-6212345", "座机091****2345"),
    ],
)
def test_phone_numbers_in_free_text_are_masked(text, shown):
    assert scrub_phone_numbers(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "编号20261121-482913",
        "查询码 384729156602",
        "社区代码 610724001001",
        f"证件{IDENTITY}",
        "2026-11-21 14:30 修了 15 个路灯",
        "金额12812345678元",
        "",
    ],
)
def test_other_numbers_in_free_text_are_left_alone(text):
    assert scrub_phone_numbers(text) == text


@given(st.text(), st.text())
def test_a_mobile_number_never_survives_scrubbing(before, after):
    text = f"{before} ，{MOBILE}， {after}"
    assert MOBILE not in scrub_phone_numbers(text)


def test_an_identity_number_is_known_by_its_check_digit():
    assert is_identity_number(IDENTITY)
    assert is_identity_number("11010519491231002x")
    assert not is_identity_number(IDENTITY[:-1] + "3")
    assert not is_identity_number("20261121482913000")


def test_identity_numbers_in_free_text_are_hidden_and_other_long_numbers_are_not():
    assert scrub_identity_numbers(f"证件 {IDENTITY}，谢谢") == "证件 ******************，谢谢"
    order_number = IDENTITY[:-1] + "3"
    assert scrub_identity_numbers(f"订单 {order_number}") == f"订单 {order_number}"
