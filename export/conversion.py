"""From a function of a Keras model to a LiteRT file, and what an app must know of it."""

import os
import tempfile
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

QUANTIZATIONS = ("none", "float16", "dynamic", "int8")
# Of the photos to calibrate on, where the picture's side is free.
CALIBRATION_SIDE = 256


def convert(
    model, function: Callable, specs: list, quantize: str = "none", rows: Callable | None = None
) -> bytes:
    """Converts a function of a model to LiteRT with builtin operations only.

    It goes by way of a SavedModel: straight from Keras the converter loses the weights.

    Args:
        model: the Keras model whose weights the function uses.
        function: to a dict of outputs.
        specs: a `tf.TensorSpec` for each argument.
        quantize: one of `QUANTIZATIONS`.
        rows: for `int8`, gives dicts of arguments to calibrate on.

    Returns:
        What a `.tflite` file holds.
    """
    import keras
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", function, input_signature=specs)
    with tempfile.TemporaryDirectory() as saved:
        archive.write_out(saved, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=["serve"])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantize != "none":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantize == "int8":
            converter.representative_dataset = lambda: (("serve", row) for row in rows())
            converter.inference_output_type = tf.uint8
        return converter.convert()


def as_levels(image, quantize: str):
    """Returns what a model gives for pictures in 0..1: uint8.

    Args:
        image: float tensor `(B, H, W, 3)`.
        quantize: how the model is converted; for `int8` floats, which the converter makes the 256
            levels of a uint8, at which they saturate: to clip them would take it a tenth of its
            time.
    """
    import tensorflow as tf

    if quantize == "int8":
        return tf.quantization.fake_quant_with_min_max_args(image, 0, 1)
    return tf.cast(tf.round(tf.clip_by_value(image, 0, 1) * 255), tf.uint8)


def interface(model: bytes) -> dict:
    """The inputs and outputs in the order of the file, as an app without signatures needs them."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model)
    runner = interpreter.get_signature_runner()

    def told(details, order):
        places = {detail["index"]: place for place, detail in enumerate(order)}
        rows = [
            {
                "name": name,
                "dtype": detail["dtype"].__name__,
                "shape": [int(side) for side in detail["shape_signature"]],
                "place": places[detail["index"]],
                # Of what an int8 model gives: 1/255, so that a level is a level.
                **(
                    {"scale": float(detail["quantization"][0])} if detail["quantization"][0] else {}
                ),
            }
            for name, detail in details.items()
        ]
        return sorted(rows, key=lambda row: row["place"])

    return {
        "inputs": told(runner.get_input_details(), interpreter.get_input_details()),
        "outputs": told(runner.get_output_details(), interpreter.get_output_details()),
    }
