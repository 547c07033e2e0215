"""Words, affixes, copies, case, marks, scripts and order: texts that satisfy each type and texts that do not."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

import pytest

from rewards import Context, RaifError, Response, Status, known_constraints, parse_constraint

FAMILIES = {"keywords", "affix", "copying", "case", "punctuation", "language", "ordering", "arithmetic"}
TYPES = [name for name in known_constraints() if name.partition(":")[0] in FAMILIES]


class Case(NamedTuple):
    """A type with arguments, texts that satisfy it and texts that violate it."""

    type: str
    arguments: dict[str, Any]
    satisfied: tuple[str, ...]
    violated: tuple[str, ...]


CASES = (
    Case("keywords:existence", {"keywords": ["C++", "naïve"]},
         ("A nai\u0308ve C++ user.", "C++; NAÏVE", "naïve,C++"), ("A naïve C user.", "naïveté in C++", "C++")),
    Case("keywords:existence", {"keywords": ["น้ำ"]}, ("ฉันดื่มน้ำเย็น", "น้ำ"), ("ฉันดื่มนม", "water")),
    Case("keywords:forbidden", {"keywords": ["rain."]}, ("No rain!", "A train."), ("See rain., and", "RAIN.")),
    Case("keywords:min_frequency", {"keyword": "art", "count": 2}, ("Art or art.", "art-art"),
         ("Art starts.", "art")),
    Case("keywords:max_frequency", {"keyword": "art", "count": 1}, ("Art starts.", "None"), ("art art", "Art; ART")),
    Case("keywords:frequency", {"keyword": "x^2", "count": 2},
         ("(x^2) and X^2.", "x^2, x^2", "x^2 x^2 but no x^3"), ("x^2", "x^2 x^2 x^2", "x2 x2")),
    Case("keywords:frequency", {"keyword": "花", "count": 2},
         ("花园里有花。", "花花"), ("花", "花花花", "flower flower")),
    Case("keywords:frequencies", {"keywords": ["art", "cat"], "counts": [1, 2]},
         ("Art, cat, cat.", "cats start: a cat, a CAT, an art"),
         ("art category cat", "art art cat cat", "art cat", "art cat cat cat")),
    Case("keywords:frequencies", {"keywords": ["花", "鸟"], "counts": [2, 1]},
         ("花鸟花", "小鸟看花，花很美。"), ("花鸟", "花花鸟鸟")),
    Case("keywords:increment", {"keywords": ["art", "cat", "dog"]},
         ("art cat cat dog dog dog", "Dog, cat, dog! The cat and a dog make art."),
         ("art cat dog", "art art cat cat dog dog dog", "cat cat dog dog dog")),
    Case("keywords:any_of", {"keywords": ["owl", "fox", "bee"], "count": 2},
         ("Owl and bee", "fox, owl, bee", "The FOX's owl"), ("owl owl owl", "foxes and bees", "Nothing")),
    Case("keywords:any_of", {"keywords": ["花", "鸟"], "count": 1}, ("小鸟", "花园"), ("草", "flower")),
    Case("keywords:order", {"keywords": ["seed", "root", "leaf"]},
         ("Seed, root, leaf.", "A seed, a seed's root, a leaf, a seed"),
         ("seed leaf root", "root seed root leaf", "seed root", "seeds root leaf")),
    Case("keywords:order", {"keywords": ["春天", "秋天"]}, ("春天到秋天", "春天、秋天、春天"), ("秋天到春天", "春天")),
    Case("keywords:same_sentence", {"keywords": ["Dr. Lee", "fox"]},
         ("It rains. Yesterday Dr. Lee saw a fox.", "Fox, said dr. lee!"),
         ("Dr. Lee came. A fox ran.", "A fox.", "Lee saw a fox.")),
    Case("keywords:same_sentence", {"keywords": ["花", "鸟"]}, ("天晴。鸟看花。", "花鸟"), ("鸟飞。花开。", "鸟。")),
    Case("keywords:in_sentence", {"keyword": "cat", "sentence": 2},
         ("Mr. A. is in. The cat too.", "One... two. “Cat!” he said.", "It is 3.5 m. A cat"),
         ("A cat. A dog.", "A cat.", "One. Cats. Cat.")),
    Case("keywords:in_sentence", {"keyword": "花", "sentence": -1},
         ("天晴。花开！", "花"), ("花开。天晴。", "天晴。")),
    Case("keywords:at_position", {"keyword": "target", "sentence": 1, "word": 3},
         ("It's a TARGET.", "alpha, beta: target gamma", "**The** “red target” stands.", "```\nThe red target.\n```"),
         ("It's target time.", "target", "One. Two three target.", "The red targets.")),
    Case("keywords:at_position", {"keyword": "花园", "sentence": 2, "word": -1},
         ("天晴。我爱花园！", "好。花园"), ("我爱花园。天晴。", "天晴。花园美。")),
    Case("keywords:word_at", {"keyword": "whisper", "word": 2},
         ("“The whisper...", "So, WHISPER it.", "- a whisper"), ("Whisper it", "The very whisper", "The whispers")),
    Case("keywords:word_at", {"keyword": "hi", "word": -2},
         ("Say hi now!!", '"Oh, hi there..."'), ("hi", "hi and bye")),
    Case("keywords:word_at", {"keyword": "你好", "word": 2}, ("说你好。", "我，你好"), ("你好", "我说你好")),
    Case("keywords:in_every_sentence", {"keyword": "owl"},
         ("An owl. The owl! OWL?", "owl"), ("An owl. It flew.", "Owls. Owls.", "# Title\nAn owl.")),
    Case("keywords:in_every_sentence", {"keyword": "花"}, ("花开。花落。", "花"), ("花开。风来。", "风。")),
    Case("keywords:in_every_paragraph", {"keyword": "owl"},
         ("An owl.\nIt flew.\n\nThe owl.", "owl\n\n***\n\nOWL"), ("An owl.\n\nIt flew.", "Owls.\n\nOwls.")),
    Case("keywords:paragraph_first_word", {"keyword": "don't", "paragraph": 2, "count": 2},
         ("One.\n\n“Don’t” go.", "\n\nOne.\n\n\n\n  don't"),
         ("Don't.\n\nOne.", "One.\n\nDon't.\n\nTwo.", "One.\nDon't", "One.\n\nDon go")),
    Case("keywords:paragraph_first_word", {"keyword": "你好", "paragraph": 1, "count": 1},
         ("你好，世界", "**你好**世界"), ("世界，你好", "你好\n\n世界")),
    Case("keywords:reversed_letters", {"phrase": "bald eagle"},
         (".elgae dlab eht si tI", "ELGAE DLAB"),
         ("The bald eagle: elgae dlab", "elgaedlab", "eglae dlab", "bald eagle")),
    Case("keywords:reversed_letters", {"phrase": "花园"}, ("园花", "这是园花。"), ("花园", "园中的花")),
    Case("keywords:reversed_words", {"phrase": "bald eagle"},
         ("eagle, bald the, is It", "EAGLE BALD"), ("The bald eagle", "eaglebald", "eagles balds", "eagle is bald")),
    Case("keywords:palindrome", {"count": 1, "letters": 3},
         ("The level, please.", "Was it a cat I saw?", "Radar!"),
         ("I am a cat", "www", "11 is odd", "no — such", "xzx in 2002")),
    Case("keywords:palindrome", {"count": 1, "letters": 5},
         ("雾锁山头山锁雾。", "天连水尾水连天"), ("看一看", "哈哈哈哈哈")),
    Case("keywords:palindrome", {"count": 2, "letters": 3}, ("Noon radar", "Mom: pop"), ("Noon, noon", "radar")),
    Case("affix:repeat_request", {"request": "Hi there"},
         ("hi there. Bye", '"Hi  there" Bye', "> **Hi there**\nBye"),
         ("Bye", "Hi there", "Hi there. Hi there.", "Hi thereafter. Bye")),
    Case("affix:start_phrase", {"phrase": "It's me"}, ("It’s me.", "IT'S ME"), ("It s me", "It's men")),
    Case("affix:end_phrase", {"phrase": "7 days"}, ("It is 7 days", "*7 days*"), ("It is 17 days", "It is 3.7 days")),
    Case("affix:start_phrase", {"phrase": "I think"},
         ("**I THINK** so.", "“I think”", "I think, therefore"), ("Well, I think", "I thinking", "I thin")),
    Case("affix:start_phrase", {"phrase": "首先"}, ("首先看题。", "“首先”"), ("先看题。", "其次，首先")),
    Case("affix:end_phrase", {"phrase": "Go on."}, ("Yes. Go on.", "*go on.*"), ("Go on. No.", "Xgo on.")),
    Case("affix:quotation", {}, ('"Yes"', "“好”"), ("Yes", '"a" b "c"', '""a""', '"a"b"')),
    Case("affix:quotation", {}, ('**"It is 7."**', "＂It is 7.＂"), ("It is 7.＂", '"')),
    Case("affix:final_question", {},
         ("It is. Is it?", "“真的吗？”", "هل هذا صحيح؟", "**Why?**", "Is it? 😊", "At 3 p.m.?"),
         ("Is it? It is.", "Why? Bye", "Why", "7?!", "It is 7. ?", "It is.\n\n?", "是七。？")),
    Case("affix:first_word", {"word": "it's"},
         ("It’s late.", "**it's**, yes", "“IT'S”"), ("It is late.", "Well, it's", "its late")),
    Case("affix:first_word", {"word": "今天"}, ("今天天晴。", "“今天”好"), ("明天", "在今天")),
    Case("affix:last_word", {"word": "river"}, ("The river!!", "a *river* )", "River"),
         ("The rivers.", "river bank")),
    Case("affix:last_word", {"word": "花园"}, ("这是花园。", "花园"), ("花园里", "园")),
    Case("affix:first_word_sentences", {"word": "stone"},
         ("Stone, cold. **Stone** walls... are old.", "stone"), ("Stone. Cold.", "Stones. Stones.", "A stone.")),
    Case("affix:first_word_sentences", {"word": "我"}, ("我来。我看！", "我们来。"), ("我来。你看。", "来。")),
    Case("affix:last_word_sentences", {"word": "now"},
         ("Go now! Is it “now”? Now.", "now"), ("Go now. Stop.", "Snow.", "Now it is.")),
    Case("affix:last_word_sentences", {"word": "今天"},
         ("我爱今天。就在今天！", "今天"), ("今天我来。", "今天。明天。")),
    Case("affix:same_ends", {},
         ("Home is home", "**bright** days are bright\n", "It's me, it’s", "今天很好今天"),
         ("Home is home.", "Home", "Home is homes", "今天很好明天", '"home is home"')),
    Case("affix:paragraph_same_ends", {},
         ("Now or now!\n\nWell, well.", "今天就是今天。", "**a** b a"),
         ("Now or never.", "Now, now.\nBut.", "blanket", "今天很好。")),
    Case("affix:line_prefix", {"prefix": "> "}, ("> a\n\n> b", "  >a"), ("> a\nb", "> a\n>", "a > b", "> ...")),
    Case("affix:line_prefix", {"prefix": "注："}, ("注：好", "注：一\n注：二"), ("注意：好", "注：一\n二")),
    Case("affix:first_line", {"line": "My answer"},
         ("# My answer\n7 is it", "**MY ANSWER**\n\nyes"), ("My answer", "My answer is\n7")),
    Case("affix:last_line", {"line": "Bye."}, ("It is 7.\nbye.", "So\n\n“Bye.”"), ("Bye.", "So. Bye.", "Bye.\nSo")),
    Case("copying:exact", {"text": "Rain falls on the old stone bridge."},
         ("Rain falls on the old stone bridge.", "\tRAIN FALLS ON THE OLD STONE BRIDGE.\n"),
         ('"Rain falls on the old stone bridge."', "Rain falls on the old stone bridge",
         "Rain falls on the old stone bridge. Rain falls on the old stone bridge.",
         "Rain  falls on the old stone bridge.", "**Rain falls on the old stone bridge.**")),
    Case("copying:exact", {"text": "春天来了。"}, ("春天来了。", " 春天来了。\n"), ("春天来了", "春天，来了。")),
    Case("copying:copies", {"text": "Hi", "count": 3},
         ("Hi******hi******HI", "Hi\n******\nHi\n******\nHi\n"),
         ("Hi************Hi", "Hi\n******\nHi", "Hi*****Hi*****Hi", "Hi******Hi******Hi******", "Hi Hi Hi")),
    Case("copying:copies", {"text": "好。", "count": 2, "separator": "---"},
         ("好。---好。", "好。\n---\n好。"), ("好。好。", "好。--好。")),
    Case("copying:span",
         {"text": "explain the context, code and theory behind it", "unit": "words", "start": 3, "end": 6},
         ("code and theory behind", " Code  and theory BEHIND\n"),
         ("and theory behind", "code and theory", "code and theory behind.", "lain")),
    Case("copying:span", {"text": "请写一首关于春天的诗。", "unit": "characters", "start": 2, "end": 6},
         ("一首关于春", " 一首关于春\n"), ("一首关于", "写一首关于", "请写一首关于春天的诗。")),
    Case("copying:change_first_word", {"text": "Write a program."},
         ("Compose a  program.", "writes A program."),
         ("Write a program.", "WRITE a program.", "Write a program. ", "a program.", "Compose one program.",
         '"Compose a program."')),
    Case("copying:change_first_word", {"text": "写一首诗"},
         ("念一首诗", "朗读一首诗"), ("写一首诗", "完全不同的内容", "一首诗", "写一首歌")),
    Case("copying:change_first_word", {"text": "请 写 诗"}, ("来 写 诗", "快快 写 诗"), ("请 写 诗", "来 念 诗")),
    Case("copying:near_repeats", {"phrase": "The wise old owl slept", "count": 2},
         ("The wise old fox slept. The sad old owl slept!",
         "1) the wise young owl slept\n2) the wise young owl slept"),
         ("The wise old owl slept. The wise old fox slept.", "The wise old fox slept.",
         "The wise old owl sat. The wise old owl sat.", "The wise old very big slept. The wise old fox slept.",
         "The wise old fox slept. The wise old bee slept. The wise old ant slept.")),
    Case("copying:near_repeats", {"phrase": "今天 天气 真 好", "count": 2},
         ("今天 心情 真 好。今天 天气 很 好。", "今天心情真好！今天天气不太好！"),
         ("今天 天气 真 好。", "今天 天气 真 坏。今天 天气 真 坏。")),
    Case("copying:include", {"text": "To be, or not"},
         ("He: To be,\nor not.", "To be, or not"), ("to be, or not", "To be or not", "To be, or no")),
    Case("copying:include", {"text": "春眠，"}, ("春眠，晓", "说春眠，"), ("春眠晓", "春眠")),
    Case("copying:no_copy", {"reference": "An owl saw a red fox.", "words": 3},
         ("A red owl", "The fox saw", "owl saw me"), ("An OWL, saw it", "He saw a red one")),
    Case("copying:no_copy", {"reference": "春天的花园很美", "words": 3}, ("春天很美", "花园"), ("花园很大", "的花园")),
    Case("copying:quote_from", {"reference": "An owl saw a red fox.", "words": 3},
         ('It says "saw a red".', "“An owl saw a Red FOX.”", "He: «owl saw a»"),
         ("It says saw a red.", '"red fox"', '"saw a big fox"', '"saw a " red')),
    Case("copying:quote_from", {"reference": "春天的花园很美", "words": 3},
         ("“花园很”", "说「春天的」"), ("花园很", "“花很美”")),
    Case("case:english_upper", {},
         ("IT IS.", "```\nTHE WAY IT IS.\n```"), ("It is.", "OUI, LE CHAT EST SUR LA TABLE DANS LA CUISINE.")),
    Case("case:english_lower", {}, ("it is.", "see `X` here."), ("It is.", "7 + 8")),
    Case("case:min_capital_words", {"count": 2}, ("U.S.A. and NASA", "WELL-KNOWN FACT"), ("I A", "NASA and Nasa")),
    Case("case:max_capital_words", {"count": 0}, ("I am A. B", "Nothing", "In 2023"),
         ("NASA", "the U.S. it is", "GPT4", "_VERY_", "V_E_R_Y")),
    Case("case:upper", {}, ("ÇA VA \\alpha $x$", "ДА", "NASA 好"), ("ÇA VA?a", "好", "Да")),
    Case("case:lower", {}, ("ça va `X`", "да"), ("Да", "好 7")),
    Case("case:title", {},
         ("The Lord of the Rings", "Don't Stop: an Owl's iPhone", "ÉTÉ At 3 Pm", "**Big** “Cats”"),
         ("the Lord of the Rings", "The lord", "Go. the End", "好", "Go hOME", "And i Say")),
    Case("case:sentence_starts", {},
         ("It is. “So?” 7 of them.", "Да. Ещё", "好。Yes."), ("It is. so.", "好。", "Go. “well.”")),
    Case("case:min_initial_capitals", {"count": 2},
         ("Ann met Bob", "Élan Vital"), ("Ann ANN Ann", "I A B", "ann bob")),
    Case("case:alternating_words", {},
         ("THIS is QUITE odd", "go ON my SON, it IS"), ("This IS quite ODD", "GO on MY", "a b c d")),
    Case("case:keyword_upper", {"keyword": "owl"}, ("An OWL.", "OWL OWL owls"), ("An Owl.", "OWL and owl", "none")),
    Case("case:last_words_upper", {}, ("Go NOW. “Is it SO?”", "YES"), ("Go NOW. Go home.", "GO now", "走吧。")),
    Case("punctuation:no_comma", {}, ("a; b", "$a\\,b$ x", "\\(1\\,000\\) x"), ("a,b", "一、二", "a\\, b", "a‚ b")),
    Case("punctuation:no_period", {}, ("Go! Why?", "走！"), ("Go.", "走。", "3.5", "wait…", "यह।")),
    Case("punctuation:no_exclamation", {}, ("Go.", "$a\\!b$ it"), ("Go!", "走！", "¡Hola", "Go\\! It", "Go❗")),
    Case("punctuation:no_question", {}, ("Go.", "走。"), ("Go?", "走吗？", "هل؟", "Go\u037e", "Go❓")),
    Case("punctuation:no_quotes", {},
         ("It's the dogs' rock'n'roll", "走", "'Tis rock 'n' roll of the '90s."),
         ('"a"', "“走”", "'a' b", "「走」", "He said 'go.'", "``go'' it is", "‹go›")),
    Case("punctuation:no_parentheses", {}, ("a [b]", "\\(x\\) is it"), ("a (b)", "一（二）", "x \\(a lot\\)")),
    Case("punctuation:no_dash", {}, ("7 - 3 = 4", "$a - b$ it", "| a |\n| --- |"), ("a ‒ big", "a---b", "下雨──很大")),
    Case("punctuation:no_dash", {}, ("well-known", "- item\n- x-y", "走"), ("a - b", "a — b", "a--b", "走——吧")),
    Case("punctuation:no_ellipsis", {}, ("a. b.", "走。"), ("a...", "走……", "a…", "wait..", "a . . .", "a···")),
    Case("punctuation:forbidden", {"marks": "!;"}, ("Go.", "走：好"), ("Go!", "走！", "a; b", "一；二")),
    Case("punctuation:min_marks", {"mark": "!", "count": 2}, ("Go! Go！", "a!!"), ("Go!", "`!!` $!!$ Go!")),
    Case("punctuation:max_marks", {"mark": "!", "count": 1}, ("Go!", "No", "`!!` a"), ("Go!!", "走！走!")),
    Case("punctuation:exact_marks", {"mark": "？", "count": 1}, ("好吗？", "Why?"), ("好", "Why?？")),
    Case("punctuation:ends_with", {"mark": "!"}, ("Go! “Now!”", "走！**好！**"), ("Go! Now.", "Go! Now", "走！好。")),
    Case("punctuation:ends_with", {"mark": "."}, ("Go. Now.", "走。"), ("Go. Why?", "# Title\nGo.")),
    Case("punctuation:full_width_only", {},
         ("你好，世界。", "用v1.5（新版），好！", "好。See e.g. this."),
         ("你好,世界。", "你好", "好。(新)", "真的?好。", "Yes, no.", "我用GPT!好，好。")),
    Case("punctuation:balanced", {}, ("„a“ b", "It is 6'2\" (tall)."), ("a () b", 'a "" b')),
    Case("punctuation:balanced", {},
         ('a (b [c] "d")', "他说“（好）”", "a) one\nb) (two)", "fine :) “yes”"),
         ("a (b [c)]", "a (b", 'a "b', "a) b", "plain", "“a")),
    Case("punctuation:hyphen_joined", {},
         ("Cats run.-Dogs sit.-Birds fly.", "Well-known Dr. Bob.-Hi!", "猫跑。-狗坐！", "“Go!”-He left.-"),
         ("Cats run. Dogs sit.", "Cats run.--Dogs sit.", "Cats run.- Dogs sit.", "Cats run.", "Cats run-Dogs sit",
         "Go.-Stop. Run.")),
    Case("language:response", {"language": "zh"}, ("今天很好。", "答案是$x$。"), ("It is the one.", "これはいい。")),
    Case("language:script", {"script": "cyrillic"}, ("Да, 7 $x$ `a`", "Ещё"), ("Да, ok", "7 yes", "好")),
    Case("language:script", {"script": "han"}, ("答案是7。", "好"), ("答案是x。", "これ")),
    Case("language:min_script_share", {"script": "han", "percent": 50}, ("我爱 AI", "好"), ("我 love", "AI")),
    Case("language:max_script_share", {"script": "latin", "percent": 50}, ("我爱 AI", "好"), ("我 love", "AI")),
    Case("language:bilingual", {"percent": 30},
         ("I love gardens. 我爱花园。", "我们 and you 好"),
         ("I love the gardens very much. 我。", "我爱花园。", "I love it.")),
    Case("language:no_latin", {}, ("答案是$x$。", "Да 7"), ("答案是x。", "café 好", "7 a")),
    Case("language:simplified", {}, ("这个问题很简单。", "我说 ok"), ("這個問題", "这個", "Hello", "說")),
    Case("language:traditional", {}, ("這個問題", "我說 ok"), ("这个问题", "這个", "Hello")),
    Case("ordering:lines_sorted", {"direction": "ascending", "count": 3},
         ("Ant\nbee\nCat", "1. **Élan**\n2. far,\n\n3. “Zoo”", "- São\n- Set\n- top"),
         ("Ant\nAnt\nBee", "bee\nant\ncat", "ant\nbee", "a b c")),
    Case("ordering:items", {"items": ["Oslo", "Reykjavík", "Bern"], "optional": ["Bern"]},
         ("Oslo, Reykjavik, Bern", "**Oslo**,\nREYKJAVÍK, and Bern.", ", Oslo,, Reykjavik,", "Oslo， Reykjavik"),
         ("Reykjavik, Oslo, Bern", "Oslo, Bern", "Oslo; Reykjavik; Bern", "Oslo, Reykjavik, Bern, Rome",
         "Sure: Oslo, Reykjavik")),
    Case("ordering:items", {"items": ["春", "夏"]}, ("春、夏。", "春，夏"), ("夏，春", "春夏", "春，夏，秋")),
    Case("ordering:known_lines",
         {"items": ["Côte d'Ivoire", "Mali", "Togo", "Chad"], "direction": "descending", "count": 3},
         ("Here:\n1. Togo\n2. Mali\n3. Cote d’Ivoire\nThat is all.", "TOGO,\nMALI,\n*Chad*"),
         ("Togo\nMali", "Togo\nX\nMali\nChad", "Chad\nMali\nTogo", "Togo\nTogo\nMali\nChad", "Togo, Mali, Chad")),
    Case("ordering:numbers_sorted", {"direction": "ascending", "count": 3},
         ("-5, 3.5 and 1,000", "从1到2到30", "x1 2 3"), ("1 2", "3 2 1", "1 2 2", "one two three")),
    Case("ordering:numbers_sorted", {"direction": "descending", "count": 2}, ("9 to 3", "3 and -7"), ("3 to 9", "9")),
    Case("ordering:countdown", {"start": 3},
         ("3. Ready\n2. Set\n1. Go", "3) a\n\n2) b\n1) c", "**3.** a\n- 2: b\n1、走"),
         ("1. a\n2. b\n3. c", "3. a\n2. b", "3. a\n2. b\n1.", "3. a\n2. b\n1. c\nDone", "3. a 2. b 1. c")),
    Case("arithmetic:words_multiple", {"divisor": 3}, ("It's so so.", "好极了！"), ("It is so so.", "好极")),
    Case("arithmetic:sentence_words_multiple", {"divisor": 2},
         ("It rains. So be it now?", "下雨。好吧！"),
         ("It rains. Stop.", "下雨了。", "One two three four. Five six seven.")),
)  # fmt: skip
UNSCORED = (
    ("keywords:at_position", {"keyword": "a", "sentence": 1, "word": 1}, "ฉันดื่มน้ำเย็น"),
    ("keywords:in_sentence", {"keyword": "a", "sentence": 1}, "ຂ້ອຍດື່ມນ້ຳ"),
    ("affix:first_word", {"word": "a"}, "ខ្ញុំផឹកទឹក"),
    ("affix:same_ends", {}, "ฉันดื่มน้ำเย็น"),
    ("arithmetic:words_multiple", {"divisor": 2}, "ฉันดื่มน้ำเย็น"),
    ("language:simplified", {}, "你好"),
    ("language:traditional", {}, "你好"),
    ("language:response", {"language": "en"}, "Ok."),
    ("ordering:lines_sorted", {"direction": "ascending", "count": 2}, "春天\n秋天"),
)
ILLEGAL = (
    ("affix:start_phrase", {"phrase": "##"}, "more than blanks"),
    ("affix:first_line", {"line": "a\nb"}, "single line"),
    ("case:keyword_upper", {"keyword": "花"}, "no letter that could be a capital"),
    ("copying:exact", {"text": "\u200b"}, "blank or invisible"),
    ("copying:change_first_word", {"text": "Hello"}, "single word"),
    ("keywords:frequencies", {"keywords": ["red fox", "fox"], "counts": [1, 2]}, "cannot be told apart"),
    ("keywords:frequency", {"keyword": "fox", "count": True}, "valid integer"),
    ("punctuation:min_marks", {"mark": "😊", "count": 1}, "not one punctuation mark"),
    ("punctuation:ends_with", {"mark": '"'}, "stands around other text"),
    ("keywords:frequencies", {"keywords": ["a", "b"], "counts": [1]}, "as many counts"),
    ("keywords:any_of", {"keywords": ["a", "b"], "count": 3}, "exceeds"),
    ("keywords:order", {"keywords": ["a", "A"]}, "must differ"),
    ("keywords:paragraph_first_word", {"keyword": "a", "paragraph": 3, "count": 2}, "no paragraph 3"),
    ("keywords:at_position", {"keyword": "a", "sentence": 0, "word": 1}, "count from 1"),
    ("keywords:reversed_letters", {"phrase": "level"}, "same backwards"),
    ("keywords:reversed_words", {"phrase": "one"}, "reverse order"),
    ("copying:copies", {"text": "a ****** b", "count": 2}, "separator"),
    ("copying:span", {"text": "a b", "unit": "words", "start": 2, "end": 3}, "no word"),
    ("copying:near_repeats", {"phrase": "two words", "count": 2}, "three words"),
    ("copying:quote_from", {"reference": "two words", "words": 3}, "fewer than 3"),
    ("punctuation:forbidden", {"marks": "a"}, "punctuation marks"),
    ("punctuation:min_marks", {"mark": "..", "count": 1}, "one punctuation mark"),
    ("language:bilingual", {"percent": 60}, "less than or equal"),
    ("ordering:known_lines", {"items": ["a", "b"], "direction": "ascending", "count": 3}, "exceeds"),
)  # fmt: skip
STARTS = {"en": "Tom has \\boxed{12} apples, and Ann has 5.", "zh": "汤姆有\\boxed{12}个苹果，安有5个。"}


def status(name: str, arguments: dict[str, Any], text: str) -> Status:
    verdict = parse_constraint({"type": name, **arguments}).check(Response(None, text), Context())
    assert 0 < len(verdict.evidence) <= 200
    return verdict.status


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.type}-{'-'.join(map(str, case.arguments.values()))}"[:60]
)
def test_table(case: Case) -> None:
    assert len(case.satisfied) >= 2
    assert len(case.violated) >= 2
    for wanted, texts in ((Status.SATISFIED, case.satisfied), (Status.VIOLATED, case.violated)):
        found = {text: status(case.type, case.arguments, text) for text in texts}
        assert found == dict.fromkeys(texts, wanted)


def test_every_type_has_a_case() -> None:
    assert len(TYPES) >= 80
    assert {case.type for case in CASES} == set(TYPES)


@pytest.mark.parametrize(("name", "arguments", "text"), UNSCORED)
def test_what_no_rule_can_decide_is_unscored(name: str, arguments: dict[str, Any], text: str) -> None:
    assert status(name, arguments, text) is Status.UNSCORED


@pytest.mark.parametrize(("name", "arguments", "message"), ILLEGAL)
def test_arguments_that_contradict_each_other_are_refused(name: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(RaifError, match=message):
        parse_constraint({"type": name, **arguments})


@pytest.mark.parametrize("name", TYPES)
def test_an_edit_changes_nothing_where_nothing_is_wrong(name: str) -> None:
    for language, start in STARTS.items():
        constraint = parse_constraint({"type": name, **known_constraints()[name].draw(Random(3), language)})
        once = constraint.edit(f"\n{start}\n", language)
        assert constraint.check(Response(None, once), Context()).status is Status.SATISFIED
        assert constraint.edit(once, language) == once
        assert once.startswith("\n")
        assert once.endswith("\n")


def test_an_edit_keeps_the_answer_where_it_can() -> None:
    kept = [
        name
        for name in TYPES
        for constraint in [parse_constraint({"type": name, **known_constraints()[name].draw(Random(1), "en")})]
        if "\\boxed{12}" in constraint.edit(STARTS["en"], "en")
    ]
    assert len(kept) >= 0.75 * len(TYPES)
