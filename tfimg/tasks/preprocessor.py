"""From what people have (pictures, sentences) to what the network takes (floats, token ids)."""

import keras
import keras_hub
from keras import ops

from tfimg.network import TextGuidedBackbone


@keras.saving.register_keras_serializable("tfimg")
class InstructionPreprocessor(keras_hub.models.Preprocessor):
    """Tokenises the instructions of a batch and passes its pictures on.

    Args:
        tokenizer: a `keras_hub.models.BertTokenizer`.
        sequence_length: tokens of a sentence, start and end included; longer ones are cut.

    Call arguments: `x`, a dict of `image` `(B, H, W, 3)` float 0..1, `instruction` `(B,)` strings
    and optionally `mask` `(B, H, W, 1)`; `y` and `sample_weight` go through unchanged.
    Returns what `TextGuidedBackbone` takes. Without a mask every pixel is known.

    Example:

    ```python
    preprocessor({"image": image[None], "instruction": ["remove the noise"]})
    ```
    """

    backbone_cls = TextGuidedBackbone
    tokenizer_cls = keras_hub.models.BertTokenizer

    def __init__(self, tokenizer, sequence_length: int = 48, **kwargs):
        super().__init__(**kwargs)
        self.tokenizer = tokenizer
        self.sequence_length = sequence_length
        self.packer = None

    def build(self, input_shape):
        # The vocabulary of a loaded tokenizer arrives after the constructor.
        self.packer = keras_hub.layers.StartEndPacker(
            self.sequence_length,
            start_value=self.tokenizer.cls_token_id,
            end_value=self.tokenizer.sep_token_id,
            pad_value=self.tokenizer.pad_token_id,
            return_padding_mask=True,
        )
        self.built = True

    def tokenize(self, instructions) -> dict:
        """Returns `token_ids` and `padding_mask`, `(B, sequence_length)`, for `(B,)` strings."""
        if not self.built:
            self.build(None)
        token_ids, padding_mask = self.packer(self.tokenizer(instructions))
        return {"token_ids": token_ids, "padding_mask": ops.cast(padding_mask, "int32")}

    def count_tokens(self, instruction: str) -> int:
        """Returns how many tokens a sentence has, start and end included, before any cut."""
        return len(self.tokenizer([instruction])[0]) + 2

    def call(self, x, y=None, sample_weight=None):
        image = ops.convert_to_tensor(x["image"])
        mask = ops.convert_to_tensor(x["mask"]) if "mask" in x else ops.ones_like(image[..., :1])
        inputs = {"image": image, "mask": mask, **self.tokenize(x["instruction"])}
        return keras.utils.pack_x_y_sample_weight(inputs, y, sample_weight)

    def get_config(self):
        return {**super().get_config(), "sequence_length": self.sequence_length}
