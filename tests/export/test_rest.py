"""The REST protocol over a stand-in of a model: its shape, and what it calls errors."""

import asyncio
import json

import numpy as np
import pytest

from export import rest
from export.batching import QueueFull
from export.room import Room
from export.runtime import Failed
from export.session import Signature, TensorSpec
from tests.export.stand_in import StandIn, double


def _ask(model, method, path, body=None):
    """Asks the application without a network; returns the status, the headers and the text."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": json.dumps(body).encode()}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    asyncio.run(rest.application(model, 1 << 20, 10, Room(1 << 20))(scope, receive, send))
    text = b"".join(message.get("body", b"") for message in sent[1:]).decode()
    return sent[0]["status"], dict(sent[0]["headers"]), text


def _predict(model):
    body = {"signature_name": "double", "instances": [1, 2]}
    return _ask(model, "POST", "/v1/models/m:predict", body)


@pytest.fixture
def model():
    """A function from a function to a model of it."""
    made = []

    def make(run=double):
        made.append(StandIn(run))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_rows_go_in_and_come_out(model):
    status, _, text = _predict(model())
    assert status == 200
    assert json.loads(text) == {"predictions": [{"y": 2, "z": 1}, {"y": 4, "z": 2}]}


def test_the_metadata_have_the_shape_of_tf_serving(model):
    status, _, text = _ask(model(), "GET", "/v1/models/m/metadata")
    rows = {
        "dtype": "DT_INT64",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False},
        "name": "x:0",
    }
    found = json.loads(text)
    assert status == 200
    assert found["model_spec"] == {"name": "m", "signature_name": "", "version": "3"}
    (signature,) = found["metadata"]["signature_def"]["signature_def"].values()
    assert signature["inputs"] == {"x": rows} and signature["outputs"] == {"y": rows, "z": rows}
    assert signature["method_name"] == "tensorflow/serving/predict"


@pytest.mark.parametrize(
    ("error", "status", "again"),
    [
        (ValueError("a broken picture"), 400, False),
        (Failed("no memory", 8), 503, True),
        (Failed("not there", 14), 503, True),
        (Failed("a fault inside", 13), 500, False),
        (Failed("a lost variable", 9), 500, False),
    ],
)
def test_a_fault_of_the_runtime_is_not_blamed_on_the_request(model, error, status, again):
    def fail(signature, inputs):
        raise error

    found, headers, text = _predict(model(fail))
    assert (found, b"retry-after" in headers) == (status, again)
    assert json.loads(text) == {"error": str(error)}


def test_a_server_that_closes_says_so(model):
    closing = model()
    assert _ask(closing, "GET", "/healthz")[::2] == (200, "ok")
    assert _ask(closing, "GET", "/v1/models/m")[2].count("AVAILABLE")
    closing.ready = False
    assert _ask(closing, "GET", "/healthz")[::2] == (503, "closing")
    assert _ask(closing, "GET", "/v1/models/m")[2].count("UNLOADING")

    def refuse(*_):
        raise QueueFull("the server is shutting down")

    closing.predict = refuse
    status, headers, text = _predict(closing)
    assert (status, headers[b"retry-after"]) == (503, b"1") and "shutting down" in text


def _feed(application, *bodies, pause=0.0):
    """Sends several requests at once, each in two halves, and returns their statuses."""

    async def one(body):
        sent, halves = [], [body[: len(body) // 2], body[len(body) // 2 :]]

        async def receive():
            if len(halves) == 1:
                await asyncio.sleep(pause)
            return {"type": "http.request", "body": halves.pop(0), "more_body": bool(halves)}

        async def send(message):
            sent.append(message)

        path = "/v1/models/m:predict"
        scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}
        await application(scope, receive, send)
        return sent[0]["status"]

    async def every():
        return await asyncio.gather(*map(one, bodies))

    return asyncio.run(every())


def _padded(size):
    body = json.dumps({"signature_name": "double", "instances": [1, 2]})
    return body.ljust(size).encode()


def test_a_body_that_comes_too_slowly_is_refused(model):
    served = model()
    assert _feed(rest.application(served, 1000, 0.1, Room(1000)), _padded(200), pause=5) == [408]
    assert _feed(rest.application(served, 1000, 10, Room(1000)), _padded(200), pause=0.1) == [200]


@pytest.mark.parametrize("field", ["instances", "inputs", "signature_name"])
@pytest.mark.parametrize("depth", [600, 100_000])
def test_a_body_that_is_nested_too_deep_is_a_bad_request(model, field, depth):
    served = model()
    strings = TensorSpec("x:0", np.dtype(object), (None,))
    served.signatures = {"double": Signature({"x": strings}, {"y": strings})}
    fields = {"signature_name": '"double"', "instances": "1", field: "[" * depth + "]" * depth}
    if field == "inputs":
        del fields["instances"]
    body = ",".join(f'"{name}": {value}' for name, value in fields.items())
    application = rest.application(served, 1 << 20, 10, Room(1 << 20))
    assert _feed(application, f"{{{body}}}".encode()) == [400]


def test_bodies_do_not_fill_memory_together(model):
    """Eight of the largest size may be here at a time, and then as many again."""
    application = rest.application(model(), 1000, 10, Room(1000))
    statuses = _feed(application, *[_padded(1000)] * 12, pause=0.2)
    assert sorted(statuses) == [200] * 8 + [429] * 4
    assert _feed(application, *[_padded(1000)] * 8, pause=0.1) == [200] * 8
    assert _feed(application, _padded(1001)) == [413]
