"""Common characters that tell simplified Chinese from traditional Chinese.

Only characters that one form of writing has and the other has not are listed, so `后`, `里` or `面` decide nothing.
"""

from __future__ import annotations

import re

#: A simplified character that traditional text never holds, with the traditional one that simplified text never holds.
_PAIRS = (
    "爱愛 罢罷 备備 贝貝 笔筆 毕畢 边邊 宾賓 变變 标標 报報 办辦 帮幫 宝寶 补補 财財 参參 仓倉 产產 长長 "
    "尝嘗 车車 齿齒 从從 达達 带帶 单單 当當 东東 动動 断斷 对對 队隊 尔爾 风風 冈岡 广廣 归歸 龟龜 国國 "
    "过過 华華 画畫 汇匯 会會 夹夾 将將 节節 尽盡 进進 举舉 壳殼 来來 乐樂 历歷 丽麗 两兩 刘劉 龙龍 娄婁 "
    "卢盧 虏虜 录錄 虑慮 仑侖 罗羅 马馬 买買 卖賣 麦麥 门門 难難 鸟鳥 聂聶 农農 齐齊 岂豈 迁遷 乔喬 亲親 "
    "穷窮 区區 杀殺 审審 师師 时時 寿壽 属屬 双雙 肃肅 岁歲 孙孫 条條 为為 韦韋 乌烏 无無 献獻 乡鄉 写寫 "
    "寻尋 亚亞 严嚴 厌厭 尧堯 业業 页頁 义義 艺藝 阴陰 隐隱 犹猶 鱼魚 郑鄭 执執 质質 专專 们們 这這 个個 "
    "说說 话話 语語 读讀 请請 谢謝 谁誰 让讓 认認 识識 讲講 论論 议議 证證 评評 词詞 译譯 试試 诗詩 诚誠 "
    "该該 详詳 误誤 课課 调調 谈談 谓謂 谱譜 计計 订訂 记記 许許 设設 访訪 诉訴 诊診 红紅 级級 纪紀 约約 "
    "纯純 纸紙 线線 练練 组組 细細 终終 经經 结結 给給 络絡 统統 继繼 续續 维維 绿綠 编編 缘緣 罚罰 负負 "
    "责責 贤賢 败敗 货貨 贩販 贪貪 购購 贵貴 费費 资資 赛賽 赞贊 赢贏 赵趙 轨軌 转轉 轮輪 软軟 轻輕 载載 "
    "较較 辆輛 输輸 辑輯 闪閃 闭閉 问問 闲閑 间間 闷悶 闻聞 阅閱 顶頂 项項 顺順 须須 顾顧 预預 领領 频頻 "
    "题題 颜顏 额額 飞飛 饭飯 饮飲 饱飽 饰飾 馆館 驶駛 驻駐 驾駕 验驗 骗騙 骑騎 鲁魯 鲜鮮 鸡雞 鸣鳴 鸭鴨 "
    "鹅鵝 钟鐘 钢鋼 钱錢 铁鐵 铜銅 银銀 错錯 锁鎖 锅鍋 镇鎮 镜鏡 针針 钉釘 见見 观觀 规規 视視 觉覺 览覽 "
    "学學 实實 岛島 峡峽 币幣 应應 库庫 庙廟 废廢 张張 弹彈 强強 彻徹 态態 总總 恋戀 恶惡 惯慣 戏戲 战戰 "
    "户戶 扩擴 扫掃 扬揚 护護 担擔 拥擁 择擇 挥揮 损損 换換 掷擲 摄攝 数數 敌敵 旧舊 旷曠 显顯 晓曉 暂暫 "
    "术術 杂雜 权權 杨楊 枪槍 树樹 样樣 桥橋 检檢 楼樓 欢歡 欧歐 残殘 汉漢 汤湯 沟溝 泪淚 泽澤 浅淺 测測 "
    "济濟 浓濃 涛濤 润潤 涨漲 渐漸 湾灣 湿濕 满滿 滚滾 灭滅 灯燈 灾災 炉爐 点點 炼煉 烂爛 烦煩 烧燒 热熱 "
    "爷爺 牵牽 独獨 狭狹 狮獅 猫貓 环環 现現 玛瑪 电電 畅暢 疗療 疯瘋 皱皺 盐鹽 监監 盖蓋 盘盤 礼禮 祸禍 "
    "积積 称稱 稳穩 竞競 笼籠 签簽 简簡 类類 粮糧 紧緊 纠糾 职職 联聯 聪聰 肠腸 肤膚 脑腦 脚腳 脸臉 舰艦 "
    "艰艱 苏蘇 荣榮 药藥 莲蓮 获獲 萝蘿 营營 蓝藍 虽雖 蚁蟻 蛮蠻 装裝 誉譽 踪蹤 辞辭 辽遼 迟遲 选選 逊遜 "
    "递遞 逻邏 遗遺 邮郵 邻鄰 酱醬 酿釀 释釋 鉴鑒 阳陽 阵陣 际際 陆陸 陈陳 险險 随隨 雾霧 静靜 韩韓 响響 "
    "顿頓 颗顆 饿餓 黄黃 龄齡 开開 关關 头頭 妈媽 妇婦 娱娛 宪憲 宽寬 导導 层層 尘塵 书書 习習 乱亂 争爭 "
    "亏虧 亿億 仅僅 仪儀 众眾 伞傘 伟偉 传傳 伤傷 伦倫 侧側 侦偵 债債 倾傾 偿償 储儲 兑兌 兰蘭 兴興 养養 "
    "兽獸 内內 军軍 冲衝 决決 况況 冻凍 净淨 凉涼 减減 凤鳳 凭憑 击擊 刚剛 创創 剂劑 剑劍 剧劇 劝勸 务務 "
    "劳勞 势勢 勋勳 医醫 协協 卫衛 厅廳 压壓 厕廁 县縣 叙敘 号號 叹嘆 启啟 吴吳 员員 呜嗚 咏詠 哑啞 "
    "唤喚 啸嘯 喷噴 嘱囑 团團 园園 围圍 图圖 圆圓 场場 块塊 坚堅 坛壇 坟墳 垄壟 垒壘 处處 够夠 夺奪 奋奮 "
    "奖獎 妆妝 发發"
).split()
#: Here only the second character decides: the first one is a character of traditional text, too.
_TRADITIONAL_ONLY = (
    "党黨 离離 气氣 圣聖 与與 网網 岭嶺 怀懷 惊驚 愿願 挂掛 据據 机機 极極 构構 洁潔 种種 胜勝 苹蘋 触觸 "
    "适適 价價 优優 体體 儿兒 听聽 坏壞 复復 发髮 钟鍾"
).split()

SIMPLIFIED = re.compile(f"[{''.join(pair[0] for pair in _PAIRS)}]")
TRADITIONAL = re.compile(f"[{''.join(pair[1] for pair in (*_PAIRS, *_TRADITIONAL_ONLY))}]")
_TO_SIMPLIFIED = {ord(pair[1]): pair[0] for pair in (*_PAIRS, *_TRADITIONAL_ONLY)}
_TO_TRADITIONAL = {ord(pair[0]): pair[1] for pair in _PAIRS}


def to_simplified(text: str) -> str:
    """Return the text with its listed traditional characters simplified.

    Example:
        >>> to_simplified("這個問題"), to_traditional("这个问题")
        ('这个问题', '這個問題')
    """
    return text.translate(_TO_SIMPLIFIED)


def to_traditional(text: str) -> str:
    """Return the text with its listed simplified characters in their traditional form."""
    return text.translate(_TO_TRADITIONAL)
