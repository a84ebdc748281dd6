"""The words by which the name of a folder or a file names a split, and what one name says of one.

A name is parted into words (`ISIC2018_Training_Input`, `TestDataset`, `x_train`, `imagesTs`, `valmasks`),
some of which may name a split. Whether they do depends on the other names: see `split_folders`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

EVAL = "eval"
"""The split of what evaluates: val where nothing else is called so, else test."""

_SPLITS = {
    "train": "train", "training": "train", "trainval": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test", "holdout": "test", "heldout": "test",
    "eval": EVAL, "evaluation": EVAL, "évaluation": EVAL, "evaluación": EVAL, "evaluacion": EVAL,
    "avaliação": EVAL, "avaliacao": EVAL, "valutazione": EVAL, "evaluierung": EVAL, "evaluatie": EVAL,
    "оценка": EVAL, "评估": EVAL, "评测": EVAL, "評価": EVAL, "평가": EVAL,
    "vld": "val",
    "entrenamiento": "train", "entrainement": "train", "entraînement": "train", "treino": "train",
    "treinamento": "train", "обучение": "train", "обучающая": "train",
    "训练": "train", "训练集": "train", "訓練": "train", "学習": "train", "학습": "train", "훈련": "train",
    "validierung": "val", "validacion": "val", "validación": "val", "validacao": "val", "validação": "val",
    "валидация": "val", "验证": "val", "验证集": "val", "検証": "val", "검증": "val",
    "prueba": "test", "pruebas": "test", "teste": "test", "тест": "test", "тестовая": "test",
    "apprentissage": "train", "addestramento": "train", "allenamento": "train", "тренировка": "train",
    "convalida": "val", "validazione": "val", "validatie": "val", "проверка": "val", "проверочная": "val",
    "测试": "test", "测试集": "test", "テスト": "test", "테스트": "test",
}  # fmt: skip
_JOINED = {
    word: _SPLITS[word] for word in ("validation", "training", "testing", "valid", "train", "test", "val")
}
"""Words that others are joined to without a sign, the longest first: `validcrop` is `valid` and `crop`."""
SPLIT_WORDS = frozenset(_SPLITS)
"""Words that name a split, in lower case."""

_SHORT = {"tr": "train", "trn": "train", "va": "val", "te": "test", "ts": "test", "tst": "test", "vl": "val"}
_DATA = frozenset(
    (
        "data", "dataset", "datasets", "set", "sets", "subset", "split", "splits", "folder", "dir", "part",
        "id", "ids", "idx", "indices", "list", "lists", "file", "files", "filename", "filenames", "name",
        "names", "index",
        "instances", "coco", "voc", "panoptic", "aug", "autosplit",
        "daten", "datensatz", "datensätze", "satz", "menge", "teil", "ordner", "sdaten", "sdatensatz",
        "ssatz", "smenge", "steil", "sset", "données", "donnees", "jeu", "ensemble", "datos", "conjunto",
        "dados", "dati", "insieme", "gegevens", "выборка", "данные", "набор", "数据", "数据集", "集", "集合",
        "样本", "資料", "データ", "データセット", "セット", "用", "데이터", "데이터셋", "세트",
    )
)  # fmt: skip
_BETWEEN = frozenset(("de", "du", "der", "des", "d"))
_ROLES = frozenset(
    (
        "image", "images", "img", "imgs", "im", "jpegimages", "photo", "photos", "picture", "pictures", "rgb",
        "input", "inputs", "mask", "masks", "label", "labels", "anno", "annos", "annot", "annots",
        "annotation", "annotations", "gt", "gts", "ground", "truth", "groundtruth", "seg", "segs",
        "segmentation", "segmentations", "target", "targets", "output", "outputs", "map", "maps", "x", "y",
        "bild", "bilder", "sbilder", "maske", "masken", "smasken", "masques", "imagenes", "imágenes",
        "máscaras", "mascaras", "изображения", "маски", "图像", "图片", "影像", "标签", "掩码", "画像",
        "マスク",
    )
)  # fmt: skip
_GLUE = tuple(
    sorted(
        (*_SPLITS, *(word for word in _DATA | _ROLES if len(word) > 1 or not word.isascii())),
        key=len,
        reverse=True,
    )
)

_LONGEST = 40
"""Letters of a word that is looked at; longer ones name no split."""

_MAY_NAME = re.compile(
    "t[res]|va|vl|dev|h(?:old|eld)out|entra|prueba|appren|addes|allena|conval|[^\\x00-\u02ff]", re.IGNORECASE
)
_LETTERS = re.compile(r"[^\W\d_]+")
_SIZE = re.compile(r"\d+x\d+", re.IGNORECASE)
_CAPITALS_END = re.compile(r"[A-Z]{2,}|[A-Z]?[a-z]+")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@dataclass(frozen=True, slots=True)
class SplitName:
    """What the name of a folder or a file says of a split.

    `split` is train, val, test, or eval, which is one of the latter two. `rest` holds the other words that
    tell something: roles of pictures (`masks`) and words that are not known. `known` says whether all words
    are; `short` whether the split is told by two letters alone, or by a part of a word; `whole` whether the
    name is of what is still to be parted (`trainval`).
    """

    split: str
    rest: tuple[str, ...]
    known: bool
    short: bool
    whole: bool

    @property
    def shape(self) -> tuple[str, ...]:
        """The words that are not known: names of the other splits of a set have the same."""
        return tuple(word for word in self.rest if word not in _ROLES)


def split_name(name: str) -> SplitName | None:
    """What a name without the file's ending says of a split; None where it names none, or several."""
    return _split_name(name) if _MAY_NAME.search(name) else None  # most names, which are many, do not


def joined_split_name(name: str) -> SplitName | None:
    """As `split_name`, of a word that a split is a part of, such as `valcrop`. So is it of `latest`, which is
    of no account as long as no `latrain` is beside it: such names are `short`."""
    sure = split_name(name)
    if sure is not None or not _MAY_NAME.search(name):
        return sure
    for word in _words(name):
        for part, split in _JOINED.items():
            rest = word.removeprefix(part) if word.startswith(part) else word.removesuffix(part)
            if rest and rest != word:
                return SplitName(split, (rest,), known=False, short=True, whole=False)
    return None


@lru_cache(maxsize=8192)
def _split_name(name: str) -> SplitName | None:
    words = [piece for word in _words(name) for piece in _pieces(word)]
    told = {word: _SPLITS.get(word) or _SHORT[word] for word in words if word in _SPLITS or word in _SHORT}
    if set(told) & set(_SPLITS):  # then two letters beside are something else
        told = {word: split for word, split in told.items() if word in _SPLITS}
    splits = set(told.values())
    whole = splits == {"train", "val"} or "trainval" in told
    if whole:
        splits = {"train"}
    if len(splits) != 1:
        return None
    rest = tuple(word for word in words if word in _ROLES or not (word in told or _says_nothing(word)))
    known = all(word in _ROLES for word in rest)
    return SplitName(splits.pop(), rest, known, short=not set(told) & set(_SPLITS), whole=whole)


def _words(name: str) -> list[str]:
    """Runs of letters, parted where capitals begin a word; in lower case."""
    runs = _LETTERS.findall(_SIZE.sub(" ", name))
    return [word.casefold() for run in runs for word in (_parted_by_case(run) if run.isascii() else (run,))]


def _parted_by_case(run: str) -> list[str]:
    """The words of `TrainDataset` and `TRAINImages`; of `VOCtrainval` and `VALdata`, too."""
    if run.casefold() in _SPLITS:
        return [run]
    ends = _CAPITALS_END.findall(run)
    return ends if any(word.casefold() in _SPLITS for word in ends) else _CAMEL.findall(run)


def _says_nothing(word: str) -> bool:
    return word in _DATA or word in _BETWEEN or len(word) == 1


def _pieces(word: str) -> tuple[str, ...]:
    """A word parted into known ones, of which one names a split: `valmasks`, `imagests`; else as it is."""
    if word in _SPLITS or word in _DATA or word in _ROLES or len(word) > _LONGEST:
        return (word,)
    parted = _parted(word)
    return parted if parted and any(piece in _SPLITS or piece in _SHORT for piece in parted) else (word,)


@lru_cache(maxsize=8192)
def _parted(word: str) -> tuple[str, ...] | None:
    if word in _SHORT:
        return (word,)
    for piece in _GLUE:
        if word == piece:
            return (piece,)
        if word.startswith(piece):
            rest = _parted(word[len(piece) :])
            if rest is not None:
                return (piece, *rest)
    return None
