"""What the classifier head sums up of what it detects."""

import keras
import numpy as np

from tfimg.image.classifier import classifier


def test_detectors_are_summed_up_by_two_means():
    levels = [keras.Input((16, 24, 4)), keras.Input((8, 12, 6))]
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 24, 3))
    model = keras.Model([image, levels], classifier(image, levels, [("logits", 3)]))
    seen = [
        model.get_layer(name).output
        for name in ("classifier_level0", "classifier_level1", "classifier_deeper1")
    ]
    inside = keras.Model(levels, [*seen, model.get_layer("classifier_pooled").output])
    rng = np.random.default_rng(0)
    given = [rng.normal(size=(2, *level.shape[1:])).astype(np.float32) for level in levels]
    *seen, pooled = (np.asarray(values, np.float64) for values in inside(given))
    expected = [
        np.concatenate(
            [
                ((values**power).mean((1, 2)) + 1e-6) ** root
                for power, root in ((1, 0.5), (4, 0.25))
            ],
            axis=-1,
        )
        for values in seen
    ]
    first, second, last = expected
    width = first.shape[1]
    for part, wanted in (
        (pooled[:, :width], first),
        (pooled[:, width : width + second.shape[1]], second),
        (pooled[:, -last.shape[1] :], last),
    ):
        np.testing.assert_allclose(part, wanted, rtol=1e-4)


def test_a_scratch_shows_in_the_power_mean_more_than_in_the_mean():
    image, levels = keras.Input((64, 64, 3)), [keras.Input((64, 64, 3))]
    keras.utils.set_random_seed(0)
    model = keras.Model([image, levels], classifier(image, levels, [("logits", 3)]))
    pooled = keras.Model(levels, model.get_layer("classifier_pooled").output)
    plain = np.full((1, 64, 64, 3), 0.5, np.float32)
    scratched = plain.copy()
    scratched[:, :, 30] = 1.0
    change = np.abs(np.asarray(pooled([scratched]) - pooled([plain])))[0]
    width = model.get_layer("classifier_level0").output.shape[-1]
    assert change[width : 2 * width].mean() > 2 * change[:width].mean()


def _shades(image):
    """What the head counts: the strongest and then the weakest colours, from dark to bright."""
    given, level = keras.Input((None, None, 3)), keras.Input((None, None, 4))
    model = keras.Model([given, level], classifier(given, [level], [("logits", 3)]))
    counts = keras.Model(given, model.get_layer("classifier_shades").output)(image)
    return np.square(np.asarray(counts) / 4.0)


def test_shades_are_counted_as_a_histogram_counts_them():
    rng = np.random.default_rng(0)
    # Squares of one colour each, in the middle of one of sixteen shades.
    places = rng.integers(0, 16, (2, 8, 10, 3))
    image = np.kron(places / 15.0, np.ones((1, 4, 4, 1))).astype(np.float32)
    counted = _shades(image)
    for picture, counts in zip(places, counted, strict=True):
        for chosen, part in ((picture.max(-1), counts[:16]), (picture.min(-1), counts[16:])):
            expected = np.histogram(chosen, bins=16, range=(-0.5, 15.5))[0] / chosen.size
            np.testing.assert_allclose(part, expected, atol=1e-5)


def test_a_shade_between_two_counts_for_both_and_grain_for_none():
    plain = np.full((1, 32, 32, 3), 6.25 / 15, np.float32)
    counts = _shades(plain)[0]
    np.testing.assert_allclose(counts[[6, 7, 22, 23]], [0.75, 0.25, 0.75, 0.25], atol=1e-5)
    checked = plain + 0.2 * (-1.0) ** np.add(*np.mgrid[:32, :32])[None, ..., None]
    np.testing.assert_allclose(_shades(checked.astype(np.float32))[0], counts, atol=1e-5)
