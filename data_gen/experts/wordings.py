"""The wordings of expert thinking, English and Chinese; `{...}` is filled in, one of each tuple is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Bank = tuple[str, ...]


class Wordings(NamedTuple):
    """Everything that planned thinking says in one language."""

    one_demand: Bank
    demands: Bank
    only_structure: Bank
    labels: Mapping[str, Bank]
    labelled: Bank  # how one group of demands is listed
    chain: Bank
    step_words: tuple[str, str, str]  # first, further, last
    fork: Bank
    fork_met: Bank
    fork_unmet: Bank
    fork_open: Bank
    branch_first: str
    branch_other: str
    branch_else: str
    branch_none: Bank
    needs: Bank
    plan: Bank
    steps: Mapping[str, Bank]
    order_words: tuple[Bank, Bank, Bank]  # first, further, last
    insights: Mapping[tuple[str, str], Bank]
    working: Bank
    recalling: Bank
    message: Bank
    result: Bank
    check: Bank
    checked: Bank
    counted: str
    stop: str
    comma: str
    semicolon: str
    listed: tuple[str, str]  # between items, before the last
    space: str


ENGLISH = Wordings(
    one_demand=(
        "Besides the task itself there is one thing to mind.",
        "The task comes with a single condition.",
        "One demand goes with this.",
        "Only one point has to be respected here.",
        "Let me note the one thing that the answer has to obey.",
    ),
    demands=(
        "Before I write anything, let me sort what is wanted.",
        "{n} demands come with this task; sorted by kind they are easier to keep in view.",
        "What must hold in the end? {n} things.",
        "Let me get clear on what the answer has to look like.",
        "Apart from the task, {n} points need care.",
        "First I collect everything that will be looked at, {n} points in all.",
    ),
    only_structure=(
        "What is wanted here depends on how its parts hang together.",
        "The demands are tied to each other, so let me take them apart.",
        "First, how do the parts of this fit together?",
    ),
    labels={
        "language": ("language",),
        "layout": ("form", "layout"),
        "length": ("length", "size"),
        "content": ("content", "what must be in it"),
        "tone": ("manner", "style"),
        "wording": ("wording", "word choice"),
        "edges": ("opening and ending", "both ends"),
        "surface": ("capitals and marks", "spelling and marks"),
    },
    labelled=("{Label}: {items}.", "- {label}: {items}", "As for {label}: {items}.", "{Label} → {items}."),
    chain=(
        "Some of it goes step by step: {steps}. A step only counts once the one before it stands.",
        "Order matters here: {steps}. If an early step fails, whatever follows is lost with it.",
        "These build on one another: {steps}. So the early ones get the most care.",
        "There is a sequence to keep, {steps}, and every step rests on the previous one.",
    ),
    step_words=("first ", "then ", "at last "),
    fork=(
        "There is a fork, and it turns on whether {condition}.",
        "Part of this depends: does it hold that {condition}?",
        "Which branch counts? The question is whether {condition}.",
        "One part is conditional; what decides is whether {condition}.",
    ),
    fork_met=("{reason}, so {branch} applies: {demand}.", "{reason}; that makes it {branch}, which asks for {demand}."),
    fork_unmet=(
        "{reason}, so what applies is {branch}: {demand}.",
        "{reason}; that leaves {branch}, which asks for {demand}.",
    ),
    fork_open=("That cannot be told before the answer stands, so I keep both cases in mind: {demand}.",),
    branch_first="the first branch",
    branch_other="branch {number}",
    branch_else="the other case",
    branch_none=("{reason}, so this part asks for nothing.", "{reason}; hence nothing is added here."),
    needs=("{later} only counts once {earlier} is met.", "Without {earlier}, {later} is worth nothing."),
    plan=("Plan:", "How to go about it:", "My order of work:", "So the way to do it:", "This is how I will proceed:"),
    steps={
        "language": (
            "settle on writing in {language} from the first word on",
            "switch to {language} at once and stay there",
            "think of the sentences directly in {language}",
        ),
        "both": ("decide which sentences go into which language", "divide what there is to say between the languages"),
        "script": ("decide on the script before anything is put down", "fix which letters are allowed at all"),
        "layout": (
            "set up the frame, because every sentence has to find its place in it",
            "put the skeleton down and fill it afterwards",
            "decide the outline before any sentence is written",
        ),
        "length": (
            "budget the length before writing and keep count on the way",
            "aim for the safe side of the limit and count as I go",
            "work out how much room there is for each part",
        ),
        "content": (
            "work what is asked for into sentences where it reads naturally",
            "place the prescribed pieces where the text calls for them",
            "write the text around what has to occur in it",
        ),
        "ban": (
            "stay clear of what is banned and look for another way to say it",
            "choose sentences that never come near the banned part",
        ),
        "copy": ("copy the given text character by character", "take over the given text without touching it"),
        "tone": ("keep the manner the same in every sentence", "read each sentence aloud to hear whether it fits"),
        "wording": (
            "pick the words one by one with the rule in view",
            "test each sentence against the rule for words before going on",
        ),
        "edges": (
            "fix the opening and the ending when the middle is done, so that nothing slips past them",
            "add what stands at the ends only when the rest is finished",
        ),
        "surface": (
            "go over capitals and marks in a last pass",
            "see to capitals and marks, since any earlier change of words would disturb them",
        ),
    },
    order_words=(
        ("first ", "to begin with, ", "first of all "),
        ("then ", "next, ", "after that "),
        ("finally ", "last, "),
    ),
    insights={
        ("layout", "length"): ("What belongs to the form counts towards the length as well.",),
        ("edges", "length"): ("The fixed words at the ends use up some of the length.",),
        ("content", "length"): ("The prescribed pieces take room too, so they go in before anything optional.",),
        ("content", "surface"): ("The last pass must leave the prescribed pieces as they are.",),
        ("edges", "surface"): ("What stands at the ends has to survive the last pass.",),
        ("ban", "content"): ("None of the things to include may bring in what is banned.",),
        ("layout", "edges"): ("The ends belong to the whole answer and not to one of its parts.",),
        ("language", "content"): ("Given words keep their spelling whatever the language around them.",),
    },
    working=(
        "Now the task itself: {work}",
        "The substance: {work}",
        "Working it out: {work}",
        "Next, solve it. {work}",
    ),
    recalling=("Now the question itself. {work}", "Then the question. {work}", "What do I know about it? {work}"),
    message=(
        "Now the substance. The point to make: {work}",
        "What to say: {work}",
        "As for the text itself, its heart is this: {work}",
        "The main thing to get across: {work}",
    ),
    result=("The result has to be {value}.", "It comes out as {value}."),
    check=("Check:", "Going over it again:", "Counting once more:", "A last look:", "Does all of it hold? Yes:"),
    checked=("That is all right.", "Good.", "It fits.", "Nothing is left open.", "So it can stand."),
    counted="counted",
    stop=". ",
    comma=", ",
    semicolon="; ",
    listed=(", ", " and "),
    space=" ",
)

CHINESE = Wordings(
    one_demand=(
        "除了题目本身，只有一点要留意。",
        "这道题只附带一个条件。",
        "先记下唯一的一个条件。",
        "要顾到的只有一处。",
    ),
    demands=(
        "动笔之前，先把条件理一理。",
        "这道题附带{n}个条件，分门别类记起来更清楚。",
        "最后交出来的东西要同时做到{n}点。",
        "先弄明白回答该是什么样子。",
        "除了内容，还有{n}处要当心。",
        "先把要看的几处都列出来，一共{n}处。",
    ),
    only_structure=(
        "这里的条件环环相扣，先拆开来看。",
        "几个条件之间有关联，先把关系理清。",
        "先看各部分之间是什么关系。",
    ),
    labels={
        "language": ("语言",),
        "layout": ("格式", "版式"),
        "length": ("篇幅", "长短"),
        "content": ("内容", "内容要点"),
        "tone": ("风格", "语气"),
        "wording": ("用词", "遣词"),
        "edges": ("开头和结尾", "首尾"),
        "surface": ("标点和大小写", "书写"),
    },
    labelled=("{label}：{items}。", "- {label}：{items}", "{label}方面：{items}。", "关于{label}：{items}。"),
    chain=(
        "这几步有先后：{steps}。前一步没做到，后面的就不算数。",
        "这里得按顺序来：{steps}。前面的落了空，后面也就白费了。",
        "它们一环扣一环：{steps}。所以前面的要格外仔细。",
        "有个次序要守：{steps}，每一步都以上一步为前提。",
    ),
    step_words=("先是", "接着是", "最后是"),
    fork=(
        "这里有个岔口，要看“{condition}”成不成立。",
        "有一部分要看情况：{condition}吗？",
        "该走哪一支，取决于“{condition}”是否成立。",
        "有一处带条件，条件就是“{condition}”。",
    ),
    fork_met=("{reason}，所以走{branch}：{demand}。", "{reason}，那就是{branch}，也就是{demand}。"),
    fork_unmet=("{reason}，所以该走{branch}：{demand}。", "{reason}，剩下的就是{branch}，也就是{demand}。"),
    fork_open=("这要等回答写出来才知道，两种情况都先记着：{demand}。",),
    branch_first="第一支",
    branch_other="第{number}支",
    branch_else="另一种情况",
    branch_none=("{reason}，所以这里没有别的事要做。", "{reason}，这一处就不用管了。"),
    needs=("{earlier}做到了，{later}才算数。", "没有{earlier}，{later}也就没有意义。"),
    plan=("打算这样做：", "步骤：", "做法如下：", "安排一下次序：", "思路："),
    steps={
        "language": ("从第一个字起就用{language}写", "一开始就换成{language}，写到底", "直接用{language}来组织句子"),
        "both": ("想好哪些句子用哪种语言写", "把要说的话分给两种语言"),
        "script": ("定下用哪种文字再下笔", "看清楚哪些字符可以用"),
        "layout": (
            "把框架搭好，因为每句话都要放得进去",
            "把骨架列出来再往里填",
            "定好版面再写句子",
        ),
        "length": ("估好篇幅，边写边数", "往稳妥的一边靠，写的时候数着", "算一算每一部分能占多少"),
        "content": ("把该出现的东西自然地写进句子里", "在合适的地方放进规定的内容", "围绕必须出现的内容来写"),
        "ban": ("绕开不能出现的东西，换个说法", "挑不会碰到禁区的句子来写"),
        "copy": ("照着原文一字不差地抄", "把给出的文字原封不动地搬过来"),
        "tone": ("每句话都保持同样的语气", "读一读每个句子，看合不合语气"),
        "wording": ("对照规则一个词一个词地挑", "每写一句就对照一下用词的规则"),
        "edges": ("等中间写完才定开头和结尾，免得前后又多出字来", "给写好的正文加上首尾"),
        "surface": ("通读一遍，统一改标点和大小写", "检查标点和大小写，因为前面一改字就会受影响"),
    },
    order_words=(("先", "首先"), ("再", "然后", "接着"), ("最后", "最后一步是")),
    insights={
        ("layout", "length"): ("格式里的字也算在篇幅之内。",),
        ("edges", "length"): ("首尾固定的字会占去一些篇幅。",),
        ("content", "length"): ("规定的内容也占地方，要排在可有可无的句子前面。",),
        ("content", "surface"): ("末尾那遍修改不能动到规定的内容。",),
        ("edges", "surface"): ("首尾的字在改标点时要保住。",),
        ("ban", "content"): ("要写进去的东西里不能带出禁用的成分。",),
        ("layout", "edges"): ("首尾说的是整篇回答，不是其中一部分。",),
        ("language", "content"): ("给定的词不管用什么语言写，都保持原样。",),
    },
    working=("现在看题目本身：{work}", "正题：{work}", "算一下：{work}", "接下来解题。{work}"),
    recalling=("再看问题本身。{work}", "回到题目。{work}", "关于这个问题，{work}"),
    message=(
        "再看正文，要说的核心是：{work}",
        "要写的意思：{work}",
        "至于文章本身，中心是：{work}",
        "最要紧的一句：{work}",
    ),
    result=("结果应当是{value}。", "得到的是{value}。"),
    check=("核对一遍：", "再数一次：", "回头看看：", "最后检查：", "都对得上吗？逐一来看："),
    checked=("没有问题。", "都对得上。", "可以了。", "没有遗漏。", "就这样写。"),
    counted="数过了",
    stop="。",
    comma="，",
    semicolon="；",
    listed=("、", "、"),
    space="",
)

WORDINGS = {"en": ENGLISH, "zh": CHINESE}
