"""The image network as LiteRT runs it fastest: the same weights, the same results.

- A convolution of single pixels and a rearrangement take a third of the time of a transposed
  convolution.
- A row of the words' shifts and scales is added faster than one value a channel.
- No mask: what it adds where every pixel is known is a bias of the patches.
- Where int8 rounds, convolutions end in a ReLU before the words shift them. Where the words bring
  the bias, a convolution's output is rounded to 256 levels before the shift, although the ReLU
  after it throws most of its range away. With `b` at least as large as any shift `s`,
  `relu(x + s)` is `relu(relu(x + b) + (s - b))`: the converter fuses the inner part into the
  convolution, and the levels lie where they count. Between certain words a shift may be larger than
  `b`: it then counts as `b`, so that what is off stays off.

Reference: Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", 2018 (fused layers are rounded once); Shi et al., "Is the
deconvolution layer the same as a convolutional layer?", 2016.
"""

import itertools

import keras
import numpy as np
from keras import layers, ops

from tfimg.fusion import WordScale, WordShift
from tfimg.layers import Patches


def lowered(network: keras.Model, whole: bool = False, int8: bool = False) -> keras.Model:
    """Returns a model of the same weights that computes the same.

    With `int8` that is exact for certain words, whose probabilities are all 0 or 1. For doubtful
    ones it is an approximation where they shift a channel further than any certain ones do.

    Args:
        network: an image network.
        whole: whether all pixels are known of the pictures that it takes, and it takes no mask.
        int8: whether shifts are fused, in a network that ten probabilities steer. The largest shift
            of each channel is that of all the 1,024 sets of them.
    """
    steer = None
    if int8:
        embedding = network.input["embedding"]
        every = np.array([*itertools.product((0.0, 1.0), repeat=embedding.shape[-1])], np.float32)
        steer = keras.Model(embedding, network.get_layer("steer").output)(every)

    stem = network.get_layer("stem")
    apart = stem.strides == stem.kernel_size  # no position sees beyond the picture's border

    def call(layer, *args, **kwargs):
        if whole and layer.name == "known":
            return args[0][0]
        if whole and layer.name == "canvas":
            image, _ = args[0]
            return image if apart else layer([image, ops.ones_like(image[..., :1])])
        if whole and apart and layer is stem:
            layer = _Whole(layer)
        elif isinstance(layer, layers.Conv2DTranspose):
            layer = _Enlarging(layer)
        elif isinstance(layer, WordScale):
            layer = _Scale(layer)
        elif isinstance(layer, WordShift):
            largest = None if steer is None else ops.max(layer.steering(steer), axis=0)
            layer = _Shift(layer, largest)
        return layer(*args, **kwargs)

    made = keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=call)
    if not whole:
        return made
    inputs = {name: made.input[name] for name in ("image", "embedding")}
    return keras.Model(inputs, made.output)


class _Lowered(layers.Layer):
    """Stands for another layer, with its weights."""

    def __init__(self, layer):
        super().__init__(name=f"{layer.name}_lowered")
        self.layer = layer

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)


class _Whole(_Lowered):
    """A convolution of patches, of whose input the last channel is 1 and is left out."""

    def call(self, image):
        kernel, patch = self.layer.kernel, self.layer.strides
        bias = ops.sum(kernel[:, :, -1], axis=(0, 1))
        return ops.conv(image, kernel[:, :, :-1], strides=patch) + bias


class _Enlarging(_Lowered):
    """A transposed convolution whose patches do not overlap."""

    def __init__(self, layer):
        super().__init__(layer)
        self.patches = Patches(layer.strides[0])

    def call(self, features):
        kernel = ops.transpose(self.layer.kernel, (3, 0, 1, 2))  # inputs, rows, columns, outputs
        kernel = ops.reshape(kernel, (1, 1, features.shape[-1], -1))
        return self.patches(ops.conv(features, kernel))


class _Shift(_Lowered):
    """A `WordShift`; with its largest values `(1, 1, C)`, one for what a ReLU follows.

    Exact for shifts up to the largest; a larger one counts as the largest.
    """

    def __init__(self, layer, largest):
        super().__init__(layer)
        self.largest = None if largest is None else np.asarray(largest)

    def call(self, inputs):
        features, embedding = inputs
        shift = self.layer.steering(embedding)
        if self.largest is not None:
            features = ops.relu(features + self.largest)
            # More than nothing would be added to features that the ReLU has put out, too.
            shift = ops.minimum(shift - self.largest, 0.0)
        return features + _row(shift, features)


class _Scale(_Lowered):
    """A `WordScale`."""

    def call(self, inputs):
        features, embedding = inputs
        return features * _row(1 + self.layer.steering(embedding), features)


def _row(values, features):
    """One value a channel, as often as the features are wide, where that is known.

    The converter undoes what merely repeats; it does not see that this does.
    """
    width = features.shape[2]
    return values if width is None else ops.image.resize(values, (1, width), "nearest")
