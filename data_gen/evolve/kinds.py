"""The kinds of soft demands that an evolution may add, named as a model is asked for them."""

from __future__ import annotations

SOFT_KINDS: dict[str, dict[str, str]] = {
    "tone": {"en": "tone (for example warm, dry, playful)", "zh": "语气（如亲切、冷静、俏皮）"},
    "audience": {"en": "audience (who will read the answer)", "zh": "读者（写给谁看）"},
    "role": {"en": "role (who is speaking in the answer)", "zh": "身份（以谁的口吻来写）"},
    "setting": {"en": "setting (the place or situation the answer is for)", "zh": "场合（回答用在什么地方）"},
    "genre": {"en": "genre (the sort of text it is, for example a diary entry)", "zh": "文体（如日记、书信、解说词）"},
    "imagery": {
        "en": "imagery (a picture that is carried through)",
        "zh": "形象（贯穿全文的比喻或画面）",
    },
    "viewpoint": {"en": "viewpoint (whose view the answer takes)", "zh": "视角（站在谁的角度）"},
    "reasons": {"en": "reasons (what the answer has to justify or explain)", "zh": "理由（要说明或解释什么）"},
    "example": {
        "en": "illustration (the everyday case brought in)",
        "zh": "举例（用哪一类生活中的事来说明）",
    },
    "caution": {"en": "caution (what the reader is warned about)", "zh": "提醒（要读者注意什么）"},
    "feeling": {"en": "feeling (what the reader is to feel)", "zh": "情感（希望读者有什么感受）"},
    "order": {"en": "order of ideas (what is treated before what)", "zh": "条理（先讲什么，后讲什么）"},
}
