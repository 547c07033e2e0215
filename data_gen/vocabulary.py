"""Words and phrases that constraints ask for, by language."""

from __future__ import annotations

_ENGLISH = """
water music winter summer friend family morning evening paper silver golden orange yellow purple green
circle square simple modern ancient hidden secret travel flower butter sugar pepper coffee dinner supper
doctor artist painter singer dancer farmer driver pilot sailor hunter castle palace temple tower village
island desert valley ocean planet rocket engine mirror carpet candle basket bottle blanket pillow hammer
ladder button pocket ticket wallet camera guitar violin piano trumpet tiger rabbit turtle spider monkey
donkey parrot pigeon salmon dolphin energy nature reason memory effort method result number pattern
balance freedom justice courage patience kindness honesty wisdom beauty wonder
"""
_CHINESE = """
朋友 时间 天空 月亮 太阳 星星 春天 夏天 秋天 冬天 早上 晚上 音乐 电影 故事 诗歌 颜色 红色 蓝色 绿色
白色 黑色 老师 医生 农民 司机 画家 歌手 城市 村庄 海洋 沙漠 高山 森林 草原 道路 河流 大海 水果 蔬菜
面包 牛奶 茶叶 咖啡 桌子 椅子 窗户 房间 衣服 帽子 鞋子 手机 电脑 飞机 火车 汽车 自由 公平 勇气 耐心
智慧 快乐 健康 和平 希望 梦想 孩子 植物 阳光 安静 食物 空气
"""
KEYWORDS: dict[str, tuple[str, ...]] = {"en": tuple(_ENGLISH.split()), "zh": tuple(_CHINESE.split())}

END_PHRASES: dict[str, tuple[str, ...]] = {
    "en": (
        "That is all.", "Hope this helps.", "Thank you for reading.", "Is there more to do?", "This is the end.",
        "Please check it again.", "Have a nice day.", "Ask me again soon.", "Now it is done.", "See you next time.",
        "Any other question?", "I am sure of it.", "Keep this in mind.", "Good luck with it.", "Let me know.",
        "That was easy.", "We are done here.", "Nothing is missing.", "It is your turn now.", "Good night.",
    ),
    "zh": (
        "以上就是全部。", "希望有帮助。", "谢谢阅读。", "还有问题吗？", "到此结束。", "请再检查一次。", "祝你愉快。",
        "下次再见。", "请记住这一点。", "祝你好运。", "我很确定。", "完成了。", "轮到你了。", "晚安。", "回答完毕。",
    ),
}  # fmt: skip
