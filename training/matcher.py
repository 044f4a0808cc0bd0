"""A judge of made pictures: which of these words belong to this picture?"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from rich.console import Console
from rich.progress import track

from tfimg.data.captioned import Captioned, Wording, captioned_batches
from tfimg.files import write_atomically

_WIDTHS = (32, 64, 128, 192)
_SHARED = 128
_STEPS, _BATCH, _RATE = 2000, 96, 1e-3
_SEED = 20  # not the one that makers are trained with


class Matcher:
    """Two towers that put a picture and its words on the same place of a sphere.

    The picture's tower is a convolutional network of its own. The words' tower reads the features
    of a text branch, which stays as it is.

    Args:
        task: a `tfimg.TextToImage`, of which the text branch and the canvas are used.

    Reference: Radford et al., "Learning Transferable Visual Models From Natural Language
    Supervision", 2021.
    """

    def __init__(self, task):
        self._task = task
        side, width = task.backbone.canvas, task.backbone.embedding_width
        image = keras.Input((side, side, 3), name="image")
        seen = layers.Rescaling(2.0, -1.0)(image)
        for level, channels in enumerate(_WIDTHS):
            seen = _step(seen, channels, 4, 2)
            if level:
                seen = _step(seen, channels, 3, 1)
        features = layers.GlobalAveragePooling2D(name="features")(seen)
        placed = layers.UnitNormalization()(layers.Dense(_SHARED)(features))
        self.pictures = keras.Model(image, {"features": features, "placed": placed})

        embedding = keras.Input((width,), name="embedding")
        hidden = layers.Dense(256, activation="gelu")(embedding)
        said = layers.UnitNormalization()(layers.Dense(_SHARED)(hidden))
        self.words = keras.Model(embedding, said)
        self._both = _Towers(self.pictures, self.words)

    def fit(self, captioned: Captioned, steps: int = _STEPS) -> None:
        """Trains both towers on captioned pictures; shows how far it is."""
        preprocessor, reader = self._task.preprocessor, self._task.backbone.text_encoder
        batches = captioned_batches(captioned, Wording(), _BATCH, seed=_SEED)
        batches = batches.map(
            lambda picture, prompt, _: {
                "image": picture,
                "embedding": reader(preprocessor.tokenize(prompt), training=False)["embedding"],
            }
        ).prefetch(4)
        rate = keras.optimizers.schedules.CosineDecay(_RATE, steps)
        self._both.compile(keras.optimizers.AdamW(rate, weight_decay=0.02), jit_compile=False)
        for batch in track(
            batches.take(steps),
            "the matcher learns",
            total=steps,
            console=Console(stderr=True),
        ):
            self._both.train_on_batch(batch)

    def save(self, path: Path) -> None:
        """Writes the weights to a `.weights.h5` file."""
        self._both.optimizer = None
        write_atomically(path, lambda fresh: self._both.save_weights(str(fresh)))

    def load(self, path: Path) -> None:
        """Reads the weights; raises ValueError if they are of another network."""
        self._both.load_weights(str(path))

    def see(self, pictures: np.ndarray) -> dict[str, np.ndarray]:
        """Returns `features` `(N, 192)` and `placed` `(N, 128)` for uint8 `(N, S, S, 3)`."""
        return self.pictures.predict(pictures.astype("float32") / 255, batch_size=64, verbose=0)

    def read(self, prompts: list[str]) -> np.ndarray:
        """Returns `(N, 128)` for sentences."""
        embedded = np.stack([self._task.embed(prompt) for prompt in prompts])
        return self.words.predict(embedded, batch_size=256, verbose=0)


class _Towers(keras.Model):
    """Both towers and how sharply they decide."""

    def __init__(self, pictures, words):
        super().__init__()
        self.pictures, self.words = pictures, words
        self.sharpness = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(np.log(10.0)), name="sharpness"
        )
        self.built = True

    def train_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            placed = self.pictures(x["image"], training=True)["placed"]
            said = self.words(x["embedding"], training=True)
            alike = ops.exp(self.sharpness) * placed @ ops.transpose(said)
            right = ops.arange(ops.shape(alike)[0])
            loss = ops.mean(
                keras.losses.sparse_categorical_crossentropy(right, alike, from_logits=True)
            ) + ops.mean(
                keras.losses.sparse_categorical_crossentropy(
                    right, ops.transpose(alike), from_logits=True
                )
            )
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


def _step(features, channels, size, stride):
    made = layers.Conv2D(channels, size, strides=stride, padding="same", use_bias=False)(features)
    return layers.ReLU()(layers.BatchNormalization()(made))
