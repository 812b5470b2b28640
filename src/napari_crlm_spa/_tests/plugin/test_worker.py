"""The worker's three promises, and its registry."""

import gc
import threading
import weakref

import pytest

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.plugin.worker import PipelineWorker, WorkerRegistry


def test_an_error_of_any_kind_surfaces(qtbot):
    for error in (RuntimeError("CUDA out of memory"), ValueError("no"), StopIteration("odd")):

        def work(error=error):
            yield Progress("working", 0, 1)
            raise error

        worker = PipelineWorker(work)
        heard = []
        worker.errored.connect(heard.append)
        with qtbot.waitSignal(worker.finished, timeout=60_000):
            worker.start()
        qtbot.waitUntil(lambda heard=heard: bool(heard), timeout=60_000)
        assert isinstance(
            heard[0], RuntimeError if isinstance(error, StopIteration) else type(error)
        )


def test_quitting_closes_the_generator(qtbot):
    closed = threading.Event()

    def work():
        try:
            while not closed.wait(0.001):
                yield Progress("working", 0, 0)
        finally:
            closed.set()

    worker = PipelineWorker(work)
    heard = []
    # Not waitSignal: PySide6 ends the program if it is told once more when it listens no more.
    worker.yielded.connect(lambda progress: heard.append(progress))
    worker.start()
    qtbot.waitUntil(lambda: bool(heard), timeout=60_000)
    with qtbot.waitSignals([worker.aborted, worker.finished], timeout=60_000):
        worker.quit()
    assert closed.is_set()


def test_cancel_lets_no_second_batch_begin(qtbot):
    begun = []
    first = threading.Event()
    go_on = threading.Event()

    def work():
        for batch in range(100):
            begun.append(batch)
            first.set()
            assert go_on.wait(60)
            yield Progress("working", batch, 100)

    worker = PipelineWorker(work)
    worker.start()
    qtbot.waitUntil(first.is_set, timeout=60_000)
    worker.quit()
    with qtbot.waitSignal(worker.finished, timeout=60_000):
        go_on.set()
    assert begun == [0]


def test_a_worker_that_was_quit_before_its_start_does_nothing(qtbot):
    begun = []

    def work():
        begun.append(True)
        yield Progress("working", 0, 1)

    worker = PipelineWorker(work)
    worker.quit()
    with qtbot.waitSignal(worker.finished, timeout=60_000):
        worker.start()
    assert begun == []


def test_the_return_value_is_emitted(qtbot):
    def work(number):
        yield Progress("working", 0, 1)
        return number + 1

    worker = PipelineWorker(work, 41)
    with qtbot.waitSignal(worker.returned, timeout=60_000) as blocker:
        worker.start()
    assert blocker.args == [42]


def test_the_registry_stops_its_workers_and_forgets_them(qtbot):
    go_on = threading.Event()

    def work():
        while not go_on.wait(0.001):
            yield Progress("working", 0, 0)

    registry = WorkerRegistry()
    workers = [registry.create(work) for _ in range(2)]
    for worker in workers:
        worker.start()
    assert len(registry) == 2
    with qtbot.waitSignals([worker.finished for worker in workers], timeout=60_000):
        registry.stop()
    qtbot.waitUntil(lambda: len(registry) == 0, timeout=60_000)


def test_what_listened_to_a_worker_is_freed_after_it(qtbot):
    """A slide with its maps is such a thing: a hundred of them in a row must not pile up."""

    class Slide:
        pass

    registry = WorkerRegistry()
    kept, heard = [], []

    def listen_to(work):
        slide, worker = Slide(), registry.create(work)
        kept.append(weakref.ref(slide))
        worker.yielded.connect(lambda progress: heard.append((type(worker), type(slide))))
        worker.returned.connect(lambda result: heard.append((result, type(slide))))
        worker.errored.connect(lambda error: heard.append((str(error), type(slide))))
        worker.start()

    def ending():
        yield Progress("working", 0, 1)
        return "done"

    def failing():
        yield Progress("working", 0, 1)
        raise ValueError("bad")

    for work in (ending, failing):
        listen_to(work)
    qtbot.waitUntil(lambda: len(registry) == 0, timeout=60_000)
    PipelineWorker.await_workers(60_000)
    assert {("done", Slide), ("bad", Slide), (PipelineWorker, Slide)} == set(heard)
    qtbot.waitUntil(lambda: gc.collect() >= 0 and not any(ref() for ref in kept), timeout=60_000)


@pytest.fixture(autouse=True)
def _no_worker_outlives_its_test():
    yield
    PipelineWorker.await_workers(60_000)
