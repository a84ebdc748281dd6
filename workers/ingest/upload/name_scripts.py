"""How much a decoded file name looks like one that people write, for each script.

Each function gives the sum over the characters beyond ASCII: 1 for the usual, less for the rare, below 0 for
what no name has, such as box drawing, or Cyrillic letters within a Latin word. The lists of usual characters
are those of everyday writing and of words that data sets are named with.
"""

from collections.abc import Callable

_HANZI = frozenset(
    "的一是不了在人有我他这个中大来上国和地到以时要就出会可也你对生能子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学"
    "如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外"
    "将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东"
    "声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资"
    "图像片照标签注掩膜训练验证测试据集始夹副素材病人张猫狗车路医院影眼肺肝肿瘤细胞血管皮肤割类别遥感农田作物房屋建筑裂缝缺陷检航拍"
    "号单页左右红黄绿蓝白黑春夏秋冬北南京上海州省县镇村河湖山林树花草鱼鸟马牛羊鸡五六七八九零百千万李王刘陈杨赵周吴徐孙朱胡郭"
    "火焰烟雾安帽钢筋螺丝病害坑洼麦米玉苹果橘舌头牙齿损结节肠镜胃息垃圾船舶飞星卫体林耕异良划痕毛刺气孔背面午晴阴雾夜晚甲状腺骨折胸乳腺样始打语义实例桌载我档标题穗稻虫霉斑钉锈漏油泡绝缘子塔杆线箱桶瓶盒袋纸板布皮革木石砖瓦玻璃"
)
_HANZI_TRADITIONAL = frozenset(
    "的一是不了在人有我他這個中大來上國和地到以時要就出會可也你對生能子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學"
    "如都同現當沒動面起看定天分還進好小部其些主樣理心本前開但因只從想實日者意無力它與長把機十民第公此已工使情明性知全三又關點正業外"
    "圖像片照標籤註遮罩訓練驗證測試資料數據集原始夾副新增檔案影名稱病人張貓狗車路醫院眼肺肝腫瘤細胞血管皮膚割類別遙感農田物房屋建築裂縫缺陷檢"
    "號單頁左右紅黃綠藍白黑春夏秋冬東西南北台灣灣京海州縣鎮村河湖山林樹花草魚鳥馬牛羊雞二四五六七八九零百千萬"
    "火焰煙霧安帽鋼筋螺絲病害坑麥米玉蘋果橘舌頭牙齒損結節腸鏡胃息垃圾船舶飛機星衛體林耕異良刮痕毛刺氣孔背面午晴陰夜晚甲狀腺骨折胸乳樣原始資標註檔桌下載未命語義實例擷取螢幕"
)
_KANJI = frozenset(
    "日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地合市業内相方四定今回新場金員九入選立開手米力学問高"
    "代明実円関決子動京全目表戦経通外最言氏現理調体化田当八六約主題下首意法不来作性的要用制治度務強気小七成期公野協取都和統以機平総加山思"
    "画像写真試験訓練検証教師学習標識分類領域元素材版患者猫犬車道路医院眼肺肝腫瘍細胞血管皮膚農業建物左右赤黄緑青白黒春夏秋冬西南北番号名前編集用保存資料図表枚森川海空花木魚鳥馬牛羊鶏"
    "町村県府区駅店校室屋家店名田中村山本木林佐藤鈴高橋渡辺伊加"
    "火災煙傷欠陥小麦歯胃腸鏡船飛行機衛星水域林正常異良不背面午晴曇昼夜骨折胸標生無題稲煙草葉根茎実果土砂石鉄鋼板布紙箱瓶袋工場製検査合格否外観錆割汚泡点線円角形色光影朝夕雨雪風雲空港橋塔電柱"
)
_HANGUL = frozenset(
    "이다의는에가하고을로한지사도대기자인시리어나서아들정부일그해구전스과보수장원제주동면라를여상있게으오조공경성소용중비선마안만국유관위"
    "신해미개법화우물세은년간방문학연진행교회계업재생내당산영모현출양적실분발치것호거드방무통말체데금식트외남북동강운심결역민군바력반복천감"
    "사진영상이미지마스크라벨학습검증시험훈련원본데이터폴더복사새번째파일그림병변환자고양개차도로눈폐간종양세포혈관피부농작물건축균열결함위성왼쪽오른한국서울김박최정강조윤장임"
    "화재연기안모철근나사도포트홀밀옥수귤치아병변결절장내시경위용쓰레선박비행성역산림정상불량스크래앞면뒷맑음흐림낮밤골흉부유방샘플원천링바탕다운로드제목없벼콩밭논잎뿌줄기열매흙돌강판종박스병봉투공장검사합격"
)
_CYRILLIC_FREQUENT = frozenset("оеаинтсрвлкмдпуыьязбгчйжхё")
_CYRILLIC = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў")
_LATIN = frozenset("éèêëàâäáãåçñöôóòõüûúùíìîïßøæœýąćęłńśźżčďěňřšťůžőűđăâîșşţ")
_TYPOGRAPHIC = frozenset("–—’‘“”«»°µ©®·…№€£§²³")
_ALL_CAPITALS = 0.85
_WIDE_PUNCTUATION = frozenset("　、。，．・：；！？（）【】《》「」『』〈〉［］－～〜_—…“”‘’·×①②③④⑤⑥⑦⑧⑨⑩")
_MARKS_OF_KANJI = frozenset("ー々〇ヶヵ")


def chinese(text: str) -> float:
    """Simplified Chinese."""
    return _of_wide(text, _hanzi)


def chinese_traditional(text: str) -> float:
    """Traditional Chinese."""
    return _of_wide(text, _hanzi_traditional)


def japanese(text: str) -> float:
    """Kana and kanji."""
    return _of_wide(text, _japanese)


def korean(text: str) -> float:
    """Hangul; hanja are rare in names of today."""
    return _of_wide(text, _hangul)


def cyrillic(text: str) -> float:
    """Russian and its neighbours, whose letters stand in words of their own, capitals in front."""
    return sum(
        _in_word(text, place, _cyrillic(character))
        for place, character in enumerate(text)
        if not character.isascii()
    )


def latin(text: str) -> float:
    """Letters with accents among plain ones; two in a row are rare."""
    return sum(_latin(text, place) for place, character in enumerate(text) if not character.isascii())


def _of_wide(text: str, value: Callable[[str], float]) -> float:
    """The sum over wide characters; one alone within a word of plain letters is none that people write."""
    total = 0.0
    for place, character in enumerate(text):
        if not character.isascii():
            before, after = text[place - 1 : place], text[place + 1 : place + 2]
            total += -0.5 if _is_plain_letter(before) and _is_plain_letter(after) else value(character)
    return total


def _hanzi(character: str) -> float:
    if character in _HANZI:
        return 1.0
    if _is_wide_mark(character):
        return 0.3
    code = _code(character, "gb2312")
    if code is None:
        return -0.5
    if 0xB0 <= code[0] <= 0xD7:  # level 1: the 3,755 of everyday use
        return 0.5
    return 0.1 if code[0] >= 0xD8 else -0.5


def _hanzi_traditional(character: str) -> float:
    if character in _HANZI_TRADITIONAL:
        return 1.0
    if _is_wide_mark(character):
        return 0.3
    code = _code(character, "big5")
    if code is None or code[0] < 0xA4:
        return -0.5
    return 0.45 if code[0] <= 0xC6 else -0.1  # level 1 ends there


def _japanese(character: str) -> float:
    if "ぁ" <= character <= "ん" or "ァ" <= character <= "ヴ" or character in _MARKS_OF_KANJI:
        return 1.0
    if character in _KANJI:
        return 0.95
    if _is_wide_mark(character):
        return 0.3
    code = _code(character, "shift_jis")
    if code is None or len(code) < 2 or not 0x88 <= code[0] <= 0xEA:
        return -0.6  # among them the narrow kana, which other encodings' letters turn into
    return 0.45 if code[0] <= 0x97 else -0.1  # level 1 ends in 0x98


def _hangul(character: str) -> float:
    if character in _HANGUL:
        return 1.0
    if _is_wide_mark(character):
        return 0.3
    if not "가" <= character <= "힣":
        return -0.4
    return 0.45 if _code(character, "euc_kr") else -0.4


def _cyrillic(character: str) -> float:
    lower = character.lower()
    if lower in _CYRILLIC_FREQUENT:
        return 1.0
    if lower in _CYRILLIC:
        return 0.8
    return 0.2 if character in _TYPOGRAPHIC else -0.8


def _latin(text: str, place: int) -> float:
    character = text[place]
    if character in _TYPOGRAPHIC:
        inside = text[place - 1 : place].isalpha() and text[place + 1 : place + 2].isalpha()
        return -0.5 if inside and character != "’" else 0.2
    if character.lower() not in _LATIN:
        return -0.8
    before = text[place - 1 : place].lower()
    if before and before in _LATIN:
        return 0.1
    return _in_word(text, place, 0.95)


def _in_word(text: str, place: int, value: float) -> float:
    """`value` of a letter, less where it stands as no writer puts it: a capital after a small letter, a small
    one after several capitals, or beside a letter of another script; half of it for a Cyrillic one alone."""
    character = text[place]
    if value < 0 or not character.isalpha():
        return value
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    if character.isupper() and before.isalpha():
        value = _ALL_CAPITALS * value if before.isupper() else -1.5
    elif character.islower() and before.isupper() and text[place - 2 : place - 1].isupper():
        value = -1.5
    if character.lower() not in _CYRILLIC or value < 0:
        return value
    if _is_plain_letter(before) or _is_plain_letter(after):
        return -0.5
    return value if before.isalpha() or after.isalpha() else value / 2


def _is_plain_letter(text: str) -> bool:
    return text.isascii() and text.isalpha()


def _is_wide_mark(character: str) -> bool:
    """Whether it is punctuation, a digit or a letter as wide as a Chinese character."""
    return character in _WIDE_PUNCTUATION or "０" <= character <= "ｚ"


def _code(character: str, encoding: str) -> bytes | None:
    try:
        return character.encode(encoding)
    except UnicodeEncodeError:
        return None
