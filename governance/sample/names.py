"""Names and telephone numbers anybody can see are invented: 王三七, 李甲子; 199 0000 xxxx."""

from itertools import product

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚"
# Figures in pairs, and the sexagenary cycle's stems with its branches: nobody is called so.
GIVEN = (
    *("".join(pair) for pair in product("一二三四五六七八九十", repeat=2)),
    *("".join(pair) for pair in product("甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥")),
)
_ALL = len(SURNAMES) * len(GIVEN)
# Shares no divisor with _ALL: the walk visits every combination once before any comes again.
_STRIDE = 4889

# Compounds: two characters of a plant or a view, and what housing is called.
_VIEWS = [
    *("青禾", "云杉", "望月", "听溪", "知春", "晴川", "梧桐", "白鹭", "丹枫", "银杏"),
    *("翠竹", "映雪", "采薇", "芳草", "松风", "明湖", "碧波", "兰亭", "金桂", "海棠"),
    *("紫藤", "石榴", "向阳", "春晖", "秋实", "清泉", "半山", "长堤", "古井", "新雨"),
]
_KINDS = ["小区", "家园", "花园", "苑", "新村", "公寓", "里", "院"]
COMPOUNDS = tuple(view + kind for kind, view in product(_KINDS, _VIEWS))

SIGN_IN_GIVEN = "示例"


def person(number: int) -> str:
    """The `number`-th invented name; the first 14,080 all differ."""
    place = number * _STRIDE % _ALL
    return SURNAMES[place % len(SURNAMES)] + GIVEN[place // len(SURNAMES)]


def phone(number: int) -> str:
    """The sign-in number of the `number`-th account: 199 0000 0001 and on (below 90,000)."""
    return f"199000{number:05d}"


def resident_phone(number: int) -> str:
    """A number for a resident to be called at; never the sign-in of an account."""
    return f"1990009{number % 10_000:04d}"
