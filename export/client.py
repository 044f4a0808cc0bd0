"""Restores or makes pictures through a server: TF Serving, or `export.serve`.

python -m export.client photo.jpg "it's too dark" -o better.png --server http://localhost:8501
python -m export.client holiday/ "去掉噪点" -o restored/ --server localhost:8500 --protocol grpc
python -m export.client --generate "a red apple" --seed 3 -o apple.png --model maker
"""

import argparse
import base64
import os
import sys
import time
from collections.abc import Callable

import numpy as np

from export.pictures import from_png, restore_files, say, settle, to_png
from tfimg import files, pixels
from tfimg.arguments import Parser, one_line, refuse
from tfimg.limits import check_request
from tfimg.postprocess import check_strength, postprocess
from tfimg.text.remedies import VAGUE

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_FIRST_PAUSE = 0.2


class ServerError(RuntimeError):
    """The server said no, or nothing at all."""


class _Busy(ServerError):
    """It may say yes later."""


class Client:
    """A connection to a server that restores pictures, or makes them from words.

    Args:
        server: `http://HOST:PORT` for REST, `HOST:PORT` for gRPC.
        model: name of the model there.
        protocol: `"rest"` or `"grpc"`.
        seconds: to wait for an answer.
        retries: how often a busy or silent server is asked again, each time after twice the pause.

    Example:

    ```python
    with Client("http://localhost:8501", "restorer") as client:
        better = client.restore(image, "remove the noise")
    ```
    """

    def __init__(
        self,
        server: str,
        model: str = "restorer",
        protocol: str = "rest",
        seconds: float = 60,
        retries: int = 4,
    ):
        if protocol not in ("rest", "grpc"):
            raise ValueError(f"protocol must be rest or grpc, found {protocol!r}")
        self._ask, self.close = (_rest if protocol == "rest" else _grpc)(server, model, seconds)
        self._retries = retries

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def restore(
        self, image: np.ndarray, instruction: str | None = None, strength: float = 1.0
    ) -> np.ndarray:
        """Restores one picture.

        Args:
            image: `(H, W, 3)`, uint8, uint16 or float 0..1; the server sees it with 8 bits.
            instruction: what to do, in English or Chinese; done at once and in full, but for what
                the picture surely does not need, see `export.signatures.restorer_signatures`.
                Without it the picture is diagnosed.
            strength: 0 returns the input, 1 the full effect.

        Returns:
            An array of the input's shape and dtype; the input where the server leaves it as it is.

        Raises:
            ServerError: with what the server said, or that it did not answer.
            TypeError, ValueError: for what is no such picture, or a strength outside 0..1.
        """
        check_strength(strength)
        words = VAGUE["en"] if instruction is None else instruction
        image = np.asarray(image)
        sent = pixels.to_uint8(image)
        restored = self._patiently(image_bytes=to_png(sent), instruction=words)
        if strength == 0 or np.array_equal(restored, sent):  # what 8 bits cannot hold is kept
            return image.copy()
        blended = postprocess(pixels.to_float(restored), pixels.to_float(image), strength)
        return pixels.restore_dtype(blended, image.dtype)

    def generate(self, prompt: str, seed: int = 0) -> np.ndarray:
        """Makes one picture.

        Args:
            prompt: what is to be seen, in English or Chinese.
            seed: where chance comes from, 0 or more.

        Returns:
            uint8 `(S, S, 3)`.

        Raises:
            ServerError: with what the server said, or that it did not answer.
        """
        return self._patiently(prompt=prompt, seed=seed)

    def _patiently(self, **inputs):
        pause = _FIRST_PAUSE
        for _ in range(self._retries):
            try:
                answer = self._ask(inputs)
                break
            except _Busy:
                time.sleep(pause)
                pause *= 2
        else:
            answer = self._ask(inputs)
        return from_png(answer)


def _rest(server, model, seconds) -> tuple[Callable[[dict], bytes], Callable[[], None]]:
    """Returns what asks, and what ends the connection."""
    import requests

    if not server.startswith(("http://", "https://")):
        raise ValueError(f"a server for REST starts with http:// or https://, found {server!r}")
    session, url = requests.Session(), f"{server.rstrip('/')}/v1/models/{model}:predict"

    def ask(inputs):
        row = {
            name: {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
            for name, value in inputs.items()
        }
        try:
            response = session.post(url, json={"instances": [row]}, timeout=seconds)
        except requests.ReadTimeout as error:  # it may be at work still, and is not asked again
            raise ServerError(f"{server} gave no answer within {seconds:g} s") from error
        except requests.RequestException as error:
            raise _Busy(f"{server} does not answer: {error}") from error
        try:
            answer = response.json()
            if response.ok:
                return base64.b64decode(answer["predictions"][0]["b64"])
            said = answer["error"]
        except (IndexError, KeyError, TypeError, ValueError) as error:
            said = response.text[:200]
            if response.ok:
                raise ServerError(f"{server} answers with no picture: {said}") from error
        kind = _Busy if response.status_code in (429, 502, 503) else ServerError
        raise kind(f"{server} says {response.status_code}: {said}")

    return ask, session.close


def _grpc(server, model, seconds) -> tuple[Callable[[dict], bytes], Callable[[], None]]:
    """Returns what asks, and what ends the connection."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    if "://" in server:
        raise ValueError(f"a server for gRPC is HOST:PORT without http://, found {server!r}")
    channel = grpc.insecure_channel(server, options)
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    busy = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)

    def ask(inputs):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        for name, value in inputs.items():
            row = np.int64([value]) if isinstance(value, int) else [value]
            request.inputs[name].CopyFrom(tf.make_tensor_proto(row))
        try:
            response = stub.Predict(request, timeout=seconds)
        except grpc.RpcError as error:
            kind = _Busy if error.code() in busy else ServerError
            raise kind(f"{server} says {error.code().name}: {error.details()}") from error
        if "image_bytes" not in response.outputs:
            raise ServerError(f"{server} answers with no picture: {[*response.outputs]}")
        return tf.make_ndarray(response.outputs["image_bytes"])[0]

    return ask, channel.close


def main(arguments=None) -> int:
    """Restores the files that the arguments name, or makes the picture that they ask for."""
    parser = _parser()
    args = parser.parse_args(arguments)
    making = args.generate is not None
    try:
        if making:
            if args.words:
                raise ValueError(f"--generate takes no pictures, found {args.words[0]}")
            check_request(args.generate, 1, args.seed)
            files.check_output(args.output)
        elif not args.words:
            raise ValueError("name pictures, or give --generate")
        else:
            check_strength(args.strength)
            plan, instruction = settle(args.words, args.output)
        client = Client(args.server, args.model, args.protocol, args.timeout, args.retries)
        if making:
            made = files.Picture(client.generate(args.generate.strip(), args.seed))
            say(f"{args.output}: {files.write_picture(made, args.output) or 'written'}")
            return 0
    except (OSError, ServerError, ValueError) as error:
        return refuse(parser.prog, one_line(error))

    def restore(image):
        return client.restore(image, instruction, args.strength)

    return restore_files(parser.prog, plan, restore)


def _parser():
    parser = Parser(
        prog="python -m export.client",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "words", nargs="*", metavar="IN", help="pictures or folders, then what to do"
    )
    parser.add_argument("--generate", metavar="PROMPT", help="make a picture of this instead")
    parser.add_argument("--seed", type=int, default=0, help="of the picture that is made")
    parser.add_argument("--strength", type=float, default=1.0, help="0 keeps a picture as it is")
    parser.add_argument("-o", "--output", required=True, type=str)
    parser.add_argument("--server", default="http://localhost:8501")
    parser.add_argument("--model", default="restorer")
    parser.add_argument("--protocol", default="rest", choices=("rest", "grpc"))
    parser.add_argument("--timeout", type=float, default=60, help="seconds")
    parser.add_argument("--retries", type=int, default=4, help="where the server is busy or silent")
    return parser


if __name__ == "__main__":
    sys.exit(main())
