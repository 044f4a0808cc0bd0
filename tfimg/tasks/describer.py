"""A language model that says in words what is wrong with a picture, and what to ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras_hub

from tfimg import presets
from tfimg.degradations import NAMES
from tfimg.text.descriptions import level, prompt
from tfimg.text.remedies import SURE, remedy


@dataclass(frozen=True)
class Description:
    """What a describer wrote.

    Attributes:
        state: what the picture is like, one sentence.
        instruction: what to ask for, one sentence that `ImageRestorer.restore` takes.
    """

    state: str
    instruction: str


class Describer:
    """Turns a diagnosis, or what a poor instruction is taken to mean, into full sentences.

    The words are generated token by token by a causal language model. Our own is a small GPT-2
    trained on nothing else; any larger one is asked in the same words.

    Args:
        causal_lm: a `keras_hub.models.CausalLM` with its preprocessor.
        max_length: tokens of the question and the answer together.

    Example:

    ```python
    describer = tfimg.Describer.from_preset("describer")
    describer.describe({"noise": 0.97, "low_light": 0.91}, language="en")
    # Description("The photo is dark and grainy.", "Brighten it and remove the noise.")
    ```
    """

    def __init__(self, causal_lm: keras_hub.models.CausalLM, max_length: int = 128):
        self.causal_lm = causal_lm
        self.max_length = max_length
        # The likeliest word each time: the same picture is described alike on every machine. XLA
        # takes seconds to compile and saves milliseconds.
        causal_lm.compile(sampler="greedy", jit_compile=False)

    @classmethod
    def from_preset(cls, preset: str = "describer", **kwargs):
        """Loads a describer.

        Args:
            preset: a bundled name, a folder, a handle such as `"hf://user/model"`, or the name of
                any of KerasHub's causal language models, such as `"gpt2_base_en"`.
            **kwargs: passed to KerasHub, such as `dtype="float16"`.

        Raises:
            ValueError: for an unknown name, or a folder that is no preset.
        """
        if preset not in keras_hub.models.CausalLM.presets:
            preset = presets.resolve(preset)
        return cls(keras_hub.models.CausalLM.from_preset(preset, **kwargs))

    def save_to_preset(self, folder: str) -> None:
        """Writes the language model as a preset, which `from_preset` loads.

        Args:
            folder: where to; it is made if it is missing.
        """
        self.causal_lm.save_to_preset(folder)

    def describe(
        self,
        found: Mapping[str, float],
        severity: Mapping[str, float] | None = None,
        language: str = "en",
    ) -> Description:
        """Describes one picture.

        Args:
            found: name to probability, as `ImageClassifier.classify` or
                `ImageRestorer.interpret` returns them.
            severity: name to how bad it is, 0..1; without it nothing is called slight or heavy.
            language: `"en"` or `"zh"`.

        Returns:
            A `Description`. Where the language model writes no instruction, that is
            `tfimg.text.remedies.remedy`'s; where nothing is wrong either, it is "".

        Raises:
            KeyError: if `severity` lacks a name that was found.
            ValueError: for another language.

        Example:

        ```python
        diagnosis = classifier.diagnose(image)
        describer.describe(diagnosis.probabilities, diagnosis.severity, language="zh")
        ```
        """
        return self.describe_all([found], [severity], language)[0]

    def describe_all(
        self,
        found: Sequence[Mapping[str, float]],
        severities: Sequence[Mapping[str, float] | None] | None = None,
        language: str = "en",
    ) -> list[Description]:
        """Describes several pictures in one batch.

        Args:
            found, severities: one entry a picture, as for `describe`.
            language: `"en"` or `"zh"`, of all.

        Returns:
            One `Description` a picture.

        Raises:
            KeyError, ValueError: as in `describe`, and if the lists differ in length.

        Example:

        ```python
        describer.describe_all([{"noise": 0.97}, {"rain": 0.91}])
        ```
        """
        severities = severities or [None] * len(found)
        questions, remedies = [], []
        for probabilities, severity in zip(found, severities, strict=True):
            sure = [name for name in NAMES if probabilities.get(name, 0) >= SURE]
            levels = {name: level(severity[name]) if severity else "plain" for name in sure}
            questions.append(prompt(levels, language))
            remedies.append(remedy(sure, language) if sure else "")
        answers = self.causal_lm.generate(questions, max_length=self.max_length, strip_prompt=True)
        return [_parsed(*written) for written in zip(answers, remedies, strict=True)]


def _parsed(answer, otherwise):
    state, _, instruction = answer.strip().partition("\n")
    return Description(state.strip(), instruction.partition("\n")[0].strip() or otherwise)
