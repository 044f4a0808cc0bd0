"""What the classifier head sums up of what it detects."""

import keras
import numpy as np

from tfimg.image.classifier import classifier


def test_detectors_are_summed_up_by_two_means():
    levels = [keras.Input((16, 24, 4)), keras.Input((8, 12, 6))]
    keras.utils.set_random_seed(0)
    model = keras.Model(levels, classifier(levels, [("logits", 3)]))
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
    levels = [keras.Input((64, 64, 3))]
    keras.utils.set_random_seed(0)
    model = keras.Model(levels, classifier(levels, [("logits", 3)]))
    pooled = keras.Model(levels, model.get_layer("classifier_pooled").output)
    plain = np.full((1, 64, 64, 3), 0.5, np.float32)
    scratched = plain.copy()
    scratched[:, :, 30] = 1.0
    change = np.abs(np.asarray(pooled([scratched]) - pooled([plain])))[0]
    width = model.get_layer("classifier_level0").output.shape[-1]
    assert change[width : 2 * width].mean() > 2 * change[:width].mean()
