"""What gives a bad answer away: talk about the demands themselves, and refusals, in English and Chinese."""

from __future__ import annotations

import re

_DEMANDS_EN = r"(?:requirements?|constraints?|instructions?|conditions?|guidelines?|criteria|specifications?)"
_COUNTED_EN = (
    r"(?:commas?|words?|sentences?|paragraphs?|bullets?(?: points?)?|letters?|capitals?|lowercase|uppercase|keywords?"
    r"|exclamation marks?|question marks?|quotation marks?|punctuation|lines?|sections?|highlights?|periods?)"
)
_NUMBER_EN = r"(?:\d+|no|one|two|three|four|five|six|seven|eight|nine|ten|exactly|at least|at most|only|any|fewer than)"
_DEMANDS_ZH = r"(?:要求|约束|限制|条件|指令|规定)"
_COUNTED_ZH = r"(?:逗号|句号|感叹号|问号|引号|标点|字数|词数|关键词|要点|大写|小写|段落|句子|行数)"

#: Talk about the demands instead of meeting them.
LEAKS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_DEMANDS_EN} ?(?:#|no\. ?|number )?\d",
        rf"\b(?:checklist|list) of {_DEMANDS_EN}",
        rf"\b{_DEMANDS_EN} (?:checklist|check\b|met\b|satisfied|fulfilled|followed)",
        r"\bas (?:you (?:have )?)?(?:requested|instructed|specified)\b",
        r"\bas (?:was )?(?:asked|required) (?:by|in|for)\b",
        rf"\b(?:as )?per (?:your|the|these|those) (?:request|{_DEMANDS_EN})\b",
        rf"\b(?:according to|following|in (?:accordance|line|keeping|compliance) with|based on) "
        rf"(?:all )?(?:of )?(?:your|the given|the above|these|the stated|the specified) {_DEMANDS_EN}\b",
        rf"\b(?:meet(?:s|ing)?|satisf(?:y|ies|ying)|fulfil(?:l|ls|s|ling)?|follow(?:s|ing)?|adher(?:es?|ing) to"
        rf"|compl(?:y|ies|ying) with|obey(?:s|ing)?) (?:all |each |every )?(?:of )?"
        r"(?:the|your|these|those|all|every|each) (?:(?:given|stated|specified|listed|above|required|requested) )?"
        rf"{_DEMANDS_EN}\b",
        rf"\bI(?:'ve| have)? (?:have |also |not )*(?:used|avoided|included|kept|written|made sure|ensured|limited)"
        rf"\b[^.,;!?\n]{{0,30}}\b{_NUMBER_EN} (?:\w+ ){{0,2}}{_COUNTED_EN}\b",
        r"\bthis (?:answer|response|reply|text|output) "
        r"(?:has|contains|uses|includes|avoids|meets|follows|satisfies|is in)\b"
        rf"[^.!?\n]{{0,40}}\b(?:{_COUNTED_EN}|{_DEMANDS_EN})\b",
        r"\b(?:word|character|sentence|letter) ?count ?(?:[:=]|is) ?\**\d|[(\[]\d+ (?:words|characters|sentences)[)\]]",
        r"\bthe user (?:wants|asks|asked|is asking|told|expects) (?:me|us)\b|\bthe user's (?:request|instructions?)\b",
        rf"(?:按照|根据|依照|遵照|依据)(?:您|你|题目|上述|以上|所有|全部|用户|给定)的?(?:所有|全部|各项)?{_DEMANDS_ZH}",
        r"(?:如|应)(?:您|你|题目)所?(?:要求|愿)|应(?:您|你)的要求",
        rf"{_DEMANDS_ZH}\s*(?:第?[一二三四五六七八九十]|\d)+\s*[：:、.]|第[一二三四五六七八九十\d]+[条个项]{_DEMANDS_ZH}",
        rf"(?:满足|符合|遵守|遵循|达到)了?(?:以上|上述|所有|全部|题目|您|你|用户)的?(?:所有|全部|各项)?{_DEMANDS_ZH}",
        rf"(?:所有|全部|各项|以上|上述){_DEMANDS_ZH}(?:都|均|已)?(?:已经?)?(?:满足|达到|做到|符合|完成)",
        rf"(?:我|本(?:回答|文)|全文|以上(?:回答|内容))(?:已|已经|并)?(?:没有?|未|不|避免)(?:使用|用|出现|包含)(?:任何)?{_COUNTED_ZH}",
        r"(?:字数|词数|字符数)(?:统计)?(?:共|为|是|[：:])\s*\d|[（(](?:共|全文|约)\s*\d+\s*(?:个?字|词)[）)]",
        r"用户(?:要求我|想让我|希望我|让我|的(?:要求|指令))",
    )
)

#: Openings of answers that do not answer.
REFUSALS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:sorry|apologi[sz]e|afraid|unfortunately)\b[^.!?\n]{0,40}"
        r"\b(?:can(?:no|')?t|can’t|unable|not able|won't|not possible)",
        r"\bI(?: am|'m|’m)? (?:can(?:no|')t|can’t|unable to|not able to|won't be able to"
        r"|must decline to|have to decline to)"
        r" (?:help|assist|comply|fulfil|provide|do (?:that|this)|answer|complete|generate|create|write|satisfy|meet)",
        r"\bas an? (?:AI|artificial intelligence|(?:large )?language model)\b",
        r"\b(?:it is|it's) (?:impossible|not possible) to (?:satisfy|meet|fulfil|comply|follow|answer)",
        r"\bI must (?:decline|refuse)\b",
        r"(?:抱歉|对不起|不好意思|遗憾)[^。！？\n]{0,20}(?:无法|不能|没办法|做不到)",
        r"作为(?:一个|一名|一款)?(?:AI|人工智能|大?语言模型|智能助手)",
        r"我(?:无法|不能|没办法)(?:提供|回答|协助|帮助|完成|满足|生成|为您|为你)",
        r"恕(?:我)?(?:不能|无法|难)",
    )
)
