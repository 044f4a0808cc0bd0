"""The tokeniser that apps port, against KerasHub's, on everything the corpus says and more."""

import json
import random
from importlib.resources import files

import numpy as np
import pytest

from export.wordpiece import WordPiece
from tfimg.degradations import NAMES
from tfimg.tasks.preprocessor import InstructionPreprocessor
from tfimg.text import build
from tfimg.text.corpus import LANGUAGES, SPLITS, Corpus

LENGTH = 48
ODD = [
    "ÉCLAIRCIR l'image — s'il vous plaît",
    "make it  bright\tand\nsharp\r\x0b!",
    "去掉噪点🌧️🙂，并且 increase the 分辨率!!",
    "a" * 101 + " " + "é" * 51 + " short",
    "x²+y³=½ · ＦＵＬＬ　ｗｉｄｔｈ　１２３",
    "zero\u200bwidth soft\u00adhyphen\ufeff bom\x00nul",
    "straße İstanbul ǅ ﬁne",
    "[UNK] [MASK] ##ing ## # [CLS]",
    "日本語のテキスト 한국어 𠀀𫝀 豈",
    "noise " * 100,
    "$^`~|<>=+ don't `can't' “quotes” «more» …",
    "🌧",
]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    tokenizer = build.untrained_tokenizer()
    path = tmp_path_factory.mktemp("words") / "vocabulary.txt"
    path.write_text("\n".join(tokenizer.get_vocabulary()) + "\n", encoding="utf-8")
    return WordPiece(path, LENGTH), InstructionPreprocessor(tokenizer, LENGTH)


def _assert_equal(both, sentences):
    ours, keras_hub = both
    expected = keras_hub.tokenize(sentences)
    token_ids, padding_mask = (
        np.concatenate(rows) for rows in zip(*map(ours, sentences), strict=True)
    )
    wrong = (token_ids != np.asarray(expected["token_ids"])).any(axis=1)
    assert not wrong.any(), [s for s, bad in zip(sentences, wrong, strict=True) if bad][:5]
    np.testing.assert_array_equal(padding_mask, expected["padding_mask"])
    assert token_ids.dtype == padding_mask.dtype == np.int32


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_of_the_corpus_give_the_same_tokens(both, language):
    rng = random.Random(0)
    sentences = [
        corpus.sentence(rng.sample(NAMES, rng.choice((0, 1, 1, 1, 2, 3))), rng)
        for corpus in (Corpus(language, split) for split in SPLITS)
        for _ in range(3000)
    ]
    assert len(set(sentences)) > 4000
    _assert_equal(both, sentences)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_phrases_and_templates_give_the_same_tokens(both, language):
    def phrases(bank):
        if isinstance(bank, str):
            return [bank]
        parts = bank.values() if isinstance(bank, dict) else bank
        return [phrase for part in parts for phrase in phrases(part)]

    path = files("tfimg.text") / "phrases" / f"{language}.json"
    sentences = [*filter(str.strip, phrases(json.loads(path.read_text(encoding="utf-8"))))]
    assert len(sentences) > 1000
    _assert_equal(both, sentences)


def test_odd_sentences_give_the_same_tokens(both):
    _assert_equal(both, ODD)


def test_random_characters_give_the_same_tokens(both):
    rng = random.Random(1)
    planes = [(0x20, 0x7F), (0xA0, 0x250), (0x370, 0x530), (0x2000, 0x2070), (0x3000, 0x30FF)]
    sentences = [
        "a" + "".join(chr(rng.randrange(*rng.choice(planes))) for _ in range(12)) + "b"
        for _ in range(2000)
    ]
    _assert_equal(both, sentences)


@pytest.mark.parametrize("sentence", ["", "  \n"])
def test_an_empty_sentence_is_refused(both, sentence):
    with pytest.raises(ValueError, match="empty"):
        both[0](sentence)


def test_a_vocabulary_without_its_marks_is_refused(tmp_path):
    path = tmp_path / "vocabulary.txt"
    path.write_text("[PAD]\n[UNK]\nnoise\n")
    with pytest.raises(ValueError, match=r"lacks '\[CLS\]'"):
        WordPiece(path, 8)
