"""The server as its clients see it: over REST and gRPC, with good requests and bad ones."""

import base64
import contextlib
import http.server
import io
import json
import re
import signal
import socket
import threading
import time
import zlib
from pathlib import Path
from typing import ClassVar

import grpc
import numpy as np
import pytest
import requests
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from export import client, launch, saved_model, serve
from export.batching import QueueFull
from export.served import ServedModel
from export.session import Session
from tfimg import files
from tfimg.degradations import INTENTS

PICTURE = np.random.default_rng(0).integers(0, 256, (13, 21, 3), np.uint8)
WORDS = "remove the noise"
MAX_BYTES, MAX_PIXELS = 300_000, 40_000


def _png(picture):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def _b64(data):
    return {"b64": base64.b64encode(data).decode()}


def _row(picture=PICTURE, words=WORDS):
    return {"image_bytes": _b64(_png(picture)), "instruction": words}


class _Server:
    """What the tests ask of a server."""

    def __init__(self, served):
        self.process, self.grpc, self.http = served.process, served.grpc, served.rest
        self.url = f"{self.http}/v1/models/{served.model}"
        self.channel = grpc.insecure_channel(self.grpc)
        self.predict = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.model = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def post(self, body, **options):
        return requests.post(f"{self.url}:predict", json=body, timeout=30, **options)

    def memory(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


@contextlib.contextmanager
def _running(folder, *options):
    """A server that ends well."""
    with launch.served(folder, *options) as found:
        server = _Server(found)
        yield server
        server.channel.close()
    assert found.process.returncode == 0


@pytest.fixture(scope="module")
def folder(restorer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "restorer"
    saved_model.write(restorer, folder / "3", "nowhere", 10**8)  # the server's limit is its own
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with _running(folder, "--max-bytes", MAX_BYTES, "--max-pixels", MAX_PIXELS) as server:
        yield server


def _assert_close(found, expected):
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).max() <= 1


def _decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def _request(signature="", **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "restorer", signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def test_pictures_over_rest(server, restorer):
    pictures = [PICTURE, PICTURE[:9, :5]]
    answer = server.post({"instances": [_row(picture) for picture in pictures]}).json()
    for picture, found in zip(pictures, answer["predictions"], strict=True):
        expected = restorer.restore(picture, WORDS)
        _assert_close(_decoded(base64.b64decode(found["b64"])), expected)
    inputs = {"image": PICTURE[None].tolist(), "instruction": [WORDS]}
    answer = server.post({"signature_name": "restore", "inputs": inputs}).json()
    _assert_close(np.array(answer["outputs"][0]), restorer.restore(PICTURE, WORDS))


def test_words_over_rest(server, restorer):
    body = {"signature_name": "interpret", "instances": ["去掉噪点", WORDS]}
    answer = server.post(body).json()["predictions"]
    expected = [[row[n] for n in INTENTS] for row in restorer.interpret(["去掉噪点", WORDS])]
    np.testing.assert_allclose(answer, expected, atol=1e-4)


def test_pictures_and_words_over_grpc(server, restorer):
    request = _request(image_bytes=[_png(PICTURE)], instruction=[WORDS])
    response = server.predict.Predict(request, timeout=30)
    found = tf.make_ndarray(response.outputs["image_bytes"])[0]
    _assert_close(_decoded(found), restorer.restore(PICTURE, WORDS))
    assert response.model_spec.version.value == 3
    assert response.model_spec.signature_name == "serving_default"
    request = _request("encode_text", instruction=[WORDS])
    embedding = tf.make_ndarray(server.predict.Predict(request, timeout=30).outputs["embedding"])
    np.testing.assert_allclose(embedding[0], restorer.embed(WORDS), atol=1e-5)
    request = _request("restore_embedded", image=PICTURE[None], embedding=embedding)
    found = tf.make_ndarray(server.predict.Predict(request, timeout=30).outputs["image"])
    _assert_close(found[0], restorer.restore(PICTURE, WORDS))


def test_the_model_is_described(server):
    status = requests.get(server.url, timeout=5).json()["model_version_status"][0]
    assert status["version"] == "3" and status["state"] == "AVAILABLE"
    metadata = requests.get(f"{server.url}/versions/3/metadata", timeout=5).json()
    assert metadata["model_spec"] == {"name": "restorer", "signature_name": "", "version": "3"}
    metadata = metadata["metadata"]["signature_def"]["signature_def"]
    image = metadata["restore"]["inputs"]["image"]
    assert image["dtype"] == "DT_UINT8" and image["tensor_shape"] == {
        "dim": [{"size": size, "name": ""} for size in ("-1", "-1", "-1", "3")],
        "unknown_rank": False,
    }

    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "restorer"
    states = server.model.GetModelStatus(request).model_version_status
    assert [(state.version, state.state) for state in states] == [(3, 30)]  # 30 is AVAILABLE
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "restorer"
    packed = server.predict.GetModelMetadata(request).metadata["signature_def"]
    found = get_model_metadata_pb2.SignatureDefMap()
    assert packed.Unpack(found) and set(found.signature_def) == set(metadata)
    sizes = [d.size for d in found.signature_def["restore"].inputs["image"].tensor_shape.dim]
    assert sizes == [-1, -1, -1, 3]
    assert found.signature_def["restore"].method_name == tf.saved_model.PREDICT_METHOD_NAME


def _promising(width, height):
    """A PNG whose header promises a size."""
    png = _png(PICTURE)
    header = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + png[24:29]
    return png[:12] + header + zlib.crc32(header).to_bytes(4) + png[33:]


_HUGE = _promising(20_000, 10_000)


def _jpeg(picture):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG")
    return file.getvalue()


# Its header is whole.
_CUT_JPEG = _jpeg(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))[:-1500]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"instances": [{**_row(), "image_bytes": _b64(b"text")}]}, 400, "no PNG or JPEG"),
        ({"instances": [{**_row(), "image_bytes": _b64(_png(PICTURE)[:99])}]}, 400, "PNG"),
        ({"instances": [{**_row(), "image_bytes": _b64(_CUT_JPEG)}]}, 400, "JPEG"),
        ({"instances": [{**_row(), "image_bytes": _b64(_HUGE)}]}, 400, "too large"),
        (
            {"instances": [{**_row(), "image_bytes": _b64(_promising(100, 100))}] * 5},
            400,
            "100x100",
        ),
        ({"instances": [{**_row(), "image_bytes": _b64(_promising(400, 300))}]}, 400, "400x300"),
        ({"instances": [_row(words="x" * 5000)]}, 400, "5000 bytes"),
        ({"instances": [_row(words="x" * 1_000_000)]}, 413, "300000 bytes"),
        ({"instances": [_row(words="  ")]}, 400, "empty"),
        ({"instances": [{"image_bytes": "?", "instruction": 3}]}, 400, "instruction"),
        ({"instances": [{"instruction": WORDS}]}, 400, "each instance"),
        ({"instances": []}, 400, "not empty"),
        ({"instances": [_row()] * 65}, 400, "65 rows"),
        ({"instances": [_row()], "inputs": {}}, 400, "either"),
        ({"signature_name": "paint", "instances": ["a"]}, 400, "paint"),
        ({"signature_name": "classify", "instances": [[[1, 2], [3]]]}, 400, "'image'"),
        ({"signature_name": "classify", "instances": [[[[1, 2]]]]}, 400, "shape"),
        ({"signature_name": "classify", "instances": [[[[1, 2, 300]]]]}, 400, "uint8"),
        ({"signature_name": "classify", "instances": [[[[1, 2, 2**70]]]]}, 400, "uint8"),
        ({"signature_name": "classify", "instances": [[[[1, 2, "a"]]]]}, 400, "uint8"),
        ([1, 2], 400, "object"),
    ],
)
def test_bad_requests_over_rest(server, body, status, message):
    response = server.post(body)
    assert response.status_code == status, response.text
    assert message in response.json()["error"] and "\n" not in response.json()["error"]
    assert server.post({"instances": [_row()]}).ok


def test_bad_urls_and_bodies(server):
    assert requests.get(f"{server.http}/v1/models/painter", timeout=5).status_code == 404
    assert requests.get(f"{server.url}/versions/4", timeout=5).status_code == 404
    assert requests.get(f"{server.url}:predict", timeout=5).status_code == 405
    response = requests.post(f"{server.url}:predict", data=b"{[", timeout=5)
    assert response.status_code == 400 and "JSON" in response.json()["error"]
    assert requests.post(f"{server.url}:predict", data=b"[" * 99999, timeout=5).status_code == 400


def _bomb():
    request = _request("restore", instruction=[WORDS])
    bomb = request.inputs["image"]
    bomb.dtype = tf.uint8.as_datatype_enum
    for side in (1, 10**6, 10**6, 3):
        bomb.tensor_shape.dim.add(size=side)
    bomb.int_val.append(0)  # one value stands for all
    return request


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (_request(image_bytes=[b"text"], instruction=[WORDS]), "INVALID_ARGUMENT", "no PNG"),
        (_request(image_bytes=[_HUGE], instruction=[WORDS]), "INVALID_ARGUMENT", "too large"),
        (_request(image_bytes=[_CUT_JPEG], instruction=[WORDS]), "INVALID_ARGUMENT", "JPEG"),
        (_request(image_bytes=[b"?"], instruction=[b"x" * 10**6]), "RESOURCE_EXHAUSTED", "message"),
        (_request("encode_text", instruction=[b"x" * 5000]), "INVALID_ARGUMENT", "5000 bytes"),
        (_request(instruction=[WORDS]), "INVALID_ARGUMENT", "takes"),
        (_request("paint", instruction=[WORDS]), "NOT_FOUND", "paint"),
        (_request("encode_text", instruction=[b"\xff\xfe"]), "INVALID_ARGUMENT", "UTF-8"),
        (_request("encode_text", instruction=[1, 2]), "INVALID_ARGUMENT", "instruction"),
        (_request("restore", image=PICTURE, instruction=[WORDS]), "INVALID_ARGUMENT", "shape"),
        (_bomb(), "INVALID_ARGUMENT", "3000000000000"),
    ],
)
def test_bad_requests_over_grpc(server, request_, code, message):
    with pytest.raises(grpc.RpcError) as caught:
        server.predict.Predict(request_, timeout=30)
    assert caught.value.code().name == code and message in caught.value.details()
    assert server.predict.Predict(_request("encode_text", instruction=[WORDS]), timeout=30)


def test_many_clients_get_their_own_pictures(server, restorer):
    pictures = [np.roll(PICTURE, shift, 1)[: 6 + shift] for shift in range(8)]
    expected = [restorer.restore(picture, WORDS) for picture in pictures]
    failures = []

    def ask(number):
        asking = client.Client(
            *((server.http,) if number % 2 else (server.grpc, "restorer", "grpc"))
        )
        try:
            for _ in range(4):
                _assert_close(asking.restore(pictures[number], WORDS), expected[number])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


def test_connections_that_are_opened_and_dropped_do_no_harm(server):
    host, port = server.http.removeprefix("http://").split(":")

    def open_and_drop(count):
        for number in range(count):
            with socket.create_connection((host, int(port)), timeout=10) as half:
                if number % 2:
                    half.sendall(
                        b"POST /v1/models/restorer:predict HTTP/1.1\r\nContent-Length: 99\r\n\r\n{"
                    )
        assert server.post({"instances": [_row()]}).ok
        return server.memory()

    # The first ones make Python's pools grow once; ten times as many must not add to that.
    assert open_and_drop(10_000) < open_and_drop(1_000) + 20


def test_metrics_count(server):
    server.post({"instances": [_row()]})
    server.post({"instances": [_row(words=" ")]})
    text = requests.get(f"{server.http}/monitoring/prometheus/metrics", timeout=5).text
    counts = dict(
        re.findall(r'requests_total{outcome="(\w+)",signature="serving_default"} (\S+)', text)
    )
    assert float(counts["ok"]) >= 1 and float(counts["BadRequest"]) >= 1
    assert "requests_waiting 0" in text


def test_a_flood_is_refused_politely(folder):
    wide, statuses = np.zeros((1500, 1500, 3), np.uint8), []
    with _running(folder, "--capacity", 1) as server:
        threads = [
            threading.Thread(
                target=lambda: statuses.append(server.post({"instances": [_row(wide)]}).status_code)
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert set(statuses) == {200, 429}
        assert server.post({"instances": [_row()]}).ok


def test_it_finishes_what_it_took(folder):
    wide, answers = np.zeros((2000, 2000, 3), np.uint8), []
    body = {"instances": [_row(wide)] * 2}
    with _running(folder) as server:
        asking = threading.Thread(target=lambda: answers.append(server.post(body)))
        asking.start()
        asking.join(0.5)  # by now it has arrived, and takes longer than that
        assert asking.is_alive()
    asking.join(60)
    assert answers[0].ok


def test_what_comes_after_the_signal_is_refused(folder):
    with _running(folder) as server:
        host, port = server.http.removeprefix("http://").split(":")
        body = json.dumps({"instances": [_row()]}).encode()
        head = "POST /v1/models/restorer:predict HTTP/1.1\r\nHost: x\r\nContent-Length: "
        head += f"{len(body)}\r\n\r\n"
        with socket.create_connection((host, int(port)), timeout=30) as slow:
            slow.sendall(head.encode() + body[:9])
            time.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            slow.sendall(body[9:])
            answer = slow.makefile("rb").read().decode()
        assert answer.startswith("HTTP/1.1 503") and "shutting down" in answer


def test_a_model_that_drains_finishes_and_takes_no_more(folder, restorer):
    model = ServedModel(folder)
    asked = model.predict("encode_text", {"instruction": [WORDS]}, 30)
    model.drain()
    assert not model.ready
    with pytest.raises(QueueFull, match="shutting down"):
        model.predict("encode_text", {"instruction": [WORDS]}, 30)
    np.testing.assert_allclose(asked.result(30)["embedding"][0], restorer.embed(WORDS), atol=1e-5)
    model.close()


def test_requests_are_joined_while_their_pictures_are_no_more_than_one_may_have(
    folder, monkeypatch
):
    sizes = []

    def same(session, signature, inputs):
        sizes.append(len(inputs["instruction"]))
        return {"image_bytes": inputs["image_bytes"]}

    monkeypatch.setattr(Session, "run", same)
    model = ServedModel(folder, max_pixels=2 * 13 * 21, patience=30)
    asked = {"image_bytes": [_png(PICTURE)], "instruction": [WORDS]}
    futures = [model.predict("serving_default", asked, 30) for _ in range(4)]
    assert [future.result(30)["image_bytes"][0] for future in futures] == 4 * [_png(PICTURE)]
    model.close()
    assert sizes == [2, 2]


@pytest.mark.parametrize(("inside", "place"), [(".", "3"), ("3", "."), (".", "."), ("3", "..")])
def test_a_model_is_called_after_its_folder_from_wherever(folder, inside, place, monkeypatch):
    monkeypatch.chdir(folder / inside)
    model = ServedModel(place)
    assert (model.name, model.version) == ("restorer", 3)
    model.close()


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_it_listens_on_ipv6(folder, monkeypatch):
    monkeypatch.chdir(folder / "3")  # whose own name is no number from here
    with _running(".", "--host", "::1") as server:
        assert server.http.startswith("http://[::1]:") and server.grpc.startswith("[::1]:")
        assert server.post({"instances": [_row()]}).ok
        assert server.predict.Predict(_request("encode_text", instruction=[WORDS]), timeout=30)


def test_a_port_that_is_taken_is_refused_in_one_line(folder, server, capsys):
    for option, address in (("--rest-port", server.http), ("--grpc-port", server.grpc)):
        ports = {"--rest-port": "0", "--grpc-port": "0", option: address.rpartition(":")[2]}
        arguments = [word for pair in ports.items() for word in pair]
        assert serve.main([str(folder), *arguments]) == 2
        assert capsys.readouterr().err.strip().splitlines()[-1].startswith("export.serve: error:")


def test_the_client_reads_and_writes_files(server, restorer, tmp_path, capsys):
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    Image.fromarray(PICTURE).save(source)
    for options in (["--server", server.http], ["--server", server.grpc, "--protocol", "grpc"]):
        assert client.main([str(source), WORDS, "-o", str(target), *options]) == 0
        _assert_close(np.asarray(Image.open(target)), restorer.restore(PICTURE, WORDS))
        target.unlink()
    assert (
        client.main(
            [str(source), WORDS, "-o", str(target), "--server", server.http, "--model", "x"]
        )
        == 2
    )
    assert "404" in capsys.readouterr().err and not target.exists()


def test_the_client_blends_as_strongly_as_it_is_told(server, tmp_path, capsys):
    with client.Client(server.http) as asking:
        whole = asking.restore(PICTURE, WORDS).astype(float)
        halfway = asking.restore(PICTURE, WORDS, strength=0.5)
        np.testing.assert_array_equal(asking.restore(PICTURE, WORDS, strength=0), PICTURE)
    np.testing.assert_allclose(halfway, (PICTURE + whole) / 2, atol=0.51)
    Image.fromarray(PICTURE).save(tmp_path / "in.png")
    command = [str(tmp_path / "in.png"), WORDS, "-o", str(tmp_path / "out.png")]
    assert client.main([*command, "--server", server.http, "--strength", "0"]) == 0
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out.png")), PICTURE)
    assert client.main([*command, "--server", server.http, "--strength", "7"]) == 2
    assert "strength is 7; expected 0..1" in capsys.readouterr().err


def test_the_client_asks_again_and_then_says_why(tmp_path, monkeypatch, capsys):
    pauses = []
    monkeypatch.setattr(client.time, "sleep", pauses.append)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
    asking = client.Client(nobody, retries=3)
    with pytest.raises(client.ServerError, match="does not answer"):
        asking.restore(PICTURE, WORDS)
    assert pauses == [0.2, 0.4, 0.8]


class _Mirror(http.server.BaseHTTPRequestHandler):
    """Answers with the picture that it was sent, or, under the model's name "dark", with half."""

    def do_POST(self):
        (row,) = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["instances"]
        picture = _decoded(base64.b64decode(row["image_bytes"]["b64"]))
        answer = _png(picture // 2 if "dark" in self.path else picture)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"predictions": [_b64(answer)]}).encode())

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_client_keeps_the_depth_of_a_picture(dtype, tmp_path):
    rng = np.random.default_rng(1)
    deep = rng.random((9, 7, 3), np.float32)
    if dtype != np.float32:
        deep = rng.integers(0, np.iinfo(dtype).max, deep.shape, dtype, endpoint=True)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Mirror) as mirror:
        threading.Thread(target=mirror.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{mirror.server_port}"
        with client.Client(address, "same") as same, client.Client(address, "dark") as dark:
            unchanged = [same.restore(deep, WORDS, s) for s in (1, 0.3)]
            unchanged.append(dark.restore(deep, WORDS, 0))
            blended = dark.restore(deep, WORDS, 0.25)
        if dtype == np.uint16:
            files.write_picture(files.Picture(deep), tmp_path / "in.png")
            command = [str(tmp_path / "in.png"), WORDS, "-o", str(tmp_path / "out.png")]
            options = ["--strength", "0", "--server", address, "--model", "dark"]
            assert client.main([*command, *options]) == 0
            unchanged.append(files.read_picture(tmp_path / "out.png").pixels)
        mirror.shutdown()
    for found in unchanged:
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, deep)
    peak = 1 if dtype == np.float32 else np.iinfo(dtype).max
    half = np.rint(deep / peak * 255) // 2 / 255
    expected = 0.75 * (deep / peak) + 0.25 * half
    np.testing.assert_allclose(blended / peak, expected, atol=0.51 / peak if peak > 1 else 1e-6)


class _Stranger(http.server.BaseHTTPRequestHandler):
    """Answers with a page for people, or, under the model's name "slow", after the patience."""

    asked: ClassVar[list] = []

    def do_POST(self):
        self.asked.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        if "slow" in self.path:
            time.sleep(0.5)
        with contextlib.suppress(ConnectionError):  # whoever asked may be gone
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>please log in</html>")

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(
    ("model", "message"),
    [("other", "no picture: <html>please log in"), ("slow", r"no answer within 0\.2 s")],
)
def test_what_is_no_answer_is_told_and_not_asked_again(model, message):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Stranger) as stranger:
        threading.Thread(target=stranger.serve_forever).start()
        address = f"http://127.0.0.1:{stranger.server_port}"
        _Stranger.asked.clear()
        with (
            client.Client(address, model, seconds=0.2) as asking,
            pytest.raises(client.ServerError, match=message),
        ):
            asking.restore(PICTURE, WORDS)
        assert len(_Stranger.asked) == 1
        stranger.shutdown()


def test_a_scheme_is_no_part_of_an_address_for_grpc(tmp_path, capsys):
    Image.fromarray(PICTURE).save(tmp_path / "in.png")
    arguments = [str(tmp_path / "in.png"), WORDS, "-o", str(tmp_path / "out.png")]
    assert client.main([*arguments, "--protocol", "grpc", "--server", "http://localhost:8500"]) == 2
    error = capsys.readouterr().err.strip()
    assert "HOST:PORT" in error and "http://localhost:8500" in error and "\n" not in error


@pytest.mark.parametrize(
    ("option", "value"),
    [("--rest-port", "70000"), ("--grpc-port", "-1"), ("--capacity", "0"), ("--max-bytes", "-5")],
)
def test_bad_numbers_are_refused_in_one_line(option, value, capsys):
    with pytest.raises(SystemExit) as stopped:
        serve.main(["x", option, value])
    assert stopped.value.code == 2
    error = capsys.readouterr().err.strip()
    assert option in error and value in error and "\n" not in error


def test_the_largest_picture_fits_into_a_request():
    args = serve._parser().parse_args(["x"])
    raw = 3 * args.max_pixels  # of noise, which PNG cannot make smaller
    assert args.max_bytes > 4 / 3 * raw


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no version"),
        (["nowhere/1"], "saved_model.pb"),
        (["x", "--timeout", "0"], "0"),
        (["x", "--timeout", "inf"], "found inf"),
        (["x", "--timeout", "nan"], "found nan"),
        (["x", "--timeout", "1e300"], "found 1e+300"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, message, capsys):
    assert serve.main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and "\n" not in error
