"""TF Serving's REST protocol over a served model, as an ASGI application.

Reference: https://www.tensorflow.org/tfx/serving/api_rest
"""

import asyncio
import base64
import binascii
import contextlib
import json
import re

import numpy as np
from google.protobuf.json_format import MessageToDict
from prometheus_client import generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from export.batching import DeadlinePassed, QueueFull
from export.metadata import signature_map
from export.room import Room
from export.runtime import Failed
from export.served import BadRequest, NotFound, ServedModel

_PATH = re.compile(r"(?P<name>[^/:]+)(/versions/(?P<version>\d+))?(?P<verb>:predict|/metadata)?")


_RETRY = {"Retry-After": "1"}
# Of the runtime's codes those that may pass: too little memory, and not available.
_LATER = (8, 14)


class _TooLarge(Exception):
    pass


class _TooSlow(Exception):
    pass


def application(model: ServedModel, max_bytes: int, seconds: float, room: Room) -> Starlette:
    """Returns the application.

    It answers `/v1/models/NAME` (status), `/v1/models/NAME/metadata`, `/v1/models/NAME:predict`,
    each also with `/versions/N`, `/healthz` and `/monitoring/prometheus/metrics`.

    Args:
        model: what is served.
        max_bytes: of a request's body.
        seconds: after which a request that has not come in whole, and after that one that was not
            answered, fails.
        room: for the bodies that are here.
    """

    async def models(request: Request) -> Response:
        parts = _PATH.fullmatch(request.path_params["rest"])
        try:
            if parts is None:
                raise NotFound(f"nothing is at {request.url.path}")
            version = parts["version"] and int(parts["version"])
            model.check_name(parts["name"], version)
            wanted = "POST" if parts["verb"] == ":predict" else "GET"
            if request.method != wanted:
                return _error(405, f"{request.url.path} takes {wanted}, found {request.method}")
            if parts["verb"] == "/metadata":
                return JSONResponse(_metadata(model))
            if parts["verb"] is None:
                return JSONResponse(_status(model))
            async with _body(request, max_bytes, room, seconds) as body:
                return JSONResponse(await _predict(model, body, seconds))
        except NotFound as error:
            return _error(404, error)
        except _TooLarge as error:
            return _error(413, error)
        except _TooSlow as error:
            return _error(408, error)
        except QueueFull as error:
            return _error(429 if model.ready else 503, error, _RETRY)
        except DeadlinePassed as error:
            return _error(504, error)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
        except (BadRequest, ValueError) as error:
            return _error(400, error)
        except RecursionError:
            return _error(400, "the body's lists and objects are nested too deep")
        except Failed as error:
            return _error(503, error, _RETRY) if error.code in _LATER else _error(500, error)

    async def health(request: Request) -> Response:
        ready = model.ready
        return PlainTextResponse("ok" if ready else "closing", 200 if ready else 503)

    async def metrics(request: Request) -> Response:
        return PlainTextResponse(generate_latest(model.metrics))

    return Starlette(
        routes=[
            Route("/v1/models/{rest:path}", models, methods=["GET", "POST"]),
            Route("/healthz", health),
            Route("/monitoring/prometheus/metrics", metrics),
        ]
    )


def _error(status, reason, headers=None):
    return JSONResponse({"error": " ".join(str(reason).split())}, status, headers)


@contextlib.asynccontextmanager
async def _body(request, limit, room, seconds):
    """Reads a body, and stops reading where it grows too large or comes too slowly."""
    declared = request.headers.get("content-length", "0")
    chunks, size = [], 0
    try:
        try:
            if declared.isdigit() and int(declared) > limit:
                raise _TooLarge(f"the request has more than {limit} bytes")
            async with asyncio.timeout(seconds):
                async for chunk in request.stream():
                    if size + len(chunk) > limit:
                        raise _TooLarge(f"the request has more than {limit} bytes")
                    room.take(len(chunk))
                    size += len(chunk)
                    chunks.append(chunk)
        except TimeoutError as error:
            raise _TooSlow(f"the request did not come in whole within {seconds:g} s") from error
        yield _parsed(b"".join(chunks))
    finally:
        room.give_back(size)


def _parsed(body):
    try:
        return json.loads(body)
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {error}") from error


async def _predict(model, body, seconds):
    if not isinstance(body, dict) or len({"instances", "inputs"} & set(body)) != 1:
        raise BadRequest('the body must be an object with either "instances" or "inputs"')
    signature = body.get("signature_name") or "serving_default"
    if not isinstance(signature, str):
        raise BadRequest(f"signature_name must be a string, found {signature!r}")
    if signature not in model.signatures:
        raise BadRequest(f"no signature {signature!r}; expected one of {[*model.signatures]}")
    specs = model.signatures[signature].inputs
    by_row = "instances" in body
    columns = _columns(body["instances"], specs) if by_row else body["inputs"]
    if not isinstance(columns, dict):
        if len(specs) != 1:
            raise BadRequest(f"inputs must be an object of {[*specs]}")
        columns = {next(iter(specs)): columns}
    inputs = {
        name: _array(name, value, specs[name]) if name in specs else value
        for name, value in columns.items()
    }
    future = model.predict(signature, inputs, seconds)
    try:
        outputs = await asyncio.wait_for(asyncio.wrap_future(future), seconds)
    except TimeoutError as error:
        raise DeadlinePassed(f"no answer within {seconds:g} s") from error
    values = {name: _json(name, array) for name, array in outputs.items()}
    if len(values) == 1:
        values = next(iter(values.values()))
        return {"predictions": values} if by_row else {"outputs": values}
    if not by_row:
        return {"outputs": values}
    rows = zip(*values.values(), strict=True)
    return {"predictions": [dict(zip(values, row, strict=True)) for row in rows]}


def _columns(instances, specs):
    """From one object a row to one list an input."""
    if not isinstance(instances, list) or not instances:
        raise BadRequest("instances must be a list that is not empty")
    if len(specs) == 1:
        name = next(iter(specs))
        named = [set(row) == {name} if isinstance(row, dict) else False for row in instances]
        if not any(named):
            return {name: instances}
    if not all(isinstance(row, dict) and set(row) == set(specs) for row in instances):
        raise BadRequest(f"each instance must be an object of {[*specs]}")
    return {name: [row[name] for row in instances] for name in specs}


def _array(name, value, spec):
    if spec.dtype == object:
        return _strings(name, value)
    try:
        array = np.array(value)
        cast = array.astype(spec.dtype)
        exact = spec.dtype.kind == "f" or bool((cast == array).all())
    except (OverflowError, TypeError, ValueError) as error:
        raise BadRequest(f"input {name!r} is no array of {spec.dtype}: {error}") from error
    if array.dtype.kind not in "biuf" or not exact:
        raise BadRequest(f"input {name!r} holds what is no {spec.dtype}")
    return cast


def _strings(name, value):
    if isinstance(value, list):
        return [_strings(name, row) for row in value]
    if isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str):
        try:
            return base64.b64decode(value["b64"], validate=True)
        except binascii.Error as error:
            raise BadRequest(f"input {name!r} is not base64: {error}") from error
    if isinstance(value, str):
        return value
    raise BadRequest(f'input {name!r} must hold strings or objects with the key "b64"')


def _json(name, array):
    if array.dtype != object:
        return array.tolist()
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(value).decode()} for value in array]
    return [value.decode() for value in array]


def _status(model):
    state = "AVAILABLE" if model.ready else "UNLOADING"
    status = {"error_code": "OK", "error_message": ""}
    return {
        "model_version_status": [{"version": str(model.version), "state": state, "status": status}]
    }


def _metadata(model):
    """As TF Serving tells it, names twice and sizes as strings included."""
    told = MessageToDict(
        signature_map(model.signatures),
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
    spec = {"name": model.name, "signature_name": "", "version": str(model.version)}
    return {"model_spec": spec, "metadata": {"signature_def": told}}
