"""From what people have (pictures, sentences) to what the network takes (floats, token ids)."""

import keras
import keras_hub
from keras import ops

from tfimg.network import TextGuidedBackbone

# What is said of a picture where nobody says anything of it.
NOTHING_KNOWN = "a picture"


@keras.saving.register_keras_serializable("tfimg")
class InstructionPreprocessor(keras_hub.models.Preprocessor):
    """Tokenises the instructions of a batch and passes its pictures on.

    Args:
        tokenizer: a `keras_hub.models.BertTokenizer`.
        sequence_length: tokens of a sentence, start and end included; longer ones are cut.

    Call arguments: `x`, a dict of `image` `(B, H, W, 3)` float 0..1, and optionally `instruction`
    `(B,)` strings (by default `NOTHING_KNOWN`) and `mask` `(B, H, W, 1)` (by default every pixel is
    known); `y` and `sample_weight` go through unchanged. H and W are multiples of the backbone's
    `multiple`.
    Returns what `TextGuidedBackbone` takes.

    Raises:
        TypeError: for pictures of integers, whose 0..255 would be taken for 0..1.

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
        if "float" not in (dtype := keras.backend.standardize_dtype(image.dtype)):
            raise TypeError(f"image has dtype {dtype}; expected floats 0..1, such as image / 255")
        if "instruction" in x:
            words = self.tokenize(x["instruction"])
        else:
            once = self.tokenize([NOTHING_KNOWN])
            words = {name: ops.repeat(ids, ops.shape(image)[0], 0) for name, ids in once.items()}
        mask = ops.convert_to_tensor(x["mask"]) if "mask" in x else ops.ones_like(image[..., :1])
        inputs = {"image": image, "mask": mask, **words}
        return keras.utils.pack_x_y_sample_weight(inputs, y, sample_weight)

    def get_config(self):
        return {**super().get_config(), "sequence_length": self.sequence_length}
