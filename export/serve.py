"""Serves a SavedModel by TF Serving's protocol on one machine: a stand-in where there is no Docker.

    python -m export.serve served/restorer [--rest-port 8501] [--grpc-port 8500]

It answers `PredictionService` (Predict, GetModelMetadata) and `ModelService` over gRPC, and
`/v1/models/restorer:predict` over REST, runs the model in the server's own C++ loader, joins
requests into batches, refuses politely what it cannot take, and finishes what it took when it is
told to stop. It listens on this machine alone unless `--host` says otherwise.
"""

import argparse
import os
import signal
import socket
import sys
from pathlib import Path

from tfimg.arguments import Parser, one_line, refuse

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

_GRACE = 60
_BACKLOG = 2048


def main(arguments=None) -> int:
    """Serves until it is told to stop by SIGINT or SIGTERM."""
    parser = _parser()
    args = parser.parse_args(arguments)
    for name in ("timeout", "max_bytes", "max_pixels", "capacity", "workers"):
        if (value := getattr(args, name)) <= 0:
            option = f"--{name.replace('_', '-')}"
            return refuse(parser.prog, f"{option} must be positive, found {value}")
    import uvicorn

    from export import rest, rpc
    from export.served import ServedModel

    try:
        model = ServedModel(
            args.folder,
            args.name,
            max_pixels=args.max_pixels,
            capacity=args.capacity,
            workers=args.workers,
        )
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    try:
        family = socket.AF_INET6 if ":" in args.host else socket.AF_INET
        listening = socket.create_server(
            (args.host, args.rest_port), family=family, backlog=_BACKLOG
        )
        grpc_server, grpc_port = rpc.server(
            model, f"{args.host}:{args.grpc_port}", args.max_bytes, args.timeout
        )
    except OSError as error:
        model.close()
        return refuse(parser.prog, one_line(error))
    config = uvicorn.Config(
        rest.application(model, args.max_bytes, args.timeout),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE,
        backlog=_BACKLOG,
    )
    grpc_server.start()
    print(
        f"serving {model.name} version {model.version}: gRPC on {args.host}:{grpc_port}, "
        f"REST on http://{args.host}:{listening.getsockname()[1]}/v1/models/{model.name}",
        flush=True,
    )
    # uvicorn stops at a signal, answers what it took, and then raises the signal once more.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    try:
        uvicorn.Server(config).run([listening])
    finally:
        grpc_server.stop(_GRACE).wait()
        model.close()
    return 0


def _parser():
    parser = Parser(
        prog="python -m export.serve",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="NAME, or NAME/VERSION")
    parser.add_argument("--name", help="of the model; by default the folder's")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--grpc-port", type=int, default=8500, help="0 picks a free one")
    parser.add_argument("--rest-port", type=int, default=8501, help="0 picks a free one")
    parser.add_argument("--timeout", type=float, default=30, help="seconds for a request")
    parser.add_argument("--max-bytes", type=int, default=32 << 20, help="of a request")
    parser.add_argument("--max-pixels", type=int, default=4096 * 4096, help="of a picture")
    parser.add_argument("--capacity", type=int, default=64, help="requests that wait")
    parser.add_argument("--workers", type=int, default=1, help="batches under way at a time")
    return parser


if __name__ == "__main__":
    sys.exit(main())
