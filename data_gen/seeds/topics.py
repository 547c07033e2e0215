"""Everyday topics with a few plain facts each, in English and Chinese, for writing and explaining requests."""

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """A topic: its requests and its facts by language."""

    id: str
    requests: dict[str, tuple[str, ...]]
    facts: dict[str, tuple[str, ...]]


def _topic(en: str, zh: str, facts_en: tuple[str, ...], facts_zh: tuple[str, ...]) -> Topic:
    article = "an" if en[0] in "aeiou" else "a"
    return Topic(
        id=en,
        requests={
            "en": (
                f"Describe {article} {en}.",
                f"Explain what {article} {en} is.",
                f"Write a note about {article} {en}.",
            ),
            "zh": (f"请介绍{zh}。", f"说说什么是{zh}。", f"写一段关于{zh}的话。"),
        },
        facts={"en": facts_en, "zh": facts_zh},
    )


TOPICS = (
    _topic("river", "河流", ("A river carries water to the sea.", "It starts in the hills, far away.", "Many fish live in it."), ("河流把水带到大海。", "它从远处的山里，慢慢流出。", "河里有很多鱼。")),
    _topic("library", "图书馆", ("A library lends books to people.", "It is quiet, so people can read.", "Anyone can visit it."), ("图书馆把书借给人们。", "那里很安静，适合看书。", "人人都可以去。")),
    _topic("bridge", "桥", ("A bridge joins two sides of a road.", "It is strong, so cars can cross.", "Some are very old."), ("桥把路的两边连起来。", "它很结实，车可以通过。", "有的桥很老。")),
    _topic("garden", "花园", ("A garden is full of plants.", "It needs sun, rain and care.", "Bees like to visit it."), ("花园里有很多植物。", "它需要阳光，也需要雨水。", "蜜蜂喜欢来。")),
    _topic("train", "火车", ("A train moves people on rails.", "It is fast, safe and cheap.", "It stops at stations."), ("火车在铁路上运送人们。", "它很快，也很安全。", "它在车站停下。")),
    _topic("clock", "钟", ("A clock shows the time.", "It has two hands, long and short.", "It rings in the morning."), ("钟告诉我们时间。", "它有两根针，一长一短。", "早上它会响。")),
    _topic("kitchen", "厨房", ("A kitchen is a room to cook in.", "It has a stove, a sink and a table.", "It smells good at noon."), ("厨房是做饭的地方。", "里面有炉子，也有桌子。", "中午那里很香。")),
    _topic("school", "学校", ("A school teaches children.", "It has rooms, books and teachers.", "It is closed on Sunday."), ("学校教孩子读书。", "那里有教室，也有老师。", "星期天学校不开门。")),
    _topic("market", "市场", ("A market sells fresh food.", "It opens early, before the sun is up.", "Farmers bring fruit to it."), ("市场卖新鲜的食物。", "它很早开门，天还没亮。", "农民把水果带来。")),
    _topic("lake", "湖", ("A lake is still water.", "In winter, it turns to ice.", "Boats cross it in summer."), ("湖是静静的水。", "到了冬天，它会结冰。", "夏天有船经过。")),
    _topic("forest", "森林", ("A forest is full of trees.", "It is cool, green and quiet.", "Birds build nests in it."), ("森林里有很多树。", "那里很凉快，也很安静。", "鸟在那里做窝。")),
    _topic("letter", "信", ("A letter brings news from a friend.", "It has a stamp, a name and a date.", "It travels for days."), ("信带来朋友的消息。", "它有邮票，也有日期。", "它要走好几天。")),
    _topic("farm", "农场", ("A farm grows food for the town.", "It has cows, pigs and hens.", "Work starts early there."), ("农场为城里种粮食。", "那里有牛，也有鸡。", "那里的人起得早。")),
    _topic("museum", "博物馆", ("A museum keeps old things.", "On weekends, it is full of people.", "Children learn much there."), ("博物馆保存老东西。", "到了周末，那里人很多。", "孩子在那里学到很多。")),
    _topic("window", "窗户", ("A window lets light in.", "It is made of glass, so it can break.", "Open it in the morning."), ("窗户让光照进来。", "它是玻璃做的，容易坏。", "早上打开它。")),
    _topic("island", "小岛", ("An island has water on all sides.", "By boat, people can reach it.", "Its beaches are white."), ("小岛四面都是水。", "坐上船，人们可以到那里。", "那里的沙子是白的。")),
    _topic("teacher", "老师", ("A teacher helps children learn.", "She is kind, calm and fair.", "She reads every night."), ("老师帮助孩子学习。", "她很和气，也很公平。", "她每天晚上看书。")),
    _topic("road", "路", ("A road leads from town to town.", "At night, lamps light it.", "Trucks use it every day."), ("路从一个城到另一个城。", "到了晚上，灯照着它。", "每天有车经过。")),
    _topic("storm", "暴风雨", ("A storm brings wind and rain.", "It is loud, dark and short.", "After it the air is clean."), ("暴风雨带来风和雨。", "它很响，但是很短。", "雨后空气很干净。")),
    _topic("bakery", "面包店", ("A bakery makes bread.", "It opens early, at five.", "Warm bread smells good."), ("面包店做面包。", "它很早开门，五点就开。", "热面包很香。")),
    _topic("mountain", "山", ("A mountain is high and cold.", "On top, there is snow.", "People climb it in summer."), ("山又高又冷。", "山顶上，有雪。", "夏天人们去爬山。")),
    _topic("pond", "池塘", ("A pond is small and calm.", "Frogs sing there, day and night.", "Leaves fall into it."), ("池塘很小很静。", "青蛙在那里，日夜唱歌。", "叶子落在里面。")),
    _topic("doctor", "医生", ("A doctor helps sick people.", "He listens, looks and thinks.", "He works in a hospital."), ("医生帮助病人。", "他先听，然后想。", "他在医院工作。")),
    _topic("song", "歌", ("A song has words and a tune.", "When sad, people sing it.", "It is easy to learn."), ("歌有词也有曲。", "难过时，人们会唱它。", "它很容易学。")),
)  # fmt: skip
