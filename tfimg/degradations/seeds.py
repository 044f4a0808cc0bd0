"""Random seeds without variables: what a data pipeline and a compiled train step can both carry."""

import keras
from keras import ops

# Large odd multipliers of a linear congruence modulo a prime; they keep folded streams,
# successive draws and neighbouring user seeds (step 7, step 8, ...) apart.
_MODULUS = 2147483647
_KEEP = (1103515245, 1664525)
_FOLD = (1566083941, 1812433253)
_DRAW = (1357980759, 69069069)


class StatelessSeeds(keras.random.SeedGenerator):
    """A stream of seeds computed from one seed; unlike its base class it holds no variable.

    Every function of `keras.random` takes it as `seed`. It is cheap to make anywhere, also inside a
    `tf.data` map or a jitted function, where a variable could not be created.

    Args:
        seed: int, integer tensor of shape `(2,)`, or another `StatelessSeeds` (copied from its
            start).

    Raises:
        ValueError: if `seed` is an array whose shape is not `(2,)`.

    Example:

    ```python
    seeds = StatelessSeeds(7)
    a = keras.random.normal((2,), seed=seeds)          # a and b differ,
    b = keras.random.normal((2,), seed=seeds)
    c = keras.random.normal((2,), seed=StatelessSeeds(7))  # c equals a
    ```
    """

    def __init__(self, seed):
        # The base class would create a variable, so its constructor is not called.
        self.name = "stateless_seeds"
        # What the backend's generators take; 64 bits keep the products below from overflowing.
        dtype = "uint32" if keras.backend.backend() == "jax" else "int64"
        if isinstance(seed, StatelessSeeds):
            self._base = seed._base
        elif isinstance(seed, int):
            low, high = seed % _MODULUS, (seed // _MODULUS) % _MODULUS
            self._base = ops.convert_to_tensor([low, high], dtype=dtype)
        else:
            seed = ops.convert_to_tensor(seed)
            if tuple(seed.shape) != (2,):
                raise ValueError(
                    f"seed must be an int or an integer tensor of shape (2,), "
                    f"found shape {tuple(seed.shape)}"
                )
            self._base = ops.mod(ops.cast(seed, dtype), _constant(_MODULUS, dtype))
        self._draws = 0

    def next(self, ordered: bool = True):
        """Returns a new seed, shape `(2,)`, in the backend's seed dtype."""
        self._draws += 1
        return _mix(self._base, self._draws, _DRAW)

    def fold(self, index: int) -> "StatelessSeeds":
        """Returns an independent stream, which earlier draws do not change."""
        return StatelessSeeds(_mix(self._base, index + 1, _FOLD))


def as_seeds(seed) -> StatelessSeeds:
    """Returns `seed` itself if it is a stream already, or the stream that it starts."""
    return seed if isinstance(seed, StatelessSeeds) else StatelessSeeds(seed)


def _constant(value, dtype):
    return ops.convert_to_tensor(value, dtype=dtype)


def _mix(base, count, multipliers):
    dtype = base.dtype
    step = [count * m % _MODULUS for m in multipliers]
    # The swap lets each half of the seed reach both halves after two steps.
    mixed = ops.flip(base, axis=0) * _constant(_KEEP, dtype) + _constant(step, dtype)
    return ops.mod(mixed, _constant(_MODULUS, dtype))
