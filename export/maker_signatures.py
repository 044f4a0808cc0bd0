"""The signatures of an exported maker of pictures: words and a seed in, a picture out."""

import tensorflow as tf

from export.signatures import to_uint8, trimmed
from tfimg.limits import LONGEST_PROMPT
from tfimg.tasks.text_to_image import TextToImage, canvases


def maker_signatures(maker: TextToImage) -> dict:
    """Returns the functions that a SavedModel of a maker offers. All of them take batches.

    Args:
        maker: what is exported.

    Returns:
        For each name a function and the specifications of its arguments:

        - `serving_default`: `prompt` `(B,)` and `seed` `(B,)` int64 to `image_bytes` `(B,)`, PNG;
        - `generate`: the same to `image` `(B, S, S, 3)` uint8;
        - `generate_embedded`: `embedding` `(B, D)` float32 and `seed` to `image`;
        - `encode_text`: `prompt` to `embedding`.
    """
    backbone, side = maker.backbone, maker.backbone.canvas

    def read(prompt):
        words = trimmed(prompt, "prompt", LONGEST_PROMPT, "UTF8_CHAR")
        tokens = maker.preprocessor.tokenize(words)
        return backbone.text_encoder(tokens, training=False)["embedding"]

    def drawn(embedding, seed):
        positive = tf.debugging.Assert(tf.reduce_all(seed >= 0), ["a seed is negative", seed])
        with tf.control_dependencies([positive]):
            noise = canvases(tf.identity(seed), side)
        noise = tf.ensure_shape(noise, (None, side, side, 3))
        inputs = {"image": noise, "mask": tf.zeros_like(noise[..., :1]), "embedding": embedding}
        return to_uint8(backbone.image_network(inputs, training=False)["image"])

    def generate(prompt, seed):
        return {"image": drawn(read(prompt), seed)}

    def generate_embedded(embedding, seed):
        return {"image": drawn(embedding, seed)}

    def serving_default(prompt, seed):
        pictures = drawn(read(prompt), seed)
        return {"image_bytes": tf.map_fn(tf.io.encode_png, pictures, fn_output_signature=tf.string)}

    def encode_text(prompt):
        return {"embedding": read(prompt)}

    prompts = tf.TensorSpec([None], tf.string, "prompt")
    seeds = tf.TensorSpec([None], tf.int64, "seed")
    embeddings = tf.TensorSpec([None, backbone.embedding_width], tf.float32, "embedding")
    return {
        "serving_default": (serving_default, [prompts, seeds]),
        "generate": (generate, [prompts, seeds]),
        "generate_embedded": (generate_embedded, [embeddings, seeds]),
        "encode_text": (encode_text, [prompts]),
    }
