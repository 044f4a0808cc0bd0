"""Lets many clients ask a server at once, and counts what comes back.

    python -m export.traffic served/restorer [--clients 16] [--seconds 60] [--least 90]

The model first runs alone, in the C++ loader, in batches of a picture a client. Then `export.serve`
serves it, and each client asks over gRPC for its own picture, for the next time as soon as it has
its answer, which is compared with what the model gave for that picture alone. Requests are encoded
beforehand and equal answers are not decoded, since the clients share the processor with the server.
Where an answer is wrong or refused, a client gets none, or the server does not reach `--least`,
the exit status is 1.
"""

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from export.pictures import from_png, to_png
from tfimg.arguments import Parser, one_line, positive, refuse

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# No diagnosis is needed for these, so all take the same time.
_WORDS = ("remove the noise", "it is grainy", "去掉噪点", "噪点太多")
_PREDICT = "/tensorflow.serving.PredictionService/Predict"
# What a batch of another size changes where a value lies between two levels.
_SAME = 1
_PROCESSES = 4
_WAIT_SECONDS = 120
_BASELINE_SECONDS = 15


@dataclass(frozen=True)
class Call:
    """What a client asks for, again and again.

    Attributes:
        request: a serialised `PredictRequest`.
        answer: the right one, the bytes of a PNG file.
    """

    request: bytes
    answer: bytes

    def is_answered_by(self, answer: bytes) -> bool:
        """Tells whether this is the right picture, to within a level."""
        if answer == self.answer:
            return True
        try:
            found = from_png(answer).astype(int)
        except OSError:
            return False
        wanted = from_png(self.answer)
        return found.shape == wanted.shape and np.abs(found - wanted).max() <= _SAME


def main(arguments=None) -> int:
    """Prints the rates and what went wrong."""
    parser = _parser()
    args = parser.parse_args(arguments)
    from export.launch import served
    from export.served import version_folder

    pictures = [picture(number, args.size) for number in range(args.clients)]
    words = [_WORDS[number % len(_WORDS)] for number in range(args.clients)]
    try:
        folder = version_folder(args.folder.absolute())
        answers, alone = baseline(folder, pictures, words, _BASELINE_SECONDS)
        with served(folder) as server:
            rows = zip(pictures, words, answers, strict=True)
            calls = [Call(request(server.model, *row), answer) for *row, answer in rows]
            counts = ask(server.grpc, calls, args.seconds)
    except (OSError, RuntimeError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    every = sum(counts, Counter())
    rate = every["right"] / args.seconds
    share = 100 * rate / alone
    print(f"the model alone, {args.clients} pictures a batch: {alone:.1f} pictures/s")
    print(f"the server, {args.clients} clients: {rate:.1f} pictures/s ({share:.0f} %)")
    least, most = (which(count["right"] for count in counts) for which in (min, max))
    print(f"{least} to {most} answers a client; {every['wrong']} wrong, {every['refused']} refused")
    lost = every["wrong"] or every["refused"] or not least
    return 1 if lost or share < args.least else 0


def baseline(
    folder: Path, pictures: list[bytes], words: list[str], seconds: float
) -> tuple[list[bytes], float]:
    """Runs a model without a server.

    Args:
        folder: of a SavedModel.
        pictures, words: a batch.
        seconds: how long it is timed, at least.

    Returns:
        Its answers, and pictures a second.
    """
    from export.session import Session

    with Session(folder) as session:
        batch = {"image_bytes": pictures, "instruction": words}
        answers = session.run("serving_default", batch)["image_bytes"]
        began, done = time.perf_counter(), 0
        while not done or time.perf_counter() - began < seconds:
            session.run("serving_default", batch)
            done += len(pictures)
        return [*answers], done / (time.perf_counter() - began)


def ask(server: str, calls: list[Call], seconds: float) -> list[Counter]:
    """Lets a client for each request ask a server, all at once.

    Args:
        server: `HOST:PORT`, gRPC.
        calls: what each asks for.
        seconds: how long.

    Returns:
        Of each client how many answers were "right", "wrong" and "refused".

    Raises:
        OSError: if the server does not take connections.
    """
    share = -(-len(calls) // _PROCESSES)
    groups = [calls[first : first + share] for first in range(0, len(calls), share)]
    context = get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(len(groups), context) as pool:
        barrier = manager.Barrier(len(groups))
        waiting = [pool.submit(_clients, server, group, seconds, barrier) for group in groups]
        return [count for group in waiting for count in group.result()]


def _clients(server, calls, seconds, barrier):
    """The clients of one process, a thread each."""
    import grpc
    from tensorflow_serving.apis import predict_pb2

    options = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(server, options) as channel, ThreadPoolExecutor(len(calls)) as pool:
        predict = channel.unary_unary(
            _PREDICT, response_deserializer=predict_pb2.PredictResponse.FromString
        )
        try:
            grpc.channel_ready_future(channel).result(_WAIT_SECONDS)
        except grpc.FutureTimeoutError:
            raise OSError(f"{server} takes no connection within {_WAIT_SECONDS} s") from None

        def outcome(call):
            try:
                response = predict(call.request, timeout=_WAIT_SECONDS)
            except grpc.RpcError:
                return "refused"
            (answer,) = response.outputs["image_bytes"].string_val
            return "right" if call.is_answered_by(answer) else "wrong"

        def client(call):
            count = Counter()
            while True:
                found = outcome(call)
                if time.monotonic() > end:  # it came too late to count
                    return count
                count[found] += 1

        [*pool.map(outcome, calls)]  # the first of each takes longer
        barrier.wait(_WAIT_SECONDS)
        end = time.monotonic() + seconds

        return [*pool.map(client, calls)]


def picture(number: int, side: int) -> bytes:
    """Returns the PNG file of a smooth picture in colour, like no other number's."""
    small = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
    return to_png(np.asarray(Image.fromarray(small).resize((side, side))))


def request(model: str, image_bytes: bytes, instruction: str) -> bytes:
    """Returns a serialised `PredictRequest` for one picture."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    message = predict_pb2.PredictRequest()
    message.model_spec.name = model
    message.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([image_bytes]))
    message.inputs["instruction"].CopyFrom(tf.make_tensor_proto([instruction.encode()]))
    return message.SerializeToString()


def _parser():
    parser = Parser(
        prog="python -m export.traffic",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="what is served, NAME or NAME/VERSION")
    parser.add_argument("--clients", type=positive, default=16)
    parser.add_argument("--seconds", type=positive, default=60)
    parser.add_argument(
        "--least",
        type=float,
        default=90,
        metavar="PERCENT",
        help="of the rate of the model alone; what the server must reach",
    )
    parser.add_argument("--size", type=positive, default=256, help="side of the pictures in pixels")
    return parser


if __name__ == "__main__":
    sys.exit(main())
