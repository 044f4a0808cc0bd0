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
