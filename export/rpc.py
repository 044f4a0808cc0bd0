"""TF Serving's gRPC services over a served model: Predict, GetModelMetadata, GetModelStatus."""

import math
from concurrent.futures import ThreadPoolExecutor

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
from export.served import BadRequest, NotFound, ServedModel

_CODES = {
    NotFound: grpc.StatusCode.NOT_FOUND,
    QueueFull: grpc.StatusCode.RESOURCE_EXHAUSTED,
    DeadlinePassed: grpc.StatusCode.DEADLINE_EXCEEDED,
    TimeoutError: grpc.StatusCode.DEADLINE_EXCEEDED,
    ValueError: grpc.StatusCode.INVALID_ARGUMENT,
}


def server(model: ServedModel, address: str, max_bytes: int, seconds: float, threads: int = 64):
    """Returns a gRPC server that was not started yet, and its port.

    Args:
        model: what is served.
        address: `HOST:PORT`; port 0 picks a free one.
        max_bytes: of a message.
        seconds: for requests that state no deadline.
        threads: requests under way at a time, waiting ones included.

    Raises:
        OSError: if the address cannot be listened on.
    """
    options = [
        ("grpc.max_receive_message_length", max_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),
    ]
    made = grpc.server(ThreadPoolExecutor(threads), options=options)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _Prediction(model, max_bytes, seconds), made
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Model(model), made)
    try:
        port = made.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: {error}") from error
    return made, port


class _Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, model, max_bytes, seconds):
        self._model, self._max_bytes, self._seconds = model, max_bytes, seconds

    def Predict(self, request, context):
        try:
            _check(self._model, request.model_spec)
            signature = request.model_spec.signature_name or "serving_default"
            inputs = {
                name: _array(name, proto, self._max_bytes) for name, proto in request.inputs.items()
            }
            left = context.time_remaining()
            seconds = self._seconds if left is None else min(left, self._seconds)
            outputs = self._model.predict(signature, inputs, seconds).result(seconds)
        except tuple(_CODES) as error:
            return _abort(context, error)
        wanted = set(request.output_filter) or set(outputs)
        response = predict_pb2.PredictResponse()
        _describe(self._model, response.model_spec, signature)
        for name in wanted & set(outputs):
            response.outputs[name].CopyFrom(tf.make_tensor_proto(outputs[name]))
        return response

    def GetModelMetadata(self, request, context):
        try:
            _check(self._model, request.model_spec)
            if [*request.metadata_field] != ["signature_def"]:
                raise BadRequest(f"metadata_field must be signature_def, found {request}")
        except tuple(_CODES) as error:
            return _abort(context, error)
        found = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in self._model.signatures.items():
            for side in ("inputs", "outputs"):
                for tensor, spec in getattr(signature, side).items():
                    info = getattr(found.signature_def[name], side)[tensor]
                    info.name = spec.tensor
                    kind = tf.string if spec.dtype == object else tf.as_dtype(spec.dtype)
                    info.dtype = kind.as_datatype_enum
                    info.tensor_shape.unknown_rank = spec.shape is None
                    for size in spec.shape or ():
                        info.tensor_shape.dim.add(size=-1 if size is None else size)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _describe(self._model, response.model_spec)
        response.metadata["signature_def"].Pack(found)
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
    model.check_name(spec.name, spec.version.value if spec.HasField("version") else None)


def _describe(model, spec, signature=""):
    spec.name, spec.version.value, spec.signature_name = model.name, model.version, signature


def _abort(context, error):
    code = next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)
    context.abort(code, " ".join(str(error).split()) or "no answer in time")


def _array(name, proto, max_bytes):
    """A tensor's array; one that would grow beyond what was sent is refused."""
    try:
        dtype = tf.as_dtype(proto.dtype)
        count = math.prod(dim.size for dim in proto.tensor_shape.dim)
        width = 1 if dtype == tf.string else np.dtype(dtype.as_numpy_dtype).itemsize
        if proto.tensor_shape.unknown_rank or count < 0 or count * width > max_bytes:
            raise BadRequest(f"input {name!r} has the shape of {count} values")
        return tf.make_ndarray(proto)
    except BadRequest:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise BadRequest(f"input {name!r} is no tensor: {error}") from error
