"""Sentences: reproducible, asking for what they say, and never shared between the splits."""

import random

import pytest

from tfimg.degradations import NAMES
from tfimg.text.corpus import LANGUAGES, Corpus


def _lists(corpus):
    """Every phrase and template of a corpus, by the list it stands in."""
    for name, kinds in corpus._phrases.items():
        for kind, phrases in kinds.items():
            yield (name, kind), phrases
    yield from corpus._templates.items()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_of_the_test_split_is_in_the_training_lists(language):
    train, test = (dict(_lists(Corpus(language, split))) for split in ("train", "test"))
    assert train.keys() == test.keys()
    for place in train:
        assert train[place] and test[place], f"{place} is empty in one split"
        shared = set(train[place]) & set(test[place])
        assert not shared, f"{place}: {sorted(shared)}"


@pytest.mark.parametrize("kinds", [("requests", "complaints"), ("nouns",), ("adjectives",)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_held_out_phrase_is_not_trained_on_in_other_dress(language, kinds):
    """Neither under another name, nor in capitals, nor with another full stop."""

    def phrases(split):
        return {
            phrase.lower().strip(" .!?。！？")
            for place, phrases in _lists(Corpus(language, split))
            if place[-1] in kinds
            for phrase in phrases
        }

    assert not phrases("train") & phrases("test")


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_reproducible_and_varied(language, split):
    first = Corpus(language, split).sentences({"noise", "rain"}, 40, seed=3)
    assert first == Corpus(language, split).sentences({"rain", "noise"}, 40, seed=3)
    assert first != Corpus(language, split).sentences({"rain", "noise"}, 40, seed=4)
    assert len(set(first)) > 20


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mixture_makes_whole_sentences(language, split):
    corpus, rng = Corpus(language, split), random.Random(0)
    for count in range(4):
        for _ in range(60):
            sentence = corpus.sentence(rng.sample(NAMES, count), rng)
            assert sentence.strip()
            assert not set(sentence) & set("{}"), f"an unfilled template: {sentence}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_more_than_three_names_are_refused(language):
    with pytest.raises(ValueError, match="named holds 4 names .*blur.*expected three"):
        Corpus(language).sentence(set(NAMES[:4]), random.Random(0))


def test_chinese_is_chinese_and_english_is_not():
    def share(language):
        text = "".join(Corpus(language).sentences({"haze"}, 50, seed=0))
        return sum("一" <= character <= "鿿" for character in text) / len(text)

    assert share("zh") > 0.6
    assert share("en") == 0


@pytest.mark.parametrize("arguments", [("de",), ("en", "validation")])
def test_an_unknown_language_or_split_is_named(arguments):
    with pytest.raises(ValueError, match=arguments[-1]):
        Corpus(*arguments)
