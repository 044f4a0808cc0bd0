"""TF Serving's gRPC services over a served model: Predict, GetModelMetadata, GetModelStatus."""

import math
from concurrent.futures import CancelledError, ThreadPoolExecutor

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from export.batching import DeadlinePassed, QueueFull
from export.metadata import signature_map
from export.room import Room
from export.runtime import Failed
from export.served import BadRequest, NotFound, ServedModel

# Threads beside those of the requests that the model can have: for status calls and refusals.
_SPARE = 16

_CODES = {
    NotFound: grpc.StatusCode.NOT_FOUND,
    QueueFull: grpc.StatusCode.RESOURCE_EXHAUSTED,
    DeadlinePassed: grpc.StatusCode.DEADLINE_EXCEEDED,
    TimeoutError: grpc.StatusCode.DEADLINE_EXCEEDED,
    CancelledError: grpc.StatusCode.CANCELLED,
    ValueError: grpc.StatusCode.INVALID_ARGUMENT,
    Failed: grpc.StatusCode.UNKNOWN,  # unless it says more, see `_code`
}
_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


def server(model: ServedModel, address: str, max_bytes: int, seconds: float, room: Room):
    """Returns a gRPC server that was not started yet, and its port.

    Requests never wait for a thread: as many are let in as there are threads, and the model's
    queue refuses what is too much before these run out.

    Args:
        model: what is served.
        address: `HOST:PORT`, `[HOST]:PORT` for IPv6; port 0 picks a free one.
        max_bytes: of a message.
        seconds: for requests that state no deadline.
        room: for the messages that are here.

    Returns:
        A `grpc.Server` and the number of its port.

    Raises:
        OSError: if the address cannot be listened on.
    """
    options = [
        ("grpc.max_receive_message_length", max_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),
    ]
    threads = model.holds + _SPARE
    made = grpc.server(
        ThreadPoolExecutor(threads), options=options, maximum_concurrent_rpcs=threads
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _Prediction(model, seconds, room), made
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Model(model), made)
    try:
        port = made.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: {error}") from error
    return made, port


class _Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, model, seconds, room):
        self._model, self._seconds, self._room = model, seconds, room

    def Predict(self, request, context):
        try:
            _check(self._model, request.model_spec)
            signature = request.model_spec.signature_name or "serving_default"
            wanted = _wanted(self._model, signature, request.output_filter)
            left = context.time_remaining()
            seconds = self._seconds if left is None else min(left, self._seconds)
            with self._room.holding(request.ByteSize()):
                inputs = {name: _array(name, proto) for name, proto in request.inputs.items()}
                future = self._model.predict(signature, inputs, seconds)
                if not context.add_callback(future.cancel):  # who asked has hung up already
                    future.cancel()
                outputs = future.result(seconds)
        except tuple(_CODES) as error:
            return _abort(context, error)
        response = predict_pb2.PredictResponse()
        _describe(self._model, response.model_spec, signature)
        for name in wanted or outputs:
            response.outputs[name].CopyFrom(tf.make_tensor_proto(outputs[name]))
        return response

    def GetModelMetadata(self, request, context):
        try:
            _check(self._model, request.model_spec)
            if [*request.metadata_field] != ["signature_def"]:
                raise BadRequest(f"metadata_field must be signature_def, found {request}")
        except tuple(_CODES) as error:
            return _abort(context, error)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _describe(self._model, response.model_spec)
        response.metadata["signature_def"].Pack(signature_map(self._model.signatures))
        return response


class _Model(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, model):
        self._model = model

    def GetModelStatus(self, request, context):
        try:
            _check(self._model, request.model_spec)
        except NotFound as error:
            return _abort(context, error)
        states = get_model_status_pb2.ModelVersionStatus
        response = get_model_status_pb2.GetModelStatusResponse()
        response.model_version_status.add(
            version=self._model.version,
            state=states.AVAILABLE if self._model.ready else states.UNLOADING,
        )
        return response


def _check(model, spec):
    if spec.version_label:
        raise NotFound(f"no version labelled {spec.version_label!r}; versions have numbers here")
    model.check_name(spec.name, spec.version.value if spec.HasField("version") else None)


def _wanted(model, signature, names):
    """Which outputs are asked for; of an unknown signature the model itself complains."""
    known = model.signatures[signature].outputs if signature in model.signatures else names
    if unknown := sorted(set(names) - set(known)):
        raise BadRequest(f"no output {unknown[0]!r}; expected some of {[*known]}")
    return set(names)


def _describe(model, spec, signature=""):
    spec.name, spec.version.value, spec.signature_name = model.name, model.version, signature


def _abort(context, error):
    context.abort(_code(error), " ".join(str(error).split()) or "no answer in time")


def _code(error):
    if isinstance(error, Failed) and error.code in _BY_NUMBER:
        return _BY_NUMBER[error.code]
    return next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)


def _array(name, proto):
    """A tensor's array; one that would grow beyond what was sent is refused."""
    try:
        dtype = tf.as_dtype(proto.dtype)
        count = math.prod(dim.size for dim in proto.tensor_shape.dim)
        if proto.tensor_content:
            sent = len(proto.tensor_content) // np.dtype(dtype.as_numpy_dtype).itemsize
        else:
            fields = proto.ListFields()
            sent = sum(len(values) for field, values in fields if field.name.endswith("_val"))
        if proto.tensor_shape.unknown_rank or sent != count:
            raise BadRequest(f"input {name!r} has the shape of {count} values, found {sent}")
        return tf.make_ndarray(proto)
    except BadRequest:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise BadRequest(f"input {name!r} is no tensor: {error}") from error
