"""What a machine is best at: precision and just-in-time compilation."""

from pathlib import Path

import keras

# Processor flags that make bfloat16 matrix products faster than float32 ones.
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}


def has_gpu() -> bool:
    """Returns whether the backend sees a GPU."""
    return bool(keras.distribution.list_devices("gpu"))


def choose_precision(choice: str = "auto") -> str:
    """Returns the dtype policy to compute with.

    Args:
        choice: a Keras policy name, or `"auto"`: bfloat16 on GPUs and on processors that multiply
            it natively, float32 elsewhere.

    Raises:
        ValueError: for a name that is no policy.
    """
    if choice != "auto":
        return keras.dtype_policies.get(choice).name
    flags = set()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        flags = set(cpuinfo.read_text().split())
    return "mixed_bfloat16" if has_gpu() or flags & _BFLOAT16_FLAGS else "float32"


def choose_jit(choice: str = "auto") -> bool:
    """Returns whether to compile the step with XLA.

    Args:
        choice: `"on"`, `"off"`, or `"auto"`: on for GPUs. XLA's convolutions on processors are
            slower than TensorFlow's own.

    Raises:
        ValueError: for any other word.
    """
    if choice not in ("auto", "on", "off"):
        raise ValueError(f"jit must be auto, on or off, found {choice!r}")
    return has_gpu() if choice == "auto" else choice == "on"
