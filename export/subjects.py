"""What the benchmark times: our network and its peers, in each runtime."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_SENTENCE = "it is too grainy, please clean it up"
# Tokens of the sentence, which the textbook network's BERT reads.
_TOKENS = 11
_CLIENTS = 16
# Side of the tiles in LiteRT for larger pictures.
_TILE = 512
# A small process starts the command, because a process begins with the memory of who starts it.
_MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""


@dataclass(frozen=True)
class Subject:
    """What is timed.

    Attributes:
        run: does its work once.
        pictures: how many pictures that makes.
        gmac: multiplications and additions a picture, in thousands of millions, or None.
        command: does the same with a file in a process of its own, for its memory; or None.
    """

    run: Callable[[], object]
    pictures: int = 1
    gmac: float | None = None
    command: tuple[str, ...] | None = None

    def peak_memory(self) -> float | None:
        """Runs the command and returns the most memory that its process had, in MB.

        Raises:
            RuntimeError: with what the command says, if it fails.
        """
        if self.command is None:
            return None
        command = [sys.executable, "-c", _MEASURED, *self.command]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            silent = f"{self.command} ended with status {done.returncode} and said nothing"
            raise RuntimeError((done.stderr.strip() or silent).splitlines()[-1])
        most = int(done.stdout.splitlines()[-1])
        # In kilobytes, but on macOS in bytes.
        return most / (1e6 if sys.platform == "darwin" else 1e3)


def precisions() -> dict[str, str]:
    """Returns what is timed in Keras: how it is called, to a dtype policy.

    float32, and bfloat16 where `restore` takes it by itself; elsewhere it is slower.
    """
    from tfimg.machine import choose_precision

    timed = {"Keras": "float32"}
    if choose_precision("auto") == "mixed_bfloat16":
        timed["Keras in bfloat16"] = "mixed_bfloat16"
    return timed


def keras_peers(width: int, height: int) -> dict:
    """Returns the peers that are timed in Keras: `(runtime, network)` to a `Subject`.

    Args:
        width, height: of the picture in pixels.
    """
    import keras

    subjects, before = {}, keras.config.dtype_policy()
    try:
        for name, precision in precisions().items():
            keras.config.set_dtype_policy(precision)
            subjects |= _keras_peers(name, width, height)
    finally:
        keras.config.set_dtype_policy(before)
    return subjects


def _keras_peers(runtime, width, height):
    import tensorflow as tf

    from export.peers import bert_base, nafnet, textbook_network

    image = tf.random.uniform((1, height, width, 3), seed=0)
    textbook, bert, peer = textbook_network(), bert_base(), nafnet()
    words = {
        "token_ids": tf.ones((1, _TOKENS), tf.int32),
        "segment_ids": tf.zeros((1, _TOKENS), tf.int32),
        "padding_mask": tf.ones((1, _TOKENS), tf.int32),
    }
    return {
        (f"{runtime}, words cached", "textbook"): _compiled(
            lambda x: textbook(x, training=False),
            {"image": image, "embedding": tf.zeros((1, 768))},
        ),
        (f"{runtime}, words encoded", "textbook"): _compiled(
            lambda x, y: textbook(
                {"image": x, "embedding": bert(y, training=False)["pooled_output"]}, training=False
            ),
            image,
            words,
        ),
        (f"{runtime}, words cached", "NAFNet"): _compiled(lambda x: peer(x, training=False), image),
    }


def keras_subjects(preset: str, width: int, height: int, scratch: Path) -> dict:
    """Returns how one of ours is timed in Keras: `(runtime, network)` to a `Subject`.

    With the words cached only the picture's half runs; without, the sentence is encoded as well.

    Args:
        preset: a bundled name or a folder.
        width, height: of the picture in pixels.
        scratch: folder for the photo of the command.
    """
    photo, subjects = _photo(width, height), {}
    for name, precision in precisions().items():
        command = _restoring(preset, photo, scratch, precision)
        subjects |= _keras_subjects(name, preset, precision, width, height, command)
    return subjects


def _keras_subjects(runtime, preset, precision, width, height, command):
    import tensorflow as tf

    import tfimg

    image = tf.random.uniform((1, height, width, 3), seed=0)
    mask = tf.ones((1, height, width, 1))
    restorer = tfimg.ImageRestorer.from_preset(preset, dtype=precision)
    tokens = restorer.preprocessor.tokenize([_SENTENCE])
    backbone, pixels = restorer.backbone, restorer.backbone.heads("image")
    cached = tf.constant(restorer.embed(_SENTENCE)[None])
    return {
        (f"{runtime}, words cached", preset): _compiled(
            lambda x: pixels(x, training=False)["image"],
            {"image": image, "mask": mask, "embedding": cached},
        ),
        (f"{runtime}, words encoded", preset): _compiled(
            lambda x, y: pixels(
                {**x, "embedding": backbone.text_encoder(y, training=False)["embedding"]},
                training=False,
            )["image"],
            {"image": image, "mask": mask},
            dict(tokens),
            command=command,
        ),
    }


def served_subjects(preset: str, width: int, height: int, runtimes, scratch, stack) -> dict:
    """Returns how one of ours is timed in the C++ runtime, bare and behind the server.

    A picture goes to the server as PNG over REST and comes back as one; with many clients the time
    is that of all of them, shared out.

    Args:
        preset: a bundled name or a folder.
        width, height: of the picture in pixels.
        runtimes: "saved_model", "server" or both.
        scratch: folder for what is exported.
        stack: a `contextlib.ExitStack`, which frees the model and stops the server.

    Returns:
        `(runtime, network)` to a `Subject`.

    Raises:
        OSError: if the server does not start.
    """
    import numpy as np

    import tfimg
    from export import saved_model
    from export.client import Client
    from export.launch import served
    from export.session import Session
    from export.signatures import MAX_PIXELS
    from tfimg import presets

    folder = scratch / "restorer" / "1"
    restorer = tfimg.ImageRestorer.from_preset(preset, dtype="float32")
    saved_model.write(restorer, folder, presets.resolve(preset), MAX_PIXELS)
    image = _photo(width, height)
    subjects = {}
    if "saved_model" in runtimes:
        session = stack.enter_context(Session(folder))
        inputs = {"image": image[None], "embedding": restorer.embed(_SENTENCE)[None]}
        subjects["SavedModel, words cached", preset] = Subject(
            lambda: session.run("restore_embedded", inputs)
        )
        words = {"image": image[None], "instruction": np.array([_SENTENCE.encode()], object)}
        np.savez(
            scratch / "inputs.npz",
            **{k: v.astype("S") if v.dtype == object else v for k, v in words.items()},
        )
        files = (scratch / "inputs.npz", scratch / "outputs.npz")
        subjects["SavedModel, words encoded", preset] = Subject(
            lambda: session.run("restore", words),
            command=_command("export.session", folder, "restore", *files),
        )
    if "server" in runtimes:
        server = stack.enter_context(served(folder))
        clients = [stack.enter_context(Client(server.rest, server.model)) for _ in range(_CLIENTS)]
        pool = stack.enter_context(ThreadPoolExecutor(_CLIENTS))
        subjects["server, 1 client", preset] = Subject(lambda: clients[0].restore(image, _SENTENCE))
        subjects[f"server, {_CLIENTS} clients", preset] = Subject(
            lambda: list(pool.map(lambda client: client.restore(image, _SENTENCE), clients)),
            pictures=_CLIENTS,
        )
    return subjects


def litert_peers(width: int, height: int, threads: int) -> dict:
    """Returns the peers that are timed in LiteRT, in float32: `(runtime, network)` to a `Subject`.

    Args:
        width, height: of the picture in pixels.
        threads: of the interpreter.
    """
    import numpy as np
    import tensorflow as tf

    from export.conversion import convert
    from export.peers import nafnet, textbook_network

    image = _photo(width, height)[None].astype(np.float32) / 255
    textbook, peer = textbook_network(), nafnet()
    pixels = tf.TensorSpec([1, height, width, 3], tf.float32, "image")
    words = tf.TensorSpec([1, 768], tf.float32, "embedding")

    def textbook_function(image, embedding):
        return {"image": textbook({"image": image, "embedding": embedding}, training=False)}

    def peer_function(image):
        return {"image": peer(image, training=False)}

    return {
        ("LiteRT", "textbook"): _lite(
            convert(textbook, textbook_function, [pixels, words]),
            threads,
            {"image": image, "embedding": np.zeros((1, 768), np.float32)},
        ),
        ("LiteRT", "NAFNet"): _lite(
            convert(peer, peer_function, [pixels]), threads, {"image": image}
        ),
    }


def litert_subjects(preset: str, width: int, height: int, threads: int, scratch: Path) -> dict:
    """Returns how one of ours is timed in LiteRT: `(runtime, network)` to a `Subject`.

    It runs in every precision; the words are cached, and timed alone as the diagnosis is.

    Args:
        preset: a bundled name or a folder.
        width, height: of the picture in pixels.
        threads: of the interpreter.
        scratch: folder for what is exported.
    """
    import numpy as np

    import tfimg
    from export import conversion, tflite

    image = _photo(width, height)[None]
    restorer = tfimg.ImageRestorer.from_preset(preset, dtype="float32")
    ours = {"image": image, "embedding": restorer.embed(_SENTENCE)[None]}
    tokens = restorer.preprocessor.tokenize([_SENTENCE])
    tokens = {name: np.asarray(numbers) for name, numbers in tokens.items()}
    subjects, size = {}, width if width == height else None
    photos = tflite.calibration_photos(size)
    for quantize in conversion.QUANTIZATIONS:
        tflite.write(restorer, scratch / quantize, quantize, size, photos)
        name = f"{preset}, {'float32' if quantize == 'none' else quantize}"
        model = (scratch / quantize / "image.tflite").read_bytes()
        command = _on_a_phone(scratch / quantize, image[0], scratch)
        subjects["LiteRT", name] = _lite(model, threads, ours, command)
        if quantize in ("none", "dynamic"):  # the others have one of these precisions
            for part, inputs in {"words": tokens, "diagnosis": {"image": image}}.items():
                model = (scratch / quantize / f"{part}.tflite").read_bytes()
                subjects[f"LiteRT, {part}", name] = _lite(model, threads, inputs)
    return subjects


def large_subjects(preset: str, width: int, height: int, threads: int, scratch: Path) -> dict:
    """Returns whole photos through `restore`, in tiles: in Keras and in LiteRT.

    Args:
        preset: a bundled name or a folder.
        width, height: of the photo in pixels.
        threads: of LiteRT's interpreter.
        scratch: folder for what is exported.

    Returns:
        `(runtime, network)` to a `Subject`.
    """
    import tfimg
    from export import tflite
    from export.lite import LiteRestorer

    image, subjects = _photo(width, height), {}
    loaded = {}
    for runtime, precision in precisions().items():
        loaded[runtime] = tfimg.ImageRestorer.from_preset(preset, dtype=precision)
        subjects[f"{runtime}, tiles", preset] = Subject(
            lambda restorer=loaded[runtime]: restorer.restore(image, _SENTENCE),
            command=_restoring(preset, image, scratch, precision),
        )
    photos = tflite.calibration_photos(_TILE)
    for quantize in ("none", "dynamic", "int8"):
        tflite.write(loaded["Keras"], scratch / quantize, quantize, _TILE, photos)
        lite = LiteRestorer(scratch / quantize, threads)
        name = f"{preset}, {'float32' if quantize == 'none' else quantize}"
        subjects["LiteRT, tiles", name] = Subject(
            lambda lite=lite: lite.restore(image, _SENTENCE),
            command=_on_a_phone(scratch / quantize, image, scratch),
        )
    return subjects


def _compiled(function, *inputs, command=None):
    """A function of Keras models as a graph."""
    import tensorflow as tf

    graph = tf.function(function).get_concrete_function(*inputs)
    return Subject(lambda: graph(*inputs), gmac=gmac(graph.graph), command=command)


def _lite(model, threads, inputs, command=None):
    """A LiteRT model."""
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(model_content=model, num_threads=threads).get_signature_runner()
    return Subject(lambda: run(**inputs), command=command)


def gmac(graph) -> float:
    """Half of the floating-point operations that TensorFlow's profiler counts."""
    import tensorflow as tf

    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    options = options.with_empty_output().build()
    return profiler.profile(graph, options=options).total_float_ops / 2e9


def _restoring(preset, image, scratch, precision):
    """The command that restores a photo in Keras."""
    source, target = _files(image, scratch)
    options = ("--preset", preset, "--precision", precision)
    return _command("tfimg", "restore", source, _SENTENCE, "-o", target, *options)


def _on_a_phone(folder, image, scratch):
    """The command that restores a photo in LiteRT, without TensorFlow."""
    source, target = _files(image, scratch)
    return _command("export.lite", folder, source, _SENTENCE, "-o", target)


def _command(*words):
    return (sys.executable, "-m", *map(str, words))


def _files(image, scratch):
    from tfimg import files

    source, target = scratch / "photo.png", scratch / "restored.png"
    if not source.exists():
        files.write_picture(files.Picture(image), source)
    return source, target


def _photo(width, height):
    """The sample photo, repeated and cut to a size; uint8 `(height, width, 3)`."""
    import numpy as np

    from tfimg import files, presets
    from tfimg.pixels import to_uint8

    photo = to_uint8(files.read_picture(presets.sample_path()).pixels)
    times = [
        -(-wanted // found) for wanted, found in zip((height, width), photo.shape, strict=False)
    ]
    return np.tile(photo, (*times, 1))[:height, :width]
