"""Serves a SavedModel by TF Serving's protocol on one machine: a stand-in where there is no Docker.

    python -m export.serve served/restorer [--rest-port 8501] [--grpc-port 8500]

It answers `PredictionService` (Predict, GetModelMetadata) and `ModelService` over gRPC, and
`/v1/models/restorer:predict` over REST, runs the model in the server's own C++ loader, joins
requests into batches, refuses politely what it cannot take, and when it is told to stop takes
nothing more and finishes what it has. It listens on this machine alone unless `--host` says
otherwise.
"""

import argparse
import contextlib
import os
import signal
import socket
import sys
import threading
from pathlib import Path

from tfimg.arguments import Parser, one_line, positive, refuse

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

_GRACE = 60
_BACKLOG = 2048


def main(arguments=None) -> int:
    """Serves until it is told to stop by SIGINT or SIGTERM."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if not 0 < args.timeout <= threading.TIMEOUT_MAX:  # no thread can wait for longer
        longest = f"{threading.TIMEOUT_MAX:g}"
        return refuse(
            parser.prog,
            f"--timeout must be positive and at most {longest}, found {args.timeout:g}",
        )
    import uvicorn

    from export import rest, rpc
    from export.room import Room
    from export.served import ServedModel

    try:
        model = ServedModel(
            args.folder,
            args.name,
            max_pixels=args.max_pixels,
            capacity=args.capacity,
            workers=args.workers,
        )
    except (OSError, RuntimeError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    room = Room(args.max_bytes)
    host = args.host.strip("[]")
    shown = f"[{host}]" if ":" in host else host  # as addresses and URLs write IPv6
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, args.rest_port), family=family, backlog=_BACKLOG)
        grpc_server, grpc_port = rpc.server(
            model, f"{shown}:{args.grpc_port}", args.max_bytes, args.timeout, room
        )
    except OSError as error:
        model.close()
        return refuse(parser.prog, one_line(error))
    config = uvicorn.Config(
        rest.application(model, args.max_bytes, args.timeout, room),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE,
        backlog=_BACKLOG,
    )
    rest_server = uvicorn.Server(config)

    def stop(number, frame):
        model.drain()
        grpc_server.stop(_GRACE)
        rest_server.handle_exit(number, frame)

    # Whoever reads the line below may stop the server at once, before uvicorn's own would hear it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    rest_server.capture_signals = contextlib.nullcontext
    grpc_server.start()
    print(
        f"serving {model.name} version {model.version}: gRPC on {shown}:{grpc_port}, "
        f"REST on http://{shown}:{listening.getsockname()[1]}/v1/models/{model.name}",
        flush=True,
    )
    try:
        rest_server.run([listening])
    finally:
        grpc_server.stop(_GRACE).wait()
        model.close()
    return 0


def port(text: str) -> int:
    """Reads the number of a port, as the `type` of an argument."""
    value = int(text)
    if not 0 <= value < 1 << 16:
        raise argparse.ArgumentTypeError(f"found {value}, expected 0 to 65535")
    return value


def _parser():
    parser = Parser(
        prog="python -m export.serve",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="NAME, or NAME/VERSION")
    parser.add_argument("--name", help="of the model; by default the folder's")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--grpc-port", type=port, default=8500, help="0 picks a free one")
    parser.add_argument("--rest-port", type=port, default=8501, help="0 picks a free one")
    parser.add_argument("--timeout", type=float, default=30, help="seconds for a request")
    # By default enough for the largest picture as PNG, which base64 makes a third larger.
    parser.add_argument("--max-bytes", type=positive, default=96 << 20, help="of a request")
    parser.add_argument("--max-pixels", type=positive, default=4096 * 4096, help="of a request")
    parser.add_argument("--capacity", type=positive, default=64, help="requests that wait")
    parser.add_argument("--workers", type=positive, default=2, help="batches under way at a time")
    return parser


if __name__ == "__main__":
    sys.exit(main())
