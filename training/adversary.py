"""A maker of pictures and its critic, trained against each other in one step."""

import keras
import tensorflow as tf
from keras import ops

from tfimg.losses import PyramidLoss

# How far real and made pictures are moved to feel how steep the critic is, in 0..1.
_NUDGE = 0.05
_SHIFT, _CUTOUT = 8, 24


class Adversary(keras.Model):
    """Trains an image network to please a critic, and the critic to tell made from real.

    The critic compares a real picture with a made one of the same words, and finds the words of a
    real picture among those of the batch; the maker is to be real to it, and to be found. Made
    pictures are also held to the real ones by what the critic sees in both, and by their error at
    several scales, the finest among them: a critic that may not be steep sees no fine grid.

    Args:
        network: `tfimg.network.image_network` with a canvas. What standardises its words is used
            for the critic's, too.
        critic: `tfimg.image.discriminator.discriminator`.
        mismatch: weight of finding the right words among others.
        steepness: weight of the penalty on the critic's slope at real and at made pictures, felt
            by a small step in place of second derivatives, which bfloat16 and XLA do badly.
        matching: weight of the difference between what the critic sees in made and real pictures.
        likeness: weight of the squared error at several scales.
        seed: of the augmentation and the steps.

    References: Huang et al., "The GAN is dead; long live the GAN!", 2024 (relativistic pairing,
    penalties at both ends); Lin et al., "Diffusion Adversarial Post-Training", 2025 (slope by
    finite differences); Kang & Park, "ContraGAN", 2020 (conditions found among those of the
    batch); Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", 2020; Wang
    et al., "High-Resolution Image Synthesis with Conditional GANs", 2018 (feature matching).
    """

    def __init__(
        self,
        network: keras.Model,
        critic: keras.Model,
        mismatch: float,
        steepness: float,
        matching: float,
        likeness: float,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.network = network
        self.critic = critic
        self.mismatch = mismatch
        self.steepness = steepness
        self.matching = matching
        self.likeness = likeness
        self.seeds = keras.random.SeedGenerator(seed)
        self._pyramid = PyramidLoss()
        self._trackers = [
            keras.metrics.Mean(name=name) for name in ("loss", "critic_loss", "fooled", "error")
        ]
        self.built = True

    @property
    def metrics(self):
        return self._trackers

    def call(self, x, training=False):
        return self.network(x, training=training)

    def train_step(self, data):
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        real, said = y["image"], self.network.get_layer("standardised")(x["embedding"])
        with tf.GradientTape(persistent=True) as tape:
            made = self.network(x, training=True)["image"]
            losses = self._judge(real, made, said)
            scaled = [self.optimizer.scale_loss(loss) for loss in losses[:2]]
        drawing, judging = self.network.trainable_variables, self.critic.trainable_variables
        gradients = tape.gradient(scaled[0], drawing) + tape.gradient(scaled[1], judging)
        self.optimizer.apply(gradients, drawing + judging)
        for tracker, value in zip(self._trackers, losses, strict=True):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in self._trackers}

    def _judge(self, real, made, embedding):
        both = self._augmented(ops.concatenate([real, made], axis=0))
        real_seen, made_seen = ops.split(both, 2, axis=0)
        # The critic learns from made pictures as they are, and does not change them.
        on_real = self.critic({"image": real_seen, "embedding": embedding})
        on_made = self.critic({"image": ops.stop_gradient(made_seen), "embedding": embedding})
        critic_loss = ops.mean(ops.softplus(on_made["score"] - on_real["score"]))
        critic_loss += self.mismatch * _confusion(on_real["matching"])
        critic_loss += self.steepness * self._slope(real_seen, on_real, embedding)
        critic_loss += self.steepness * self._slope(made_seen, on_made, embedding)

        judged = self.critic({"image": made_seen, "embedding": embedding})
        fooling = ops.mean(ops.softplus(ops.stop_gradient(on_real["score"]) - judged["score"]))
        alike = sum(
            ops.mean(ops.abs(ops.cast(a, "float32") - ops.stop_gradient(ops.cast(b, "float32"))))
            for a, b in zip(judged["features"], on_real["features"], strict=True)
        )
        error = ops.mean(self._pyramid.call(real, made))
        maker_loss = fooling + self.mismatch * _confusion(judged["matching"])
        maker_loss += self.matching * alike + self.likeness * error
        fooled = ops.mean(ops.cast(judged["score"] > on_real["score"], "float32"))
        return maker_loss, critic_loss, fooled, error

    def _slope(self, image, judged, embedding):
        """The squared slope of the critic at a quarter of the pictures, one at least."""
        count = ops.maximum(ops.shape(image)[0] // 4, 1)
        image, embedding = ops.stop_gradient(image[:count]), embedding[:count]
        nudge = keras.random.normal(ops.shape(image), seed=self.seeds) * _NUDGE
        nudged = self.critic({"image": image + nudge, "embedding": embedding})["score"]
        return ops.mean(ops.square((nudged - judged["score"][:count]) / _NUDGE))

    def _augmented(self, pairs):
        """Changes colours, place and a hidden part of pictures, alike in the halves of a batch."""
        count, side = ops.shape(pairs)[0] // 2, pairs.shape[1]

        def draw(low, high):
            drawn = keras.random.uniform((count, 1, 1, 1), low, high, seed=self.seeds)
            return ops.concatenate([drawn, drawn], axis=0)

        grey = ops.mean(pairs, axis=-1, keepdims=True)
        pairs = grey + (pairs - grey) * draw(0.5, 1.5)
        mean = ops.mean(pairs, axis=(1, 2, 3), keepdims=True)
        pairs = mean + (pairs - mean) * draw(0.75, 1.25) + draw(-0.2, 0.2)

        shift = keras.random.randint((2,), 0, 2 * _SHIFT + 1, seed=self.seeds)
        padded = ops.pad(pairs, ((0, 0), (_SHIFT, _SHIFT), (_SHIFT, _SHIFT), (0, 0)), "reflect")
        pairs = padded[:, shift[0] : shift[0] + side, shift[1] : shift[1] + side]
        pairs = ops.reshape(pairs, (2 * count, side, side, 3))

        places = ops.arange(side, dtype="float32") + 0.5
        near = [ops.abs(places - draw(0, side)[:, :, :, 0]) < _CUTOUT / 2 for _ in range(2)]
        hidden = ops.logical_and(near[0][:, 0, :, None], near[1][:, 0, None, :])
        hidden = ops.logical_and(hidden, draw(0, 1)[..., 0] < 0.5)
        return ops.where(hidden[..., None], 0.5, pairs)


def _confusion(matching):
    """The cross-entropy of finding each picture's own words among all of the batch."""
    own = ops.arange(ops.shape(matching)[0])
    return ops.mean(keras.losses.sparse_categorical_crossentropy(own, matching, from_logits=True))
