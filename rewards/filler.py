"""Neutral words and sentences with which witnesses fill what a constraint leaves open."""

from __future__ import annotations

from itertools import cycle, islice

SENTENCES = {
    "en": (
        "This is easy to check.",
        "Each step is short and clear.",
        "Nothing else is needed here.",
        "The same idea works in other cases too.",
        "A careful reader can follow it.",
    ),
    "zh": ("这很容易检查。", "每一步都很短。", "不需要别的东西。", "别的情况也可以这样做。", "细心的读者能看懂。"),
}
#: Words that draws of arguments and witnesses take; lower case, no word inside another.
_ENGLISH = """
garden bridge winter market copper lantern pocket silver basket thunder violet meadow cotton marble ladder
window planet pepper canvas tunnel jungle butter candle forest orange rocket summer velvet wagon harbor island
valley desert castle temple village kitchen library museum station airport factory hospital office stadium
theater concert festival holiday journey passage highway mountain glacier volcano river ocean beach coral
dolphin penguin sparrow falcon turtle beetle spider rabbit badger leopard giraffe elephant monkey tiger apple
banana cherry lemon mango peach walnut almond cinnamon ginger saffron vanilla honey cheese noodle biscuit
pancake dumpling teapot saucer blanket curtain carpet mirror drawer cupboard shelf bottle bucket hammer needle
scissors engine piston battery magnet crystal diamond granite emerald pebble sandstone feather pencil notebook
letter envelope postcard novel poem chapter editor painter sculptor dancer singer drummer violin guitar trumpet
piano melody rhythm harmony lyric orchestra teacher student doctor farmer baker tailor plumber pilot sailor
captain merchant lawyer judge soldier hunter shepherd weaver neighbor cousin twin guest stranger hero villain
wizard memory courage patience wisdom kindness freedom justice balance harvest sunrise twilight midnight autumn
spring weather drizzle blizzard rainbow shadow whisper puzzle riddle signal pattern balloon kite bicycle tractor
submarine telescope microscope compass anchor hinge gadget robot network budget profit invoice contract recipe
calendar schedule deadline meeting project outline summary headline interview camera jacket mitten sandal scarf
umbrella backpack suitcase ticket passport embassy border treaty election senator mayor citizen pharmacy
"""
_CHINESE = """
花园 桥梁 冬天 市场 铜器 灯笼 口袋 银色 篮子 雷声 草地 棉布 石头 梯子 窗户 星球 森林 火箭 朋友 春天 秋天 早晨 黄昏
月光 彩虹 微风 暴雨 雪山 湖泊 岛屿 沙漠 草原 海浪 贝壳 珊瑚 海豚 企鹅 麻雀 蝴蝶 兔子 老虎 大象 熊猫 骆驼 苹果
香蕉 樱桃 柠檬 葡萄 西瓜 核桃 蜂蜜 豆腐 面条 饺子 茶壶 毛毯 窗帘 镜子 抽屉 瓶子 水桶 锤子 剪刀 钢笔 笔记 信封 邮票
小说 诗歌 童话 画家 舞者 歌手 教师 医生 农夫 木匠 裁缝 船长 律师 记者 邻居 客人 英雄 勇气 耐心 智慧 自由 公平 平衡
记忆 梦想 希望 丰收 日出 节日 旅行 地图 车站 机场 医院 工厂 剧院 网络 预算 合同 菜谱 日历 会议 计划 摘要 采访 相机
围巾 雨伞 背包 车票 护照 边境 选举 市长 居民 药店 钢琴 吉他 鼓手 旋律 节奏 花瓶 台阶 屋顶 烟囱 篱笆 水井 稻田 果园
"""
WORDS = {"en": tuple(_ENGLISH.split()), "zh": tuple(_CHINESE.split())}


def sentences(language: str, count: int) -> list[str]:
    """Return `count` neutral sentences, repeating them in turn.

    Example:
        >>> sentences("en", 2)
        ['This is easy to check.', 'Each step is short and clear.']
    """
    return list(islice(cycle(SENTENCES[language]), count))


def words(language: str, count: int) -> list[str]:
    """Return `count` neutral words, repeating them in turn (in Chinese each is two characters long)."""
    return list(islice(cycle(WORDS[language]), count))
