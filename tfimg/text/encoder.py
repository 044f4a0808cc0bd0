"""The text branch: BERT, one embedding a sentence, and what the sentence asks for."""

import keras
import keras_hub
from keras import ops


def masked_mean(inputs):
    """Returns the mean over the tokens that are not padding.

    Args:
        inputs: pair of `(B, L, D)` float features and `(B, L)` padding mask (1 = a token).

    Returns:
        `(B, D)` float tensor.
    """
    features, padding_mask = inputs
    weights = ops.cast(padding_mask, features.dtype)[..., None]
    return ops.sum(features * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1.0)


def text_encoder(
    bert: keras_hub.models.BertBackbone, num_intents: int, embedding_dim: int | None = None
) -> keras.Model:
    """Builds the text branch on top of any BERT.

    For restoration the embedding is what the words ask for and nothing else: the probability of
    each intent. Paraphrases and translations then fall on the same place, any BERT can be put in
    another's stead, and the image network need not be trained again when the words are. Where the
    words name things to draw, ten numbers are too few: `embedding_dim` gives it a width of its own.

    Args:
        bert: a KerasHub BERT of any size.
        num_intents: number of things a sentence can ask for.
        embedding_dim: width of the embedding; None for the intents' probabilities.

    Returns:
        A functional model: `token_ids` and `padding_mask`, both `(B, L)` int, to `embedding`
        `(B, D)` and `intent_logits` `(B, num_intents)`, float32.

    Reference: Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language
    Understanding", 2019.
    """
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    padding_mask = keras.Input((None,), dtype="int32", name="padding_mask")
    sequence = bert(
        {
            "token_ids": token_ids,
            "padding_mask": padding_mask,
            "segment_ids": ops.zeros_like(token_ids),
        }
    )["sequence_output"]
    pooled = masked_mean((sequence, padding_mask))
    intent = keras.layers.Dense(num_intents, dtype="float32", name="intent_logits")(pooled)
    if embedding_dim is None:
        embedding = keras.layers.Activation("sigmoid", dtype="float32", name="embedding")(intent)
    else:
        embedding = keras.layers.Dense(embedding_dim, dtype="float32", name="embedding")(pooled)
    return keras.Model(
        {"token_ids": token_ids, "padding_mask": padding_mask},
        {"embedding": embedding, "intent_logits": intent},
        name="text_encoder",
    )
