import numpy as np
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
