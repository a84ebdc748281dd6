"""Words of several languages by which files that name classes, and the columns in them, are known.

English, German, French, Spanish, Portuguese, Italian, Dutch, Russian, Chinese, Japanese and Korean.
"""

CLASS_WORDS = (
    r"class(?:es)?", r"labels?", r"categor(?:y|ies)", "legend", "ontology", "names", "id", "idx",
    r"klassen?", r"kategorien?", "legende", "bezeichnungen", "beschriftungen",
    r"[eé]tiquettes?", r"cat[eé]gories?", r"l[eé]gende",
    r"clases?", "etiquetas?", r"categor[ií]as?", "leyenda",
    r"r[oó]tulos?", "legenda",
    r"classi", "etichette", "categorie", "categorieën",
    "классы", "метки", "категории",
    "类别", "类", "類別", "标签", "標籤", "标注类别", "类名", "分类", "图例", "クラス", "ラベル", "カテゴリ",
    "클래스", "라벨", "레이블", "범주",
)  # fmt: skip
"""Patterns of words for classes, in lower case."""

LIST_WORDS = (
    r"names?", r"map(?:ping|s)?", "list", "dict", "info", "ids?", "idx", r"ind(?:ex|ices)", "table",
    r"definitions?", r"colou?rs?", "meta", "to", "2",
    r"namen?", r"liste?n?", "tabelle", "übersicht", "der", "de", "des", "del", "dei", "das", "las", "los",
    r"noms?", "nombres", "lista", "nomes", "nomi", "elenco", "lijst",
    "названия", "список", "имена",
    "名称", "名稱", "名", "列表", "说明", "說明", "表", "定义", "映射", "一覧",
    "リスト", "目录", "이름", "목록",
)  # fmt: skip
"""Patterns of what stands beside these words in the names of files."""

ID_HEADS = frozenset((
    "id", "value", "index", "class_id", "label_id", "class id", "label id", "pixel value", "pixel_value",
    "mask value", "mask_value", "code", "number", "no", "no.", "#",
    "nr", "nr.", "nummer", "wert", "pixelwert", "klassen-id", "klasse id",
    "valeur", "numéro", "indice", "valor", "número", "numero", "índice", "valore", "waarde",
    "значение", "номер", "индекс", "编号", "值", "像素值", "序号", "索引", "標號",
    "番号", "画素値", "번호", "값",
))  # fmt: skip
"""Headings of columns of mask values."""

NAME_HEADS = frozenset((
    "name", "class", "label", "class_name", "label_name", "class name", "label name", "category", "meaning",
    "klasse", "klassenname", "bezeichnung", "kategorie", "bedeutung",
    "nom", "classe", "catégorie", "étiquette", "nombre", "clase", "categoría", "etiqueta",
    "nome", "categoria", "rótulo", "etichetta", "naam",
    "название", "класс", "имя", "名称", "名稱", "类别", "類別", "类名",
    "含义", "标签", "名前", "クラス", "이름", "클래스",
))  # fmt: skip
"""Headings of columns of names."""

COLOR_HEADS = frozenset((
    "color", "colour", "rgb", "hex", "rgb color", "rgb_color", "rgb value", "rgb_value", "color_rgb",
    "color rgb", "hex color", "hex_color", "palette", "farbe", "couleur", "cor", "colore", "kleur",
    "цвет", "颜色", "顏色", "色", "색",
))  # fmt: skip
"""Headings of columns of colours."""

BACKGROUNDS = frozenset((
    "background", "_background_", "__background__", "bg", "back_ground", "back ground",
    "hintergrund", "arrière-plan", "arrière plan", "arriere-plan", "arriere plan", "fond", "fondo",
    "fundo", "plano de fundo", "sfondo", "achtergrond", "tło", "фон", "背景", "배경",
))  # fmt: skip
"""What the class of all that is no object is called, in lower case."""
