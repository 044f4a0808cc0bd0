"""Trains the image network of a maker of pictures, alone or against a critic."""

from collections.abc import Callable

import keras
import tensorflow as tf

import tfimg
from tfimg.data.captioned import Wording, captioned_batches
from tfimg.image.discriminator import discriminator
from tfimg.image.generator import with_chance
from tfimg.losses import PyramidLoss
from training.adversary import Adversary
from training.kinds import Options
from training.kinds.things import captioned_sets


def start(recipe, options: Options) -> tfimg.TextToImage:
    if options.init is None:
        raise ValueError("the words come first: train the recipe things, and give it with --init")
    return tfimg.TextToImage.from_preset(options.init, dtype=options.precision)


def source(recipe, task, options: Options, steps: int) -> Callable[[int], tf.data.Dataset]:
    side = task.backbone.canvas
    captioned = captioned_sets(options.data, "train", side)
    print(f"{len(captioned.rows)} captioned pictures", flush=True)
    reader, preprocessor = task.backbone.text_encoder, task.preprocessor

    def canvas(number, picture, prompt, chances):
        """A mixture of picture and the noise that it came from, from noise alone on."""
        seeds = tf.random.experimental.stateless_split((options.seed, number), 3)
        shape = (recipe.batch_size, 1, 1, 1)
        noise = tf.random.stateless_uniform(picture.shape, seeds[0])
        noise = with_chance(noise, chances, task.backbone.multiple)
        share = tf.random.stateless_uniform(shape, seeds[1])
        share *= tf.cast(tf.random.stateless_uniform(shape, seeds[2]) < recipe.started, tf.float32)
        x = {
            "image": share * picture + (1 - share) * noise,
            "mask": share * tf.ones_like(picture[..., :1]),
            "embedding": reader(preprocessor.tokenize(prompt), training=False)["embedding"],
        }
        return x, {"image": picture}

    def batches(first):
        wording = Wording(mirrored=recipe.mirrored)
        drawn = captioned_batches(
            captioned, wording, recipe.batch_size, seed=options.seed, first_step=first
        )
        numbered = tf.data.Dataset.zip(tf.data.Dataset.counter(first), drawn)
        return numbered.map(lambda number, drawn: canvas(number, *drawn)).prefetch(4)

    return batches


def trained(recipe, task) -> keras.Model:
    network = task.backbone.image_network
    if not recipe.critic:
        return network
    critic = discriminator(
        task.backbone.canvas, task.backbone.embedding_width, recipe.critic, task.dtype_policy
    )
    return Adversary(
        network, critic, recipe.mismatch, recipe.steepness, recipe.matching, recipe.likeness
    )


def losses(recipe) -> dict:
    return {} if recipe.critic else {"loss": {"image": PyramidLoss()}}
