"""Whether a word can only be a verb, as far as short lists and endings tell."""

from __future__ import annotations

from rewards.wordlists import PRONOUNS, STOP_WORDS

_AUXILIARIES = frozenset(
    "am is are was were be been being has have had do does did can could may might must shall should will"
    " would let isn't aren't wasn't weren't hasn't haven't hadn't don't doesn't didn't can't couldn't won't"
    " wouldn't shouldn't let's".split()
)
#: Verbs in their base form, without those that open a sentence as a noun as often (`water`, `plan`).
_VERBS = frozenset(
    "abandon absorb accelerate accept accompany accomplish achieve acknowledge acquire activate adapt add"
    " address adjust admire admit adopt advise affirm agree aim align allocate allow alter amplify analyze"
    " analyse announce anticipate apologize appear apply appoint appreciate approach approve argue arise"
    " arrange arrive ascend ask assemble assert assess assign assist assume assure attach attain attempt"
    " attend avoid await awaken bake banish be become beg begin behold believe belong bend bless blend boil"
    " borrow bring build buy calculate carry carve categorize cease celebrate choose circulate cite clarify"
    " classify climb close collaborate collect combine come commence communicate compare compile complete"
    " compose comprehend compute conceive concentrate conclude conduct confirm connect conquer consider"
    " consist construct consult contain contemplate continue contribute convert convey convince cook correct"
    " count craft create cultivate dare decide declare decorate decrease define delegate deliver demonstrate"
    " deny depart depend depict deploy derive descend describe deserve destroy detect determine develop"
    " devise dig disable discover discuss dismiss display distribute dive divide draft drag draw dream drink"
    " drive earn eat edit educate elaborate eliminate embark embed embody embrace emerge emphasize employ"
    " empower enable encounter encourage endure engage enhance enjoy enlarge ensure enter entertain envision"
    " equip erase escape establish evaluate evolve examine exclude execute exhibit exist expand expect"
    " explain explore expose extend extract facilitate fall fasten feel fetch fill find finish fix flee fly"
    " fold follow forget forgive form formulate foster found gain gather gaze generate get give go grab grasp"
    " greet grow guarantee guess guide happen harness hear heed help hesitate hide highlight hire hold"
    " identify ignore illuminate illustrate imagine immerse implement imply improve include incorporate"
    " increase indicate infer inform inhale initiate insert insist inspect inspire install integrate"
    " interpret introduce invent invest investigate invite involve join jump justify keep kneel know lay lead"
    " learn leave lend leverage lie listen locate look lose love maintain make manage maximize mean measure"
    " meet memorize mention minimize mix modify monitor move multiply navigate need negotiate note notice"
    " obey observe obtain occur offer omit open operate opt optimize order organize overcome owe participate"
    " pause pay perceive perform permit persist place play please plunge point pour practice pray predict"
    " prefer prepare present preserve pretend prevent prioritize proceed produce promote prompt propose"
    " protect prove provide publish pull pursue push put raise reach read realize recall receive recognize"
    " recommend reconsider record reduce refer refine reflect refuse regard register reinforce reject relax"
    " relocate rely remain remember remind remove render repair repeat replace reply represent require"
    " research resist resolve respect respond rest restore retain retrieve return reveal review revise"
    " rewrite ride rise run save say scan search see seek seem seize select sell send separate serve set"
    " settle share shift show shut simplify sing sit skip sleep slip solve sort spare speak specify spend"
    " spread stand start state stay steal stick stir stop store strengthen strive submit subtract succeed"
    " suggest summarize supply support suppose surround survive swim take talk teach tell tend test thank"
    " think thrive throw touch track transform translate transport travel treat trust try turn unbox uncover"
    " understand undertake unfold unite unleash unlock unravel unveil update upgrade use utilize validate"
    " vanish verify view visit visualize wait wake walk wander want watch wear weave weigh welcome whip whir"
    " whisper win wish witness wonder work worry write yield".split()
)
_IRREGULAR = frozenset(
    "became began brought built bought came chose did drew drove ate fell felt found flew forgot gave went"
    " got grew had heard held kept knew led left lent lost made meant met paid put ran read rose said sat saw"
    " seen sent shown sold spent spoke spoken stood stolen swam taken taught thought threw thrown told took"
    " understood was were won wore woven written wrote given known done gone driven".split()
)
_WITH_OF = frozenset("beware conceive consist dispose dream hear know learn speak tell think".split())
_OTHERS = frozenset(
    "absolutely actually again ahead alas also although always and another answer apparently as because"
    " before below certainly chapter clearly consequently course dear definitely despite during every"
    " everyone finally first firstly fortunately furthermore generally good great greetings hello hence hey"
    " hi however if in indeed initially instead introduction it's last lastly later likewise many maybe"
    " meanwhile moreover most mr mrs much my naturally never nevertheless next no none nothing now of oh ok"
    " okay on once one only overall part people perhaps photosynthesis possibly prior probably question"
    " rather really regarding response scene second secondly section several similarly since so some"
    " something sometimes somewhere soon still subject summary sure surely therefore these third thus title"
    " today together tomorrow tonight two typically unfortunately unlike until upon usually very we well what"
    " when where whether which while who why with without yes yesterday yet".split()
)
_NO_GERUND = frozenset(
    "anything bring building ceiling darling during evening everything fling king morning nothing pudding"
    " ring shilling sibling sing something spring sting string swing thing wedding wing".split()
)
_NO_VERB_ENDINGS = ("tion", "sion", "ness", "ment", "ity", "ism", "ology", "ly", "ful", "ous", "able", "ible", "ical")
_VERBS_ZH = tuple(
    "请 让 使 看 想 听 说 读 写 走 跑 去 来 做 用 把 给 要 是 有 拿 打开 关闭 考虑 注意 记住 了解 学习 思考"
    " 分析 计算 比较 描述 解释 说明 列出 选择 使用 创建 编写 完成 开始 停止 继续 保持 避免 确保 检查 尝试"
    " 观察 想象 相信 希望 认识 探索 发现 提高 减少 增加 建立 准备 参加 讨论 介绍 回答 感谢 欢迎 祝 根据 求 解"
    " 设 证明 应 可以 能 会 必须 需要".split()
)
_OTHERS_ZH = tuple(
    "我 你 您 他 她 它 这 那 哪 谁 什么 为什么 怎么 一 二 三 四 五 六 七 八 九 十 很 非常 今天 明天 昨天 但"
    " 而 和 或 因为 所以 如果 虽然 首先 其次 最后 然后 当然 好的 当 在 从 对于 关于 每 河 水 山 天 人 大家 小"
    " 大 老 新 的".split()
)


def is_verb(word: str, following: str = "") -> bool | None:
    """Tell whether the first word of a text is a verb, given the next; None where lists and endings do not tell.

    Example:
        >>> is_verb("Consider"), is_verb("Work", "is"), is_verb("Building"), is_verb("Water")
        (True, False, False, None)
    """
    folded, following = word.casefold().replace("’", "'"), following.casefold()
    if folded in _AUXILIARIES or folded in _IRREGULAR:
        return True
    if folded in _VERBS:
        return following not in _AUXILIARIES and not (following == "of" and folded not in _WITH_OF)
    known = folded in _OTHERS or folded in _NO_GERUND or folded in STOP_WORDS or folded in PRONOUNS
    if known or not folded[0].isalpha() or folded.partition("'")[0] in PRONOUNS:
        return False
    if any(stem in _VERBS for stem in _stems(folded)):
        return True
    return False if folded.endswith(_NO_VERB_ENDINGS) else None


def begins_with_verb(text: str) -> bool | None:
    """Tell whether a Chinese text begins with a verb; None where the lists do not tell.

    Example:
        >>> begins_with_verb("请看这里。"), begins_with_verb("我们走。"), begins_with_verb("鸟飞。")
        (True, False, None)
    """
    if text.startswith(_OTHERS_ZH):
        return False
    return True if text.startswith(_VERBS_ZH) else None


def _stems(word: str) -> list[str]:
    """Return the base forms that a participle may come from."""
    if word.endswith("ied"):
        return [word[:-3] + "y"]
    stem = word.removesuffix("ing") if word.endswith("ing") else word.removesuffix("ed")
    if stem == word or len(stem) < 2:
        return []
    return [stem, stem + "e", stem[:-1]] if stem[-1] == stem[-2] else [stem, stem + "e"]
