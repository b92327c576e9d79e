"""What counts how much when a demand and a resource are held together. One table; whole points, a hundred in all.

Whether a resource is the right kind of help (category, words) outweighs everything else together (70 against 30): a unit
that is near, idle and reliable is no answer to a demand it has nothing for.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from services.models import ResourceKind


@dataclass(frozen=True)
class Weight:
    """One line of the table.

    Attributes:
        label: as the guide and the page name it.
        most: points for the best case.
        why: why it counts, and why that much.
    """

    label: str | Promise
    most: int
    why: str | Promise


CATEGORY = Weight(_("类别相同"), 30, _("类别是社区受理时定的，最可靠；但一个类别里事情很杂，单凭类别不推荐。"))
WORDS = Weight(_("文字相近"), 40, _("说的是不是同一件事，要看文字；少见的词比常见的词说明问题。"))
PLACE = Weight(_("地点接近"), 10, _("专给这个小区的，先用在这个小区；全街道都能用的，留给别处也行。"))
WHEN = Weight(_("时间合适"), 5, _("不在可用期内的根本不推荐；可用期盖得住办理期限的，稳妥一些。"))
LOAD = Weight(_("单位负担"), 8, _("手上事少的单位接得快，也不把事情都压给同一个单位。"))
KEPT = Weight(_("承诺兑现"), 7, _("过去说到做到的优先；没有记录的按中等算，不吃亏也不占便宜。"))
ALL = (CATEGORY, WORDS, PLACE, WHEN, LOAD, KEPT)

# A resource that names no category may be anything: the words must say.
CATEGORY_OPEN = 12
# Evidence of words at which about two thirds of the points are given: two rare words, or four ordinary ones.
WORDS_SCALE = 14.0
# What a word counts however common it is in the list: where half of a community asks for parking, parking still means parking.
WORD_LEAST = 2.0
# A word in the demand's title says more than the same word in its text.
TITLE_TIMES = 1.5
# A text of so many pairs of characters is read in full; of a longer one each word says less, for some word of three hundred
# characters is met by chance.
TEXT_FULL = 50
# The nearer the place a resource is meant for, the better: inside a community, a community, a street.
PLACE_NEAR, PLACE_COMMUNITY, PLACE_STREET = 10, 7, 4
# Usable, but not up to the day by which the demand should be done.
WHEN_PART = 2
# A point less for every so many matters in hand.
LOAD_STEP = 1
# What the community itself has is in nobody's hands.
LOAD_OWN = 8

# Where the words share less than this, nothing is proposed, however well everything else is: a vaccination is no answer to
# an old man who wants visitors, though both are 困难帮扶. One rare word of a title or a short text is enough.
WORDS_LEAST = 12
# Nor is anything below so many points in all.
FLOOR = 55
# From these on a score is called so; the last word is for what is just above the floor.
GRADES = ((80, _("很合适")), (70, _("合适")), (0, _("可以考虑")))

# How many demands one resource may serve in one run at the most, however much of it there is: a proposal is a promise in
# somebody's name. Money is not cut up by a program.
MOST_PER_RUN = {
    ResourceKind.PEOPLE: 5,
    ResourceKind.SKILL: 5,
    ResourceKind.SERVICE: 5,
    ResourceKind.PLACE: 3,
    ResourceKind.EQUIPMENT: 3,
    ResourceKind.MONEY: 1,
}


def grade(score: int) -> str:
    """A score in words."""
    return next(str(words) for least, words in GRADES if score >= least)
