"""Characters that are words of their own, and characters that `\\w` leaves out although words contain them."""

from __future__ import annotations

import unicodedata

#: Han characters and kana (without kana punctuation), as the inside of a character class.
CJK = (
    r"\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_COMBINING = (chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code)) in {"Mn", "Mc"})
#: Combining marks of all scripts, and the joiners of Persian and Indic words.
MARK = "\u200c\u200d" + "".join(_COMBINING)
