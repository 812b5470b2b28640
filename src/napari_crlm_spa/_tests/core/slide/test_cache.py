import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_crlm_spa.core.slide.cache import PixelCache


def block(n_bytes):
    return np.zeros(n_bytes, np.uint8)


def test_the_least_recently_used_goes_first():
    cache = PixelCache(30)
    for key in "abc":
        cache.put(key, block(10))
    cache.get("a")
    cache.put("d", block(10))
    assert [cache.get(key) is not None for key in "abcd"] == [True, False, True, True]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60)), max_size=40))
def test_the_budget_holds_and_is_counted_right(puts):
    cache = PixelCache(50)
    for key, n_bytes in puts:
        cache.put(key, block(n_bytes))
        assert cache.nbytes <= 50
    assert cache.nbytes == sum(
        array.nbytes for key in range(6) if (array := cache.get(key)) is not None
    )


def test_what_is_larger_than_the_budget_is_not_kept():
    cache = PixelCache(10)
    cache.put("a", block(11))
    assert len(cache) == 0


def test_clearing_forgets_everything():
    cache = PixelCache(10)
    cache.put("a", block(5))
    cache.clear()
    assert (len(cache), cache.nbytes, cache.get("a")) == (0, 0, None)


def test_threads_that_want_the_same_array_make_it_once():
    cache, made, threads = PixelCache(100), [], 4
    together = threading.Barrier(threads, timeout=30)

    def make():
        made.append(threading.get_ident())
        time.sleep(0.02)  # long enough for all to ask
        return block(10)

    def ask(_):
        together.wait()
        return cache.get_or_make("a", make)

    with ThreadPoolExecutor(threads) as pool:
        arrays = list(pool.map(ask, range(threads)))
    assert len(made) == 1
    assert all(array is arrays[0] for array in arrays)


def test_an_array_that_cannot_be_made_is_tried_again_by_the_next():
    cache = PixelCache(100)

    def fail():
        raise OSError("damaged")

    with pytest.raises(OSError, match="damaged"):
        cache.get_or_make("a", fail)
    assert cache.get_or_make("a", lambda: None) is None
    assert cache.get_or_make("a", lambda: block(3)).nbytes == 3
