"""What the tasks share: loading a preset by name, reading words once, checking pictures."""

import importlib
import os
import warnings
from functools import lru_cache

import keras
import keras_hub
import numpy as np
from keras import ops

from tfimg import presets
from tfimg.degradations import INTENTS
from tfimg.machine import choose_jit
from tfimg.network import TextGuidedBackbone
from tfimg.tasks.preprocessor import InstructionPreprocessor

# Sentences whose embedding is kept; a server or a folder of pictures repeats few of them.
_CACHED_SENTENCES = 1024


class TextGuidedTask(keras_hub.models.Task):
    """Base of the tasks: a `TextGuidedBackbone` and an `InstructionPreprocessor`.

    Args:
        backbone: a `TextGuidedBackbone`.
        preprocessor: an `InstructionPreprocessor`.
    """

    backbone_cls = TextGuidedBackbone
    preprocessor_cls = InstructionPreprocessor

    def __init__(self, backbone, preprocessor, **kwargs):
        super().__init__(inputs=backbone.input, outputs=backbone.output[self.output_name], **kwargs)
        self.backbone = backbone
        self.preprocessor = preprocessor
        self._embed = lru_cache(_CACHED_SENTENCES)(self._embed_uncached)

    def compile(
        self, optimizer="auto", loss="auto", *, metrics="auto", jit_compile="auto", **kwargs
    ):
        """Configures `fit` and `evaluate`; everything has a default.

        Args:
            optimizer: by default AdamW at 1e-4, a rate for fine-tuning.
            loss: by default what the preset was trained with.
            metrics: by default what is reported for this task.
            jit_compile: by default XLA on GPUs and not on processors, where it is slower.
            **kwargs: passed to `keras.Model.compile`.
        """
        if optimizer == "auto":
            optimizer = keras.optimizers.AdamW(1e-4)
        if loss == "auto":
            loss = self.default_loss()
        if metrics == "auto":
            metrics = self.default_metrics()
        if jit_compile == "auto":
            jit_compile = choose_jit("auto")
        # Keras keeps the metrics of an earlier `compile` where it gets None.
        metrics = [] if metrics is None else metrics
        super().compile(optimizer, loss, metrics=metrics, jit_compile=jit_compile, **kwargs)

    @classmethod
    def from_preset(cls, preset: str | os.PathLike, **kwargs):
        """Loads a task by preset name.

        Args:
            preset: a bundled name (see `python -m tfimg presets`), a folder, or a handle such as
                `"hf://user/model"` or `"kaggle://…"`. A folder is data: a configuration in it that
                names anything but layers of Keras, KerasHub and tfimg is refused. What a handle
                brings is guarded by Keras' safe mode alone, so use only handles that you trust.
            **kwargs: passed to KerasHub, such as `dtype="mixed_bfloat16"`; by default Keras' policy
                of the moment, whatever the preset was trained in.

        Raises:
            ValueError: for an unknown name, or a folder that is no preset or a broken one.
        """
        path = presets.resolve(preset)
        # A preset names the class that it was saved by, which need not be this one.
        for name in ("image_classifier", "image_restorer", "text_to_image"):
            importlib.import_module(f"tfimg.tasks.{name}")
        # KerasHub means to do the same, but stumbles over the name of a mixed policy.
        kwargs.setdefault("dtype", keras.config.dtype_policy())
        try:
            with warnings.catch_warnings():
                # Keras would go on with fresh weights in the place of missing ones.
                warnings.filterwarnings("error", "Skipping nested container")
                return super().from_preset(path, **kwargs)
        except (AttributeError, KeyError, OSError, TypeError, UserWarning, ValueError) as error:
            reason = str(error).strip("\n '\"").partition("\n")[0] or type(error).__name__
            raise ValueError(f"cannot load preset {str(preset)!r}: {reason}") from error

    def fit(self, *args, **kwargs):
        """Trains as `keras.Model.fit` does; sentences are read anew afterwards."""
        try:
            return super().fit(*args, **kwargs)
        finally:
            self._embed.cache_clear()

    def load_weights(self, *args, **kwargs):
        """Loads weights as `keras.Model.load_weights` does; sentences are read anew afterwards."""
        super().load_weights(*args, **kwargs)
        self._embed.cache_clear()

    def embed(self, instruction: str) -> np.ndarray:
        """Returns the text embedding of a sentence; computed once a sentence.

        Warns when the sentence is longer than the preprocessor's `sequence_length` and is cut.

        Args:
            instruction: a sentence, English or Chinese.

        Returns:
            float32 `(embedding_width,)`.

        Raises:
            TypeError: if it is no string.
            ValueError: if it is empty.
        """
        return self._embed(_checked(instruction))[0]

    def interpret(self, instructions) -> list[dict[str, float]]:
        """Tells what sentences ask for.

        Args:
            instructions: list of sentences, English or Chinese.

        Returns:
            One dict a sentence: each of the ten names in `INTENTS` with its probability.

        Raises:
            TypeError: if it is one string, or a sentence is none.
            ValueError: for an empty sentence.

        Example:

        ```python
        restorer.interpret(["太暗了"])  # [{"noise": 0.01, ..., "low_light": 0.98, ...}]
        ```
        """
        if isinstance(instructions, str):
            raise TypeError(f"instructions must be a list of sentences, found {instructions!r}")
        probabilities = (self._embed(_checked(sentence))[1] for sentence in instructions)
        return [dict(zip(INTENTS, map(float, row), strict=True)) for row in probabilities]

    def _embed_uncached(self, instruction):
        length = self.preprocessor.count_tokens(instruction)
        if length > self.preprocessor.sequence_length:
            warnings.warn(
                f"the instruction has {length} tokens and is cut after "
                f"{self.preprocessor.sequence_length}",
                stacklevel=4,
            )
        read = self.backbone.text_encoder.predict_on_batch(
            self.preprocessor.tokenize([instruction])
        )
        probabilities = ops.convert_to_numpy(ops.sigmoid(read["intent_logits"]))
        return read["embedding"][0], probabilities[0]


def _checked(instruction):
    if not isinstance(instruction, str):
        raise TypeError(f"an instruction must be a string, found {type(instruction).__name__}")
    if not instruction.strip():
        raise ValueError(f"the instruction is empty: {instruction!r}; say what to do in words")
    return instruction.strip()
