"""Runs a SavedModel in TensorFlow's C++ runtime, as TF Serving does, without importing tensorflow.

`tf.saved_model.load` rebuilds Python objects and so accepts artefacts that a server cannot load.
This goes through `TF_LoadSessionFromSavedModel` of the C API, which is the server's own loader.

    python -m export.session NAME/VERSION SIGNATURE inputs.npz outputs.npz
"""

import argparse
import ctypes
import importlib.util
import sys
import types
import zipfile
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from export import runtime
from tfimg.arguments import Parser, one_line, refuse


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a signature.

    Args:
        tensor: the tensor's name in the graph, `"operation:index"`.
        dtype: NumPy dtype; `object` stands for byte strings.
        shape: sizes, None where any size goes; None instead of a tuple where any rank goes.
    """

    tensor: str
    dtype: np.dtype
    shape: tuple[int | None, ...] | None

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Tells whether an array of this shape can be fed."""
        return self.shape is None or (
            len(shape) == len(self.shape)
            and all(size in (None, given) for size, given in zip(self.shape, shape, strict=True))
        )

    def feedable(self, name: str, value) -> np.ndarray:
        """Returns a value as an array that can be fed.

        Args:
            name: of the input, for the error.
            value: array, or for strings a list or array of bytes or str.

        Raises:
            TypeError: for a dtype that loses its kind.
            ValueError: for another shape.
        """
        array = np.asarray(value, dtype=object if self.dtype == object else None)
        if not np.can_cast(array.dtype, self.dtype, "same_kind"):
            raise TypeError(f"input {name!r} has dtype {array.dtype}; expected {self.dtype}")
        if not self.accepts(array.shape):
            raise ValueError(f"input {name!r} has shape {array.shape}; expected {self.shape}")
        return np.require(array, self.dtype, "C")


@dataclass(frozen=True)
class Signature:
    """What one signature takes and gives: a name and a `TensorSpec` for each tensor."""

    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]


class Session:
    """A SavedModel in the C++ runtime. `run` may be called from several threads at once.

    Args:
        path: folder of a SavedModel.
        tags: which of its graphs to load.

    Raises:
        FileNotFoundError: if there is no SavedModel at the path.
        ValueError: if the C++ loader refuses it.
        RuntimeError: if the runtime itself cannot be loaded.

    Example:

    ```python
    with Session("restorer/1") as session:
        print(session.signatures["encode_text"].inputs)
        embedding = session.run("encode_text", {"instruction": ["remove the noise"]})["embedding"]
    ```
    """

    def __init__(self, path: str | Path, tags: tuple[str, ...] = ("serve",)):
        if not (Path(path) / "saved_model.pb").is_file():
            raise FileNotFoundError(f"no SavedModel at {str(path)!r}: saved_model.pb is missing")
        self._session = None
        self._tf = tf = runtime.load_library()
        self._graph = tf.TF_NewGraph()
        names = (ctypes.c_char_p * len(tags))(*(tag.encode() for tag in tags))
        with ExitStack() as stack:
            options, meta_graph = tf.TF_NewSessionOptions(), tf.TF_NewBuffer()
            stack.callback(tf.TF_DeleteSessionOptions, options)
            stack.callback(tf.TF_DeleteBuffer, meta_graph)
            stack.push(lambda kind, *_: self.close() if kind else None)
            try:
                with runtime.status(f"cannot load {str(path)!r}") as status:
                    self._session = tf.TF_LoadSessionFromSavedModel(
                        *(options, None, str(path).encode(), names, len(tags)),
                        *(self._graph, meta_graph, status),
                    )
            except runtime.Failed as error:  # whatever the code, the folder is to blame
                raise ValueError(str(error)) from error
            content = ctypes.string_at(meta_graph.contents.data, meta_graph.contents.length)
            self.signatures: dict[str, Signature] = _parse_signatures(content)

    def run(self, signature: str, inputs: dict) -> dict[str, np.ndarray]:
        """Runs one signature.

        Args:
            signature: its name, such as `"serving_default"`.
            inputs: for each input an array, or for strings a list or array of bytes or str.

        Returns:
            An array for each output; strings come as object arrays of bytes.

        Raises:
            ValueError: for an unknown signature, missing or unknown inputs, a wrong shape, a closed
                session, or what the graph refuses, with its message.
            TypeError: for a dtype that loses its kind, such as float where integers are expected.
            runtime.Failed: for any other error of the runtime, such as too little memory.
        """
        if self._session is None:
            raise ValueError("the session is closed")
        if signature not in self.signatures:
            raise ValueError(f"no signature {signature!r}; expected one of {[*self.signatures]}")
        wanted = self.signatures[signature]
        if set(inputs) != set(wanted.inputs):
            raise ValueError(
                f"signature {signature!r} takes {[*wanted.inputs]}, found {sorted(inputs)}"
            )
        arrays = [spec.feedable(name, inputs[name]) for name, spec in wanted.inputs.items()]
        outputs = (ctypes.c_void_p * len(wanted.outputs))()
        with ExitStack() as stack:
            # The outputs are read before this stack frees the inputs: they may share memory.
            fed = [stack.enter_context(runtime.tensor(array)) for array in arrays]
            with runtime.status(f"signature {signature!r} failed") as status:
                self._tf.TF_SessionRun(
                    *(self._session, None),
                    *(self._places(wanted.inputs), (ctypes.c_void_p * len(fed))(*fed), len(fed)),
                    *(self._places(wanted.outputs), outputs, len(outputs)),
                    *(None, 0, None, status),
                )
            for tensor in outputs:
                stack.callback(self._tf.TF_DeleteTensor, tensor)
            return dict(zip(wanted.outputs, map(runtime.read, outputs), strict=True))

    def close(self) -> None:
        """Frees the model. No `run` may be under way; the session cannot be used afterwards."""
        if self._session is not None:
            with runtime.status("cannot close the session") as status:
                self._tf.TF_CloseSession(self._session, status)
                self._tf.TF_DeleteSession(self._session, status)
        if self._graph is not None:
            self._tf.TF_DeleteGraph(self._graph)
        self._session = self._graph = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _places(self, specs):
        places = []
        for spec in specs.values():
            operation, _, index = spec.tensor.rpartition(":")
            found = self._tf.TF_GraphOperationByName(self._graph, operation.encode())
            if not found:
                raise ValueError(f"the graph has no operation {operation!r}")
            places.append(runtime.Output(found, int(index)))
        return (runtime.Output * len(places))(*places)


def _parse_signatures(content):
    message = _meta_graph_class().FromString(content)
    return {
        name: Signature(_specs(signature.inputs), _specs(signature.outputs))
        for name, signature in sorted(message.signature_def.items())
        if not name.startswith("__")  # what initialises the graph is not for users
    }


def _specs(infos):
    found = {}
    for name, info in sorted(infos.items()):
        if info.dtype not in runtime.DTYPES:
            raise ValueError(f"tensor {name!r} has TensorFlow's dtype number {info.dtype}")
        sizes = tuple(None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim)
        shape = None if info.tensor_shape.unknown_rank else sizes
        found[name] = TensorSpec(info.name, runtime.DTYPES[info.dtype], shape)
    return found


@cache
def _meta_graph_class():
    """The protocol buffer's class, from the wheel's files without running `tensorflow/__init__`."""
    if "tensorflow" in sys.modules:
        from tensorflow.core.protobuf import meta_graph_pb2

        return meta_graph_pb2.MetaGraphDef
    package = types.ModuleType("tensorflow")
    package.__path__ = list(importlib.util.find_spec("tensorflow").submodule_search_locations)
    sys.modules["tensorflow"] = package
    try:
        from tensorflow.core.protobuf import meta_graph_pb2
    finally:
        # Whoever imports tensorflow later gets the real one.
        for name in [name for name in sys.modules if name.split(".")[0] == "tensorflow"]:
            del sys.modules[name]
    return meta_graph_pb2.MetaGraphDef


def main(arguments=None) -> int:
    """Runs one signature on the arrays of a file, and writes what it gives to another."""
    parser = Parser(
        prog="python -m export.session",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name in ("folder", "signature", "inputs", "outputs"):
        parser.add_argument(name)
    args = parser.parse_args(arguments)
    try:
        with np.load(args.inputs) as inputs, Session(args.folder) as session:
            outputs = session.run(args.signature, dict(inputs))
        # As fixed-width bytes: object arrays would be pickled, and loading them could run code.
        plain = {name: a.astype("S") if a.dtype == object else a for name, a in outputs.items()}
        np.savez(args.outputs, **plain)
    except (EOFError, zipfile.BadZipFile, zlib.error) as error:  # which only reading raises
        return refuse(parser.prog, one_line(f"{args.inputs} is no whole .npz file: {error}"))
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
