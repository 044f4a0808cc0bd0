"""The networks that ours is compared with, built for the benchmark alone and never trained."""

import keras
import keras_hub
from keras import layers, ops


def bert_base() -> keras_hub.models.BertBackbone:
    """Returns a BERT-base with random weights: 12 layers, 768 wide, 110 million parameters."""
    return keras_hub.models.BertBackbone(
        vocabulary_size=30522,
        num_layers=12,
        num_heads=12,
        hidden_dim=768,
        intermediate_dim=3072,
    )


def textbook_network() -> keras.Model:
    """Returns the network that a textbook would draw for this task: 203 GMAC at 256x256.

    3x3 convolutions of 64, 128 and 256 channels at full resolution; BERT's sentence embedding
    (768) tiled over the picture and appended once; 256, 128 and 64 channels; a picture.

    Returns:
        A functional model of `image` `(B, H, W, 3)` and `embedding` `(B, 768)` to `(B, H, W, 3)`.
    """
    image = keras.Input((None, None, 3), name="image")
    embedding = keras.Input((768,), name="embedding")
    features = image
    for channels in (64, 128, 256):
        features = layers.Conv2D(channels, 3, padding="same", activation="relu")(features)
    everywhere = embedding[:, None, None, :] + ops.zeros_like(features[..., :1])
    features = layers.Concatenate()([features, everywhere])
    for channels in (256, 128, 64):
        features = layers.Conv2D(channels, 3, padding="same", activation="relu")(features)
    picture = layers.Conv2D(3, 3, padding="same")(features)
    return keras.Model({"image": image, "embedding": embedding}, picture, name="textbook")


def nafnet(width: int = 32) -> keras.Model:
    """Returns a network of the best text-guided restorer's class: 12.8 GMAC at 256x256.

    Args:
        width: channels at full resolution; they double at each of four levels down.

    Returns:
        A functional model of `(B, H, W, 3)`, H and W multiples of 16, to a picture of that shape.

    Reference: Chen et al., "Simple Baselines for Image Restoration", 2022; the depths are those of
    Conde et al., "InstructIR", 2024, which with its layers for the words has 16.2 GMAC.
    """
    image = keras.Input((None, None, 3), name="image")
    features, skips = layers.Conv2D(width, 3, padding="same")(image), []
    for depth in (2, 2, 4, 8):
        features = _nafnet_blocks(features, depth)
        skips.append(features)
        features = layers.Conv2D(2 * features.shape[-1], 2, strides=2)(features)
    features = _nafnet_blocks(features, 4)
    for skip in reversed(skips):
        features = layers.Conv2D(2 * features.shape[-1], 1, use_bias=False)(features)
        features = layers.Add()([ops.depth_to_space(features, 2), skip])
        features = _nafnet_blocks(features, 2)
    change = layers.Conv2D(3, 3, padding="same")(features)
    return keras.Model(image, layers.Add()([image, change]), name="nafnet")


def _nafnet_blocks(features, depth):
    channels = features.shape[-1]
    for _ in range(depth):
        inner = layers.LayerNormalization(epsilon=1e-6)(features)
        inner = layers.Conv2D(2 * channels, 1)(inner)
        inner = _gated(layers.DepthwiseConv2D(3, padding="same")(inner))
        pooled = layers.GlobalAveragePooling2D(keepdims=True)(inner)
        inner = layers.Multiply()([inner, layers.Conv2D(channels, 1)(pooled)])
        features = layers.Add()([features, layers.Conv2D(channels, 1)(inner)])
        inner = layers.LayerNormalization(epsilon=1e-6)(features)
        inner = _gated(layers.Conv2D(2 * channels, 1)(inner))
        features = layers.Add()([features, layers.Conv2D(channels, 1)(inner)])
    return features


def _gated(features):
    half = features.shape[-1] // 2
    return layers.Multiply()([features[..., :half], features[..., half:]])
