"""The whole network, top to bottom: words and a picture in, a picture out.

    token_ids, padding_mask -> text_encoder  -> embedding, intent_logits
    image, mask, embedding  -> image_network -> image, logits, severity

The two halves are functional models of their own, because words are encoded once a sentence and
pictures many times a sentence; the backbone is their composition.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import keras
import keras_hub
from keras import layers

from tfimg.degradations import INTENTS, NAMES
from tfimg.image.classifier import classifier
from tfimg.image.encoder import image_encoder
from tfimg.image.generator import chance, generator, layout
from tfimg.image.tone import FACTOR, tone
from tfimg.text.encoder import text_encoder


@dataclass(frozen=True)
class ImageSize:
    """How large the image network is.

    Args:
        widths: channels at the first level, and at half, quarter ... of its resolution.
        encoder_blocks: residual blocks of each level on the way down.
        decoder_blocks: residual blocks of each level but the last on the way up.
        patch: side in pixels of the squares that are the positions of the first level: 1 for single
            pixels; 2 makes all of it four times smaller, and twice as fast.
    """

    widths: tuple[int, ...]
    encoder_blocks: tuple[int, ...]
    decoder_blocks: tuple[int, ...]
    patch: int = 1


# Hidden units between the text embedding and the shifts and scales at every level: few where the
# words ask for one of ten repairs, more where they name what is to be seen.
_STEER_WIDTH = 64
_CANVAS_STEER_WIDTH = 192

SIZES = {
    "tiny": ImageSize((32, 48, 64), (1, 0, 1), (1, 0), patch=2),
    "small": ImageSize((16, 32, 48, 64), (1, 0, 1, 1), (1, 1, 0)),
    "base": ImageSize((16, 32, 48, 64), (1, 0, 1, 1), (3, 5, 3)),
    # For pictures made from words, of 64, and of 128 or 256 pixels.
    "icon": ImageSize((24, 48, 96, 128, 160), (0, 0, 0, 0, 0), (1, 1, 2, 2)),
    "picture": ImageSize((24, 48, 96, 192, 256, 256), (0, 0, 0, 0, 0, 0), (1, 2, 2, 2, 2)),
}


def multiple_of(size: ImageSize, canvas: int | None = None) -> int:
    """Returns what the height and width of a picture must be a multiple of."""
    return max(size.patch * 2 ** (len(size.widths) - 1), 1 if canvas else FACTOR)


def image_network(
    size: ImageSize,
    embedding_dim: int,
    num_classes: int,
    canvas: int | None = None,
    dtype=None,
) -> keras.Model:
    """Builds the picture's half: image branch, fusion, generator head and classifier head.

    A restorer undoes what is wrong with the tone first, then with the detail of what that gives,
    and predicts a change of its input. What makes a picture from words alone starts from a canvas
    of noise and predicts the picture itself; the words lay out what is where before it is drawn.

    Args:
        size: widths and depths.
        embedding_dim: width of the text embedding that steers it.
        num_classes: number of classes of a restorer's classifier head.
        canvas: side in pixels of the pictures that are made from words alone; None for a restorer,
            which takes any size.
        dtype: dtype policy of the inner layers; what touches the output picture is float32.

    Returns:
        A functional model of `image` `(B, H, W, 3)` 0..1, `mask` `(B, H, W, 1)` with 1 = known
        pixel, and `embedding` `(B, embedding_dim)`, to `image` `(B, H, W, 3)` and, for a restorer,
        `logits` `(B, num_classes)` and `severity` `(B, 9)`, 0 = hardly there, 1 = as bad as it
        gets. H and W are multiples of `multiple_of(size, canvas)`. With a `canvas` both are that,
        and the mask tells how much of it is picture already: 0 = noise and nothing else.

    Raises:
        ValueError: if the canvas does not fit the number of levels.
    """
    if canvas is not None and (canvas < 1 or canvas % multiple_of(size, canvas)):
        raise ValueError(f"canvas is {canvas}; expected a multiple of {multiple_of(size, canvas)}")
    image = keras.Input((canvas, canvas, 3), name="image")
    mask = keras.Input((canvas, canvas, 1), name="mask")
    embedding = keras.Input((embedding_dim,), name="embedding")

    said, width = embedding, _STEER_WIDTH
    if canvas is not None:
        # What tells one thing from another varies less than what tells styles apart.
        said = layers.BatchNormalization(
            center=False, scale=False, dtype="float32", name="standardised"
        )(embedding)
        # What the words leave open, the noise decides; it is standardised, too.
        left_open = layers.Rescaling(12**0.5, -(3**0.5), dtype="float32", name="left_open")(
            chance(image, multiple_of(size, canvas))
        )
        said = layers.Concatenate(dtype="float32", name="said")([said, left_open])
        # One layer more: names are far from the pictures that they stand for.
        width = _CANVAS_STEER_WIDTH
        said = layers.Dense(width, activation="relu", dtype=dtype, name="mapping")(said)
    steer = layers.Dense(width, activation="relu", dtype=dtype, name="steer")(said)
    known = given = layers.Multiply(dtype="float32", name="known")([image, mask])
    if canvas is None:
        gain, offset = tone(known, steer, dtype)
        gained = layers.Multiply(dtype="float32", name="gained")([known, gain])
        known = layers.Add(dtype="float32", name="toned")([known, gained, offset])

    known_and_mask = layers.Concatenate(dtype=dtype, name="canvas")([known, mask])
    levels = image_encoder(
        known_and_mask, steer, size.widths, size.encoder_blocks, size.patch, dtype
    )
    if canvas is not None:
        levels[-1] = layout(levels[-1], steer, dtype)
    made = generator(levels, steer, size.decoder_blocks, size.patch, dtype=dtype)
    outputs = {"image": made}
    if canvas is None:
        outputs["image"] = layers.Add(dtype="float32", name="restored")([known, made])
        told = [("logits", num_classes), ("severity", len(NAMES))]
        outputs |= classifier(given, levels, told, dtype)

    return keras.Model(
        {"image": image, "mask": mask, "embedding": embedding}, outputs, name="image_network"
    )


@keras.saving.register_keras_serializable("tfimg")
class TextGuidedBackbone(keras_hub.models.Backbone):
    """One functional model of a BERT text branch, a convolutional image branch and a generator.

    Args:
        bert: a `keras_hub.models.BertBackbone` of any size: our own small one, or a preset.
        widths, encoder_blocks, decoder_blocks, patch: of the image network, see `ImageSize`.
        embedding_dim: width of the text embedding that steers the image network; None for the
            probabilities of the ten intents, which is what a restorer needs.
        labels: names of what the classifier head tells; by default what is wrong with a picture.
        canvas: side in pixels of the pictures that are made from words alone; None for a restorer.
        dtype: dtype policy, such as `"mixed_bfloat16"`.

    Call arguments: a dict of `image` `(B, H, W, 3)` float 0..1, `mask` `(B, H, W, 1)` (1 = known
    pixel), `token_ids` and `padding_mask` `(B, L)` int.
    Returns a dict of `image` `(B, H, W, 3)`, `intent_logits` `(B, 10)` (what the words ask for, in
    the order of `tfimg.degradations.INTENTS`) and, without a `canvas`, `logits` `(B, N)` (which of
    the `labels` the picture has) and `severity` `(B, 9)` (how bad each of
    `tfimg.degradations.NAMES` is, where it is there).

    Example:

    ```python
    bert = keras_hub.models.BertBackbone.from_preset("bert_tiny_en_uncased")
    backbone = tfimg.TextGuidedBackbone.from_size("small", bert)
    ```
    """

    def __init__(
        self,
        bert: keras_hub.models.BertBackbone,
        widths,
        encoder_blocks,
        decoder_blocks,
        patch: int = 1,
        embedding_dim: int | None = None,
        labels: Sequence[str] = INTENTS,
        canvas: int | None = None,
        dtype=None,
        **kwargs,
    ):
        size = ImageSize(tuple(widths), tuple(encoder_blocks), tuple(decoder_blocks), patch)
        words = text_encoder(bert, len(INTENTS), embedding_dim)
        width = words.output["embedding"].shape[-1]
        pixels = image_network(size, width, len(labels), canvas, dtype)

        inputs = {
            "image": keras.Input((canvas, canvas, 3), name="image"),
            "mask": keras.Input((canvas, canvas, 1), name="mask"),
            "token_ids": keras.Input((None,), dtype="int32", name="token_ids"),
            "padding_mask": keras.Input((None,), dtype="int32", name="padding_mask"),
        }
        read = words({name: inputs[name] for name in ("token_ids", "padding_mask")})
        made = pixels(
            {
                "image": inputs["image"],
                "mask": inputs["mask"],
                "embedding": read["embedding"],
            }
        )
        super().__init__(
            inputs, {**made, "intent_logits": read["intent_logits"]}, dtype=dtype, **kwargs
        )
        self.bert = bert
        self.text_encoder = words
        self.image_network = pixels
        self.size = size
        self.embedding_dim = embedding_dim
        self.labels = tuple(labels)
        self.canvas = canvas
        if canvas is None and not self.diagnoses:
            # A few pictures of one's own have no statistics to go by; those that were learnt serve.
            pixels.get_layer("classifier_standardised").trainable = False

    @classmethod
    def from_size(cls, size: str, bert: keras_hub.models.BertBackbone, **kwargs):
        """Builds an untrained network of a named size (see `SIZES`) around a BERT."""
        if size not in SIZES:
            raise ValueError(f"size must be one of {sorted(SIZES)}, found {size!r}")
        return cls(bert, **asdict(SIZES[size]), **kwargs)

    def with_labels(self, labels: Sequence[str]) -> "TextGuidedBackbone":
        """Returns a copy with the same weights, but a fresh last layer for other labels.

        Args:
            labels: names of what the classifier head is to tell.

        Raises:
            ValueError: if they are fewer than two, or a name comes twice.
        """
        if len(labels) < 2 or len(set(labels)) < len(labels):
            raise ValueError(f"labels is {[*labels]}; expected two or more different names")
        return self._copy(("logits",), labels=tuple(labels))

    def with_size(self, size: ImageSize) -> "TextGuidedBackbone":
        """Returns a copy with other residual blocks: those that it has keep their weights.

        Args:
            size: of the same widths and patches.

        Raises:
            ValueError: if these differ.
        """
        for name in ("widths", "patch"):
            found, expected = getattr(size, name), getattr(self.size, name)
            if found != expected:
                raise ValueError(f"{name}: {found}; expected {expected}")
        return self._copy(**asdict(size))

    def with_fresh(self, *prefixes: str) -> "TextGuidedBackbone":
        """Returns a copy whose picture's half starts anew in some layers.

        Args:
            prefixes: how the names of these layers begin.

        Raises:
            ValueError: for a prefix of no layer's name.
        """
        names = [layer.name for layer in self.image_network.layers]
        for prefix in prefixes:
            if not any(name.startswith(prefix) for name in names):
                raise ValueError(f"no layer's name begins with {prefix!r}")
        return self._copy([name for name in names if name.startswith(prefixes)])

    def with_bert(self, bert: keras_hub.models.BertBackbone) -> "TextGuidedBackbone":
        """Returns a copy that reads words with another BERT; its picture's half stays as it is.

        Args:
            bert: of any size. What its words ask for is still to be learnt.
        """
        return self._copy(bert=bert)

    def _copy(self, fresh=(), **changes):
        made = type(self).from_config({**self.get_config(), **changes})
        if "bert" not in changes:
            made.text_encoder.set_weights(self.text_encoder.get_weights())
        known = {layer.name: layer for layer in self.image_network.layers}
        for layer in made.image_network.layers:
            if layer.name in known and layer.name not in fresh:
                layer.set_weights(known[layer.name].get_weights())
        return made

    def heads(self, *names: str) -> keras.Model:
        """Returns the picture's half with some of its outputs, sparing what the others take.

        Args:
            names: out of "image", "logits" and "severity".
        """
        whole = self.image_network
        return keras.Model(whole.input, {name: whole.output[name] for name in names})

    @property
    def diagnoses(self) -> bool:
        """Whether its classifier head tells what is wrong with a picture."""
        return self.canvas is None and self.labels == INTENTS

    @property
    def multiple(self) -> int:
        """What the height and width of a picture must be a multiple of."""
        return multiple_of(self.size, self.canvas)

    @property
    def embedding_width(self) -> int:
        """How many numbers of the words reach the image network."""
        return self.text_encoder.output["embedding"].shape[-1]

    def get_config(self):
        return {
            **super().get_config(),
            "bert": keras.layers.serialize(self.bert),
            **asdict(self.size),
            "embedding_dim": self.embedding_dim,
            "labels": self.labels,
            "canvas": self.canvas,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        if isinstance(config["bert"], dict):
            config["bert"] = keras.layers.deserialize(config["bert"])
        return super().from_config(config)
