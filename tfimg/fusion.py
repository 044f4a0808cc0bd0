"""Fusion: the words steer every level of the image branch and of the generator.

Inside every block, a shift in the place of a bias says which features pass the ReLU, and a scale
how much each of them counts. Both start as nothing.

Reference: Perez et al., "FiLM: Visual Reasoning with a General Conditioning Layer", 2018.
"""

import keras


class _Steering(keras.layers.Layer):
    """One number per channel, computed from the text embedding."""

    def build(self, input_shape):
        features, embedding = input_shape
        self.steer = keras.layers.Dense(
            features[-1], kernel_initializer="zeros", dtype=self.dtype_policy, name="steer"
        )
        self.steer.build(embedding)

    def steering(self, embedding):
        return self.steer(embedding)[:, None, None, :]

    def compute_output_shape(self, input_shape):
        return input_shape[0]


@keras.saving.register_keras_serializable("tfimg")
class WordShift(_Steering):
    """Adds to every channel of a feature map what the words say.

    Call arguments: a pair of `(B, H, W, C)` features and a `(B, D)` text embedding.
    Returns `(B, H, W, C)`.

    Example:

    ```python
    features = WordShift()([features, embedding])
    ```
    """

    def call(self, inputs):
        features, embedding = inputs
        return features + self.steering(embedding)


@keras.saving.register_keras_serializable("tfimg")
class WordScale(_Steering):
    """Multiplies every channel of a feature map by what the words say, at first by one.

    Call arguments: a pair of `(B, H, W, C)` features and a `(B, D)` text embedding.
    Returns `(B, H, W, C)`.

    Example:

    ```python
    skip = WordScale()([skip, embedding])
    ```
    """

    def call(self, inputs):
        features, embedding = inputs
        return features * (1 + self.steering(embedding))
