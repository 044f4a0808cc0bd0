"""The describer with other language models than our own, and what it makes of their answers."""

import keras
import keras_hub
import pytest
import sentencepiece

import tfimg
from tfimg.tasks.describer import Description


class Answering:
    """A language model that always says the same, and remembers what it was asked."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def compile(self, **_):
        pass

    def generate(self, questions, max_length, strip_prompt):
        assert strip_prompt
        self.asked += questions
        return [self.answer] * len(questions)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("It is dark.\nBrighten it.", Description("It is dark.", "Brighten it.")),
        (" It is dark. \n Brighten it. \nNext", Description("It is dark.", "Brighten it.")),
        # What the model does not say is said in our own words.
        ("It is dark.", Description("It is dark.", "brighten the picture")),
        ("", Description("", "brighten the picture")),
    ],
)
def test_an_answer_is_two_lines(answer, expected):
    assert tfimg.Describer(Answering(answer)).describe({"low_light": 0.9}) == expected


def test_without_an_answer_it_asks_in_the_language_for_what_was_found():
    describer = tfimg.Describer(Answering(""))
    found = [{"noise": 0.9, "rain": 0.8}, {"none": 0.9}]
    written = describer.describe_all(found, language="zh")
    assert written == [Description("", "去掉噪点，去掉雨丝"), Description("", "")]


def test_only_what_is_sure_is_asked_about():
    model = Answering("a\nb")
    found = {"noise": 0.9, "rain": 0.4, "none": 0.6}
    tfimg.Describer(model).describe(found, {"noise": 0.9, "rain": 0.9}, "zh")
    tfimg.Describer(model).describe({"none": 0.9})
    assert "heavy noise." in model.asked[0] and "rain" not in model.asked[0]
    assert "Chinese" in model.asked[0] and "nothing wrong" in model.asked[1]


def test_a_language_model_of_another_family_plugs_in(tmp_path):
    keras.utils.set_random_seed(0)
    pieces = tmp_path / "pieces"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["A photo with noise. Its state, and what to ask for"] * 20),
        model_prefix=str(pieces),
        vocab_size=40,
        model_type="BPE",
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        pad_piece="<pad>",
        bos_piece="<bos>",
        eos_piece="<eos>",
        minloglevel=2,
    )
    tokenizer = keras_hub.models.GemmaTokenizer(f"{pieces}.model")
    backbone = keras_hub.models.GemmaBackbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=1,
        num_query_heads=2,
        num_key_value_heads=1,
        hidden_dim=8,
        intermediate_dim=16,
        head_dim=4,
    )
    preprocessor = keras_hub.models.GemmaCausalLMPreprocessor(tokenizer)
    folder = str(tmp_path / "gemma")
    keras_hub.models.GemmaCausalLM(backbone, preprocessor).save_to_preset(folder)
    describer = tfimg.Describer.from_preset(folder)
    assert isinstance(describer.causal_lm, keras_hub.models.GemmaCausalLM)
    assert isinstance(describer.describe({"noise": 0.9}), Description)


def test_an_unknown_preset_is_named():
    with pytest.raises(ValueError, match="no_such"):
        tfimg.Describer.from_preset("no_such")
