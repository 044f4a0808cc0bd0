"""The gRPC services over a stand-in of a model: how much they let in, and what they call errors."""

import contextlib
import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from export import rpc
from export.room import Room
from export.runtime import Failed
from tests.export.stand_in import StandIn, double


@contextlib.contextmanager
def _running(model, max_bytes=1 << 20):
    server, port = rpc.server(model, "127.0.0.1:0", max_bytes, 30, Room(max_bytes))
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield (
            prediction_service_pb2_grpc.PredictionServiceStub(channel),
            model_service_pb2_grpc.ModelServiceStub(channel),
        )
    server.stop(None)
    model.close()


def _request(**spec):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "m", "double"
    for name, value in spec.items():
        setattr(request.model_spec, name, value)
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.int64([21])))
    return request


def _held():
    """A model that waits for a gate, whether it was entered, and the gate."""
    entered, gate = threading.Event(), threading.Event()

    def held(signature, inputs):
        entered.set()
        assert gate.wait(60)
        return double(signature, inputs)

    return held, entered, gate


def _wait(condition):
    """Waits until something is so, for half a minute at most."""
    until = time.monotonic() + 30
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)


def test_a_flood_fills_the_queue_and_leaves_room_for_the_status():
    held, _, gate = _held()
    model = StandIn(held)
    with _running(model) as (predict, status):
        asked = [predict.Predict.future(_request(), timeout=60) for _ in range(150)]
        # One batch of 16 may be under way, and 64 wait.
        _wait(lambda: sum(one.done() for one in asked) >= 150 - 64 - 16)
        assert model.waiting == 64
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "m"
        assert status.GetModelStatus(request, timeout=5).model_version_status[0].version == 3
        gate.set()
        codes = [one.code().name for one in asked]  # waits for each
        refused = [one.details() for one in asked if one.code().name == "RESOURCE_EXHAUSTED"]
    assert set(codes) == {"OK", "RESOURCE_EXHAUSTED"} and 64 < codes.count("OK") <= 80
    assert "64 requests are waiting already; try again later" in refused


def test_messages_do_not_fill_memory_together():
    """Eight of the largest size may be here at a time, and then as many again."""
    held, _, gate = _held()
    request = _request()
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.zeros(120, np.int64)))
    with _running(StandIn(held), max_bytes=request.ByteSize()) as (predict, _):
        asked = [predict.Predict.future(request, timeout=60) for _ in range(12)]
        _wait(lambda: sum(one.done() for one in asked) >= 4)
        gate.set()
        codes = [one.code().name for one in asked]
        assert codes.count("OK") == 8 and codes.count("RESOURCE_EXHAUSTED") == 4
        assert predict.Predict(request, timeout=10).outputs


def test_who_hangs_up_leaves_the_queue():
    held, entered, gate = _held()
    model = StandIn(held)
    with _running(model) as (predict, _):
        first = predict.Predict.future(_request(), timeout=60)
        assert entered.wait(30)
        second = predict.Predict.future(_request(), timeout=60)
        _wait(lambda: model.waiting)
        (waits,) = model.requests
        second.cancel()
        _wait(waits.answer.cancelled)
        assert waits.answer.cancelled()
        _wait(lambda: not model.waiting)
        assert model.waiting == 0
        gate.set()
        assert first.code().name == "OK"


@pytest.mark.parametrize(("code", "name"), [(8, "RESOURCE_EXHAUSTED"), (13, "INTERNAL")])
def test_a_fault_of_the_runtime_keeps_its_code(code, name):
    def fail(signature, inputs):
        raise Failed("no luck", code)

    with _running(StandIn(fail)) as (predict, _):
        with pytest.raises(grpc.RpcError) as caught:
            predict.Predict(_request(), timeout=10)
        assert caught.value.code().name == name and caught.value.details() == "no luck"


def test_outputs_are_those_that_are_asked_for():
    with _running(StandIn(double)) as (predict, _):
        assert set(predict.Predict(_request(), timeout=10).outputs) == {"y", "z"}
        request = _request()
        request.output_filter.append("y")
        outputs = predict.Predict(request, timeout=10).outputs
        assert set(outputs) == {"y"} and tf.make_ndarray(outputs["y"]) == [42]
        request.output_filter.append("image")
        with pytest.raises(grpc.RpcError) as caught:
            predict.Predict(request, timeout=10)
        assert caught.value.code().name == "INVALID_ARGUMENT"
        assert "no output 'image'" in caught.value.details()


def _claiming(dtype, count, **values):
    """A tensor that claims to have so many values."""
    proto = tf.make_tensor_proto([], dtype, [0])
    proto.tensor_shape.dim[0].size = count
    for field, value in values.items():
        if field == "tensor_content":
            proto.tensor_content = value
        else:
            getattr(proto, field).extend(value)
    return proto


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (_claiming(tf.string, 1000, string_val=[b"a"]), "1000 values, found 1"),
        (_claiming(tf.int64, 1000, int64_val=[7]), "1000 values, found 1"),
        (_claiming(tf.int64, 1000), "1000 values, found 0"),
        (_claiming(tf.uint8, 1000, tensor_content=b"ab"), "1000 values, found 2"),
        (_claiming(tf.int64, 1, int64_val=[7, 8]), "1 values, found 2"),
    ],
)
def test_a_tensor_does_not_grow_beyond_what_was_sent(tensor, message):
    request = _request()
    request.inputs["x"].CopyFrom(tensor)
    with _running(StandIn(double)) as (predict, _), pytest.raises(grpc.RpcError) as caught:
        predict.Predict(request, timeout=10)
    assert caught.value.code().name == "INVALID_ARGUMENT" and message in caught.value.details()


@pytest.mark.parametrize(
    ("tensor", "array"),
    [
        (_claiming(tf.int64, 3, int64_val=[7, 8, 9]), np.int64([7, 8, 9])),
        (_claiming(tf.uint8, 2, int_val=[7, 255]), np.uint8([7, 255])),
        (tf.make_tensor_proto(np.int64([4, 4, 4])), np.int64([4, 4, 4])),
        (tf.make_tensor_proto(np.float16([[1.5, 2]])), np.float16([[1.5, 2]])),
        (tf.make_tensor_proto([b"a", b"a"]), np.array([b"a", b"a"], object)),
    ],
)
def test_whole_tensors_come_in_however_they_are_written(tensor, array):
    request = _request()
    request.inputs["x"].CopyFrom(tensor)
    with _running(StandIn(double)) as (predict, _):
        found = tf.make_ndarray(predict.Predict(request, timeout=10).outputs["z"])
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_a_label_is_no_version_here():
    with _running(StandIn(double)) as (predict, _):
        with pytest.raises(grpc.RpcError) as caught:
            predict.Predict(_request(version_label="stable"), timeout=10)
        assert caught.value.code().name == "NOT_FOUND" and "stable" in caught.value.details()
