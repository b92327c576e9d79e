from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import codes
from core.codes import DivisionLevel, StreetKind
from core.errors import Invalid


@pytest.mark.parametrize(
    ("value", "level", "short"),
    [
        ("61", DivisionLevel.PROVINCE, "61"),
        ("6107", DivisionLevel.CITY, "6107"),
        ("610724", DivisionLevel.COUNTY, "610724"),
        ("610724000000", DivisionLevel.COUNTY, "610724"),
        ("610724001", DivisionLevel.STREET, "610724001"),
        ("610724001001", DivisionLevel.COMMUNITY, "610724001001"),
        (" 6107 2400 1001 ", DivisionLevel.COMMUNITY, "610724001001"),
        ("６１０７２４００１", DivisionLevel.STREET, "610724001"),
    ],
)
def test_a_division_code_is_read_at_its_level(value, level, short):
    code = codes.parse_division_code(value)
    assert (code.level, code.short, len(code.full)) == (level, short, 12)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("", "不是区划代码"),
        ("6107241", "不是区划代码"),
        ("61072400100A", "不是区划代码"),
        ("010724", "省级"),
        ("610024", "第 3、4 位"),
        ("610724000001", "第 7 至 9 位"),
        ("610724600", "不在街道"),
    ],
)
def test_a_wrong_division_code_is_refused_and_says_where(value, word):
    with pytest.raises(Invalid) as refused:
        codes.parse_division_code(value)
    assert word in refused.value.message


def test_a_code_of_another_level_is_refused():
    assert codes.parse_division_code("610724001", level=DivisionLevel.STREET).street_kind is StreetKind.STREET
    with pytest.raises(Invalid) as refused:
        codes.parse_division_code("610724", level=DivisionLevel.STREET)
    assert "县" in refused.value.message
    assert "街道" in refused.value.message


@pytest.mark.parametrize(
    ("street", "kind"),
    [
        ("001", StreetKind.STREET),
        ("099", StreetKind.STREET),
        ("100", StreetKind.TOWN),
        ("199", StreetKind.TOWN),
        ("200", StreetKind.TOWNSHIP),
        ("399", StreetKind.TOWNSHIP),
        ("400", StreetKind.FARM),
        ("406", StreetKind.FARM),
    ],
)
def test_the_kind_of_a_street_follows_from_its_code(street, kind):
    assert codes.parse_division_code(f"220821{street}").street_kind is kind
    assert codes.parse_division_code("220821").street_kind is None


def test_parents_lead_up_to_the_province():
    code = codes.parse_division_code("610724001001")
    chain = []
    while code := code.parent():
        chain.append(code.short)
    assert chain == ["610724001", "610724", "6107", "61"]


def test_a_street_of_a_city_without_counties_lies_in_the_city():
    code = codes.parse_division_code("441900003")
    assert code.level is DivisionLevel.STREET
    assert code.parent().short == "4419"


def test_a_division_contains_what_lies_in_it():
    county = codes.parse_division_code("610724")
    assert county.contains(codes.parse_division_code("610724001001"))
    assert county.contains(county)
    assert not county.contains(codes.parse_division_code("610725001001"))


@given(st.text(max_size=30))
def test_any_text_is_a_division_code_or_refused(value):
    try:
        code = codes.parse_division_code(value)
    except Invalid:
        return
    assert codes.parse_division_code(code.full) == code
    assert code.short.ljust(12, "0") == code.full


def test_grid_codes_are_the_community_and_a_serial():
    assert codes.grid_code("610724001001", 7) == "610724001001007"
    community, serial = codes.parse_grid_code("6107 2400 1001 007")
    assert (community.full, serial) == ("610724001001", 7)


@pytest.mark.parametrize("value", ["610724001001", "610724001001000", "610724001000001", "x"])
def test_a_wrong_grid_code_is_refused(value):
    with pytest.raises(Invalid):
        codes.parse_grid_code(value)


@pytest.mark.parametrize("serial", [0, 1000, -1])
def test_a_serial_out_of_range_is_refused(serial):
    with pytest.raises(Invalid):
        codes.grid_code("610724001001", serial)


def test_the_next_serial_never_reuses_a_retired_code():
    parent = "610724001001"
    taken = [parent + "001", parent + "005", "610724001002009", parent + "0070", parent]
    assert codes.next_serial_code(parent, taken) == parent + "006"
    assert codes.next_serial_code(parent, []) == parent + "001"
    with pytest.raises(Invalid):
        codes.next_serial_code(parent, [parent + "999"])


def test_follow_codes_are_random_and_survive_being_printed_and_typed():
    made = {codes.new_follow_code() for _ in range(200)}
    assert len(made) == 200
    for code in made:
        assert len(code) == 12
        assert code[0] != "0"
        assert codes.parse_follow_code(codes.format_follow_code(code)) == code


def test_a_follow_code_is_shown_in_groups_of_four():
    assert codes.format_follow_code("384729156602") == "3847 2915 6602"


@pytest.mark.parametrize(
    "value", ["3847 2915 6602", "3847-2915-6602", "３８４７　２９１５　６６０２", " 384729156602\n"]
)
def test_a_follow_code_is_read_as_people_type_it(value):
    assert codes.parse_follow_code(value) == "384729156602"


@pytest.mark.parametrize("value", ["", "38472915660", "3847291566021", "3847291566O2", "٣" * 12, "1" * 5000])
def test_what_can_not_be_a_follow_code_is_refused(value):
    with pytest.raises(Invalid) as refused:
        codes.parse_follow_code(value)
    assert "12 位" in refused.value.message


def test_a_matter_code_carries_its_day():
    code = codes.new_matter_code(date(2026, 11, 21))
    assert code.startswith("20261121-")
    assert len(code) == 15
    assert code[9:].isdecimal()
    assert len({codes.new_matter_code(date(2026, 11, 21)) for _ in range(50)}) > 40


def test_place_tokens_are_random_and_can_be_read_aloud():
    made = {codes.new_place_token() for _ in range(200)}
    assert len(made) == 200
    assert not set("".join(made)) & set("0o1liABC")
    for token in made:
        assert len(token) == 10
        assert codes.parse_place_token(f" {token.upper()} ") == token


@pytest.mark.parametrize("value", ["", "abcdefghj", "abcdefghjkm", "abcdefghj0", "../../etc/"])
def test_what_can_not_be_a_place_token_is_refused(value):
    with pytest.raises(Invalid):
        codes.parse_place_token(value)


# Two real, published codes: a company's and an authority's.
@pytest.mark.parametrize("value", ["91350100M000100Y43", "91110000600037341L", " 91350100m000100y43 "])
def test_a_social_credit_code_with_the_right_check_is_read(value):
    assert codes.parse_uscc(value) == value.strip().upper()


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("91350100M000100Y4", "17 位"),
        ("91350100M000100Y44", "校验"),
        ("91350100M00010OY43", "O"),
        ("", "0 位"),
    ],
)
def test_a_wrong_social_credit_code_is_refused_and_says_why(value, word):
    with pytest.raises(Invalid) as refused:
        codes.parse_uscc(value)
    assert word in refused.value.message


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17), st.integers(0, 16), st.integers(1, 30))
def test_one_character_copied_wrongly_is_always_noticed(first17, position, shift):
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    code = first17 + codes.uscc_check_character(first17)
    assert codes.parse_uscc(code) == code
    wrong = alphabet[(alphabet.index(code[position]) + shift) % 31]
    with pytest.raises(Invalid):
        codes.parse_uscc(code[:position] + wrong + code[position + 1 :])


def test_the_same_sending_of_a_form_has_the_same_follow_code_and_only_with_this_portals_key(settings):
    code = codes.follow_code_of("one form")
    assert codes.parse_follow_code(code) == codes.follow_code_of("one form") == code
    assert codes.follow_code_of("another form") != code
    settings.SECRET_KEY = "another portal" * 4
    assert codes.follow_code_of("one form") != code
