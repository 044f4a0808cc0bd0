"""What the small text branch learns from: pairs, a dictionary, principal components."""

import numpy as np
import pytest

from tests import tiny
from tfimg.data.captioned import Captioned
from training import distilling, recipes

ROWS = [
    {"name": "rain", "name_zh": "去掉", "keywords": ["make"], "keywords_zh": [], "style": "photo"},
    {"name": "haze", "name_zh": "", "keywords": [], "keywords_zh": [], "style": "photo"},
]
CAPTIONED = Captioned(np.zeros((2, 4, 4, 4), np.uint8), ROWS, np.array([0.5, 0.5]))


class Teacher:
    """Knows every text by its length and its first letter."""

    def embed(self, texts):
        return np.array([[len(text), ord(text[0]), 1.0, 0.0] for text in texts], np.float32)


def test_both_languages_say_the_same():
    pairs = distilling.prompt_pairs(CAPTIONED, 200, seed=0)
    assert pairs == distilling.prompt_pairs(CAPTIONED, 200, seed=0)
    colours = 0
    for english, chinese in pairs:
        assert ("haze" in english) == (chinese == "")
        if chinese:
            assert ("photo" in english) == ("照片" in chinese)
            assert ("background" in english) == ("背景" in chinese)
            assert ("blue" in english) == ("蓝色" in chinese)
        colours += "background" in english
    assert 50 < colours < 150


def test_a_dictionary_gives_short_entries(tmp_path):
    path = tmp_path / "small.u8"
    path.write_text(
        "# a comment\n"
        "蘋果 苹果 [ping2 guo3] /apple/CL:個|个[ge4]/\n"
        "跑 跑 [pao3] /to run/\n"
        "北京 北京 [Bei3 jing1] /Beijing, capital/\n"
        "說 说 [shuo1] /something that takes far too many words/\n"
        "个 个 [ge4] /variant of 個/\n",
        encoding="utf-8",
    )
    assert list(distilling.dictionary_pairs(path)) == [("apple", "苹果"), ("run", "跑")]


def test_principal_components_are_those_of_the_singular_values():
    points = np.random.default_rng(0).normal(0, [5, 3, 1, 0.2], (300, 4)).astype(np.float32)
    found = distilling.principal(points, 2)
    assert found.shape == (300, 2) and found.std() == pytest.approx(1, rel=1e-4)
    centred = points - points.mean(0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    expected = left[:, :2] * sizes[:2]
    cosines = np.abs((found * expected).sum(0)) / np.linalg.norm(found, axis=0)
    np.testing.assert_allclose(cosines / np.linalg.norm(expected, axis=0), 1, rtol=1e-3)


def test_lessons_put_both_languages_on_one_place():
    pairs = [*distilling.prompt_pairs(CAPTIONED, 30, 0), ("noise", "噪点"), ("bright", "")]
    preprocessor = tiny.preprocessor()
    lessons = distilling.learnt(Teacher(), pairs, 2, preprocessor)
    assert lessons["token_ids"].shape == (32, 2, tiny.LENGTH)
    there = lessons["padding_mask"].any(-1)
    assert there[:, 0].all()
    np.testing.assert_array_equal(there[:, 1], [bool(chinese) for _, chinese in pairs])

    recipe = recipes.Things(steps=1, batch_size=10, embedding_dim=2, token_dropout=0.0)
    first = list(distilling.lesson_batches(recipe, lessons, 30, preprocessor, 0, 0).take(3))
    later = next(iter(distilling.lesson_batches(recipe, lessons, 30, preprocessor, 0, 2)))
    np.testing.assert_array_equal(first[2][0]["token_ids"], later[0]["token_ids"])
    x, y = first[0]
    places = {row.tobytes() for row in lessons["embedding"]}
    assert all(row.numpy().tobytes() in places for row in y["embedding"])
    assert (np.asarray(x["padding_mask"]).sum(1) > 2).all(), "no sentence is empty"


def test_the_teachers_words_are_whole():
    class Tokenizer:
        def get_vocabulary(self):
            return ["[PAD]", "cat", "##s", "of", "naïve", "3d", "house"]

    assert distilling.teacher_words(Tokenizer()) == ["cat", "house"]
