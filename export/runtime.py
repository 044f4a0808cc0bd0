"""TensorFlow's C API, as far as running a SavedModel needs it, without importing tensorflow.

Reference: `tensorflow/c/c_api.h` and `tensorflow/c/tf_tstring.h`.
"""

import ctypes
import importlib.util
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

# The numbers of TensorFlow's DataType enumeration; strings are object arrays of bytes.
_STRING = 7
DTYPES = {
    1: np.dtype("float32"),
    2: np.dtype("float64"),
    3: np.dtype("int32"),
    4: np.dtype("uint8"),
    5: np.dtype("int16"),
    6: np.dtype("int8"),
    _STRING: np.dtype(object),
    9: np.dtype("int64"),
    10: np.dtype("bool"),
    17: np.dtype("uint16"),
    19: np.dtype("float16"),
    22: np.dtype("uint32"),
    23: np.dtype("uint64"),
}
NUMBERS = {dtype: number for number, dtype in DTYPES.items()}
_TSTRING_BYTES = 24
# Of TensorFlow's codes the one that blames what was asked: a broken picture, a failed assertion.
_INVALID_ARGUMENT = 3


class Failed(RuntimeError):
    """The runtime could not do what it should, and what was asked is not to blame.

    Attributes:
        code: TensorFlow's number for the reason, which is gRPC's as well: 8 where memory ran out,
            13 for a fault inside.
    """

    def __init__(self, message: str, code: int = 2):  # as gRPC has it: unknown
        super().__init__(message)
        self.code = code


class Buffer(ctypes.Structure):
    """`TF_Buffer`."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
        ("deallocator", ctypes.c_void_p),
    ]


class Output(ctypes.Structure):
    """`TF_Output`: one tensor of a graph."""

    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


_POINTER, _INTEGER, _SIZE, _TEXT = (
    ctypes.c_void_p,
    ctypes.c_int,
    ctypes.c_size_t,
    ctypes.c_char_p,
)
_BUFFER, _OUTPUTS = ctypes.POINTER(Buffer), ctypes.POINTER(Output)
_POINTERS, _SIZES = ctypes.POINTER(_POINTER), ctypes.POINTER(ctypes.c_int64)
# Name without its TF_, result, arguments.
_FUNCTIONS = (
    ("NewStatus", _POINTER),
    ("DeleteStatus", None, _POINTER),
    ("GetCode", _INTEGER, _POINTER),
    ("Message", _TEXT, _POINTER),
    ("NewBuffer", _BUFFER),
    ("DeleteBuffer", None, _BUFFER),
    ("NewGraph", _POINTER),
    ("DeleteGraph", None, _POINTER),
    ("GraphOperationByName", _POINTER, _POINTER, _TEXT),
    ("NewSessionOptions", _POINTER),
    ("DeleteSessionOptions", None, _POINTER),
    ("LoadLibrary", _POINTER, _TEXT, _POINTER),
    ("DeleteLibraryHandle", None, _POINTER),
    (
        "LoadSessionFromSavedModel",
        _POINTER,
        *(_POINTER, _POINTER, _TEXT, ctypes.POINTER(_TEXT), _INTEGER, _POINTER, _BUFFER, _POINTER),
    ),
    ("CloseSession", None, _POINTER, _POINTER),
    ("DeleteSession", None, _POINTER, _POINTER),
    (
        "SessionRun",
        None,
        *(_POINTER, _POINTER),
        *(_OUTPUTS, _POINTERS, _INTEGER),
        *(_OUTPUTS, _POINTERS, _INTEGER),
        *(_POINTER, _INTEGER, _POINTER, _POINTER),
    ),
    ("AllocateTensor", _POINTER, _INTEGER, _SIZES, _INTEGER, _SIZE),
    ("DeleteTensor", None, _POINTER),
    ("TensorType", _INTEGER, _POINTER),
    ("TensorData", _POINTER, _POINTER),
    ("TensorByteSize", _SIZE, _POINTER),
    ("NumDims", _INTEGER, _POINTER),
    ("Dim", ctypes.c_int64, _POINTER, _INTEGER),
    ("StringInit", None, _POINTER),
    ("StringCopy", None, _POINTER, _TEXT, _SIZE),
    ("StringDealloc", None, _POINTER),
    ("StringGetDataPointer", _POINTER, _POINTER),
    ("StringGetSize", _SIZE, _POINTER),
)


@cache
def load_library() -> ctypes.CDLL:
    """Returns TensorFlow's shared library, with the operations of TF Text where it is installed.

    Raises:
        FileNotFoundError: if TensorFlow is not installed.
        Failed: if TF Text does not fit to it.
    """
    package = importlib.util.find_spec("tensorflow")
    if package is None:
        raise FileNotFoundError("the package tensorflow is not installed")
    files = sorted(Path(package.origin).parent.glob("libtensorflow_cc.*"))
    if not files:
        raise FileNotFoundError(f"no libtensorflow_cc in {Path(package.origin).parent}")
    loaded = ctypes.CDLL(str(files[0]))
    for name, result, *arguments in _FUNCTIONS:
        function = getattr(loaded, f"TF_{name}")
        function.restype, function.argtypes = result, arguments

    text = importlib.util.find_spec("tensorflow_text")
    if text is not None:
        for file in sorted(Path(text.origin).parent.glob("python/ops/*.so")):
            with _status(loaded, f"cannot load {file}") as outcome:
                handle = loaded.TF_LoadLibrary(str(file).encode(), outcome)
            loaded.TF_DeleteLibraryHandle(handle)  # the operations stay registered
    return loaded


@contextmanager
def status(what: str):
    """Yields a `TF_Status` to pass to a call, and raises an error if that failed.

    Args:
        what: what failed then; the error says `what: message`.

    Raises:
        ValueError: if what was asked is to blame.
        Failed: if it is not.
    """
    with _status(load_library(), what) as outcome:
        yield outcome


@contextmanager
def _status(loaded, what):
    outcome = loaded.TF_NewStatus()
    try:
        yield outcome
        if code := loaded.TF_GetCode(outcome):
            message = f"{what}: {loaded.TF_Message(outcome).decode(errors='replace')}"
            raise ValueError(message) if code == _INVALID_ARGUMENT else Failed(message, code)
    finally:
        loaded.TF_DeleteStatus(outcome)


@contextmanager
def tensor(array: np.ndarray):
    """Yields a `TF_Tensor` that holds a copy of an array, and frees it at the end.

    Args:
        array: C-contiguous, of a dtype in `DTYPES`; an object array holds bytes or str.
    """
    tf = load_library()
    strings = array.dtype == object
    size = array.size * (_TSTRING_BYTES if strings else array.itemsize)
    shape = (ctypes.c_int64 * array.ndim)(*array.shape)
    made = tf.TF_AllocateTensor(NUMBERS[array.dtype], shape, array.ndim, size)
    data = tf.TF_TensorData(made) or 0  # an empty tensor has no memory
    places = range(data, data + size, _TSTRING_BYTES) if strings else ()
    for place in places:
        tf.TF_StringInit(place)
    try:
        for place, value in zip(places, array.flat, strict=False):
            value = value.encode() if isinstance(value, str) else value
            if not isinstance(value, bytes):
                raise TypeError(f"a string input holds {value!r}; expected bytes or str")
            tf.TF_StringCopy(place, value, len(value))
        if size and not strings:
            ctypes.memmove(data, array.ctypes.data, size)
        yield made
    finally:
        # Deleting a tensor frees its array but not the heap memory of long strings in it.
        for place in places:
            tf.TF_StringDealloc(place)
        tf.TF_DeleteTensor(made)


def read(given: int) -> np.ndarray:
    """Returns a copy of a `TF_Tensor` as an array; strings as an object array of bytes."""
    tf = load_library()
    number = tf.TF_TensorType(given)
    if number not in DTYPES:
        raise TypeError(f"an output has TensorFlow's dtype number {number}; expected {[*DTYPES]}")
    array = np.empty([tf.TF_Dim(given, axis) for axis in range(tf.TF_NumDims(given))], object)
    data, size = tf.TF_TensorData(given), tf.TF_TensorByteSize(given)
    if number == _STRING:
        for index in range(array.size):
            place = data + index * _TSTRING_BYTES
            start = tf.TF_StringGetDataPointer(place)
            array.flat[index] = ctypes.string_at(start, tf.TF_StringGetSize(place))
        return array
    array = np.empty(array.shape, DTYPES[number])
    if size:
        ctypes.memmove(array.ctypes.data, data, size)
    return array
