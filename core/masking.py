"""How personal data is shown to somebody who has not asked to see it in full.

Masking is for the eye only: what is stored stays whole, and showing it whole is an action with a reason and an audit
row (docs/domain.md, section 5; docs/practice.md, section 1). Every function takes anything a person typed and never fails.
"""

import re
import unicodedata

_MOBILE = re.compile(r"1[3-9][0-9]{9}")

# Digits as a phone or a Chinese keyboard writes them; `\d` knows the full-width ones too.
_GAP = r"[ \u3000\-\u2010-\u2015\u2212.·]"
_MOBILE_IN_TEXT = re.compile(
    rf"""(?<!\d)
    (?:(?:\+|00)?86{_GAP}?)?
    (?:
        [1１]\d{{10}}                                  # 13812345678
      | [1１]\d{{2}}{_GAP}\d{{4}}{_GAP}?\d{{4}}        # 138 1234 5678, 138-12345678
      | [1１]\d{{3}}{_GAP}\d{{3}}{_GAP}\d{{4}}         # 1381 234 5678
      | [1１]\d{{4}}{_GAP}\d{{6}}                      # 13812 345678
      | [1１]\d{{6}}{_GAP}\d{{4}}                      # 1381234 5678
    )
    (?!\d)""",
    re.VERBOSE,
)
_LANDLINE_IN_TEXT = re.compile(rf"(?<!\d)[0０]\d{{2,3}}{_GAP}?\d{{7,8}}(?!\d)")
_IDENTITY_IN_TEXT = re.compile(r"(?<!\d)[1-9１-９]\d{16}[\dXxＸｘ](?![\dXxＸｘ])")

_IN_GROUPS = re.compile(rf"(?<=\d){_GAP}+(?=[\dXxＸｘ])")

_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_CHECKS = "10X98765432"


def is_mobile(value: str) -> bool:
    """Whether `value` is a mainland mobile number as it is stored: 11 ASCII digits, nothing around them."""
    return _MOBILE.fullmatch(value) is not None


def mask_phone(phone: str | None) -> str:
    """The number with its first 3 and last 4 digits left: 138****5678.

    At least four digits are always hidden: a number too short for 3 + 4 keeps its last two, a very short one nothing.
    """
    digits = _plain(phone or "")
    digits = "".join(char for char in digits if char.isdigit())
    if len(digits) == 13 and digits.startswith("86") and is_mobile(digits[2:]):
        digits = digits[2:]
    if len(digits) >= 11:
        return f"{digits[:3]}****{digits[-4:]}"
    if len(digits) >= 6:
        return f"****{digits[-2:]}"
    return "****" if (phone or "").strip() else ""


def mask_name(name: str | None) -> str:
    """The name with its second character hidden: 张*, 张*丰, 欧*修文.

    Where that would hide nothing the rule is another: a name of one character is hidden whole, one longer than four
    (买买提·吐尔逊) keeps its first and last, one in Latin letters (Li Ming) the first letter of each word.
    """
    text = " ".join((name or "").split())
    if not text:
        return ""
    if all(char.isascii() or _is_latin(char) for char in text):
        return " ".join(word[0] + "***" if len(word) > 1 else "*" for word in text.split(" "))
    if len(text) == 1:
        return "*"
    if len(text) <= 4:
        return f"{text[0]}*{text[2:]}"
    return f"{text[0]}***{text[-1]}"


def scrub_phone_numbers(text: str | None) -> str:
    """Free text with every mobile and landline number in it masked.

    Finds numbers in one piece or in the usual groups (138 1234 5678, 138-1234-5678, +86 ...), in ASCII or full-width
    digits. Longer runs of digits (codes, identity numbers) are left as they are.
    """
    text = _MOBILE_IN_TEXT.sub(_mask_mobile, text or "")
    return _LANDLINE_IN_TEXT.sub(lambda found: mask_phone(found.group()), text)


def scrub_identity_numbers(text: str | None) -> str:
    """Free text with every identity number in it hidden, recognised by its check digit (GB 11643)."""
    return _IDENTITY_IN_TEXT.sub(
        lambda found: "*" * 18 if is_identity_number(found.group()) else found.group(), text or ""
    )


def names_a_number(text: str | None) -> bool:
    """Whether a telephone number or an identity number stands in free text, in one piece or in groups: for texts that
    must not hold one at all. An identity number with a slip in it counts as well.
    """
    text = text or ""
    whole = _IN_GROUPS.sub("", text)
    if _IDENTITY_IN_TEXT.search(text) or scrub_identity_numbers(whole) != whole:
        return True
    return scrub_phone_numbers(text) != text


def is_identity_number(value: str) -> bool:
    """Whether `value` is an 18-character identity number: 17 digits and the check character they give."""
    value = _plain(value).upper()
    if not re.fullmatch(r"[0-9]{17}[0-9X]", value):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(value[:17], _IDENTITY_WEIGHTS, strict=True))
    return _IDENTITY_CHECKS[total % 11] == value[17]


def _mask_mobile(found: re.Match[str]) -> str:
    digits = "".join(char for char in _plain(found.group()) if char.isdigit())
    return mask_phone(digits) if is_mobile(digits[-11:]) else found.group()


def _plain(text: str) -> str:
    """Full-width digits and letters as ASCII."""
    return unicodedata.normalize("NFKC", text)


def _is_latin(char: str) -> bool:
    return unicodedata.name(char, "").startswith("LATIN ")
