"""The queue of a server: everyone gets their own answer, the bad fail alone, the full say so."""

import threading
import time
import weakref

import numpy as np
import pytest

from export.batching import Batcher, DeadlinePassed, QueueFull


def _double(signature, inputs):
    if (inputs["x"] == 13).any():
        raise ValueError("unlucky")
    return {"y": inputs["x"] * 2}


def _rows(*values):
    return {"x": np.array(values)}


def _wait_for_a_worker(batcher):
    while batcher.waiting:
        time.sleep(0.001)


@pytest.fixture
def gate():
    """Until it is set, the model of `held` does not answer."""
    return threading.Event()


@pytest.fixture
def held(gate):
    sizes = []

    def run(signature, inputs):
        assert gate.wait(10)
        sizes.append(len(inputs["x"]))
        return _double(signature, inputs)

    run.sizes = sizes
    return run


def test_everyone_gets_their_own_answer():
    with Batcher(_double, patience=0.01) as batcher:
        asked = [100 * number for number in range(50)]
        futures = [batcher.submit("double", _rows(n, n + 1)) for n in asked]
        for number, future in zip(asked, futures, strict=True):
            assert future.result(10)["y"].tolist() == [2 * number, 2 * number + 2]


def test_requests_are_joined_up_to_a_limit(held, gate):
    with Batcher(held, max_rows=4, patience=0) as batcher:
        futures = [batcher.submit("double", _rows(number)) for number in range(9)]
        gate.set()
        assert [future.result(10)["y"][0] for future in futures] == [2 * n for n in range(9)]
    assert sum(held.sizes) == 9 and max(held.sizes) == 4


def test_requests_are_joined_up_to_a_number_of_pixels(held, gate):
    with Batcher(held, max_pixels=100, patience=0) as batcher:
        futures = [batcher.submit("double", _rows(0))]
        _wait_for_a_worker(batcher)
        sizes = (40, 60, 101, 30, 30, 30, 30)
        futures += [batcher.submit("double", _rows(n), None, n) for n in sizes]
        gate.set()
        assert [future.result(10)["y"][0] for future in futures[1:]] == [2 * n for n in sizes]
    assert held.sizes == [1, 2, 1, 3, 1]


def test_what_does_not_fit_is_not_joined(held, gate):
    with Batcher(held, patience=0) as batcher:
        batcher.submit("double", _rows(0))
        others = [batcher.submit("double", {"x": np.zeros((1, side))}) for side in (2, 3, 2)] + [
            batcher.submit("other", {"x": np.zeros((1, 2))})
        ]
        gate.set()
        assert [future.result(10)["y"].shape for future in others] == [
            (1, 2),
            (1, 3),
            (1, 2),
            (1, 2),
        ]
    assert sorted(held.sizes) == [1, 1, 1, 2]


def test_a_bad_request_fails_alone(held, gate):
    with Batcher(held) as batcher:
        futures = [batcher.submit("double", _rows(number)) for number in (1, 13, 2)]
        gate.set()
        assert futures[0].result(10)["y"] == [2] and futures[2].result(10)["y"] == [4]
        with pytest.raises(ValueError, match="unlucky"):
            futures[1].result(10)


def test_a_full_queue_says_so_and_what_was_taken_is_finished(held, gate):
    batcher = Batcher(held, max_rows=1, capacity=2)
    futures = [batcher.submit("double", _rows(1))]
    _wait_for_a_worker(batcher)
    futures += [batcher.submit("double", _rows(number)) for number in (2, 3)]
    with pytest.raises(QueueFull, match="2 requests are waiting"):
        batcher.submit("double", _rows(4))
    threading.Timer(0.05, gate.set).start()
    batcher.close()
    assert [future.result(0)["y"][0] for future in futures] == [2, 4, 6]
    with pytest.raises(QueueFull, match="shutting down"):
        batcher.submit("double", _rows(5))


def test_nobody_computes_what_nobody_waits_for(held, gate):
    with Batcher(held, max_rows=1) as batcher:
        first = batcher.submit("double", _rows(1))
        late = batcher.submit("double", _rows(2), time.monotonic() - 1)
        gone = batcher.submit("double", _rows(3))
        assert gone.cancel()
        gate.set()
        assert first.result(10)["y"] == [2]
        with pytest.raises(DeadlinePassed):
            late.result(10)
    assert held.sizes == [1]


def test_what_is_cancelled_leaves_the_queue_and_memory(held, gate):
    with Batcher(held, max_rows=1, capacity=1) as batcher:
        first, inputs = batcher.submit("double", _rows(1)), _rows(2)
        _wait_for_a_worker(batcher)
        array, gone = weakref.ref(inputs["x"]), batcher.submit("double", inputs)
        del inputs
        assert array() is not None and batcher.waiting == 1
        assert gone.cancel()
        assert array() is None and batcher.waiting == 0
        good = batcher.submit("double", _rows(3))
        gate.set()
        assert first.result(10)["y"] == [2] and good.result(10)["y"] == [6]


def test_a_request_both_late_and_cancelled_does_not_stop_the_server(held, gate):
    with Batcher(held, max_rows=1) as batcher:
        first = batcher.submit("double", _rows(1))
        gone = batcher.submit("double", _rows(2), time.monotonic() - 1)
        assert gone.cancel()
        good = batcher.submit("double", _rows(3))
        gate.set()
        assert first.result(10)["y"] == [2] and good.result(10)["y"] == [6]


def test_outputs_that_cannot_be_shared_out_do_not_stop_the_server():
    answers = iter([np.int64(3), np.array([4])])
    with Batcher(lambda signature, inputs: {"y": next(answers)}) as batcher:
        with pytest.raises(IndexError):
            batcher.submit("double", _rows(1)).result(10)
        assert batcher.submit("double", _rows(2)).result(10)["y"] == [4]


def test_a_worker_that_waits_for_company_does_not_keep_others_asleep():
    with Batcher(_double, max_rows=2, patience=30, workers=2) as batcher:
        alone = batcher.submit("double", {"x": np.zeros((1, 5))})
        assert batcher.submit("double", _rows(1, 2)).result(5)["y"].tolist() == [2, 4]
        time.sleep(0.1)  # until the worker that did this sleeps behind the one that waits
        assert batcher.submit("double", _rows(3, 4)).result(5)["y"].tolist() == [6, 8]
        assert not alone.done()
    assert alone.result(0)["y"].shape == (1, 5)
