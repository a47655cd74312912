"""Frames in chunks and read ahead: all of them, in order, also before a failure."""

import itertools
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sctrpn_jax.data import video


class ListSource:
    """Gives frames, then raises; what `chunks` needs of a source."""

    def __init__(self, frames, error=None):
        self.frames, self.error, self.time = iter(frames), error, -0.5

    def __iter__(self):
        return self

    def __next__(self):
        for frame in self.frames:
            self.time += 0.5
            return frame
        raise self.error or StopIteration


@given(st.integers(0, 23), st.integers(1, 7))
def test_chunks_hold_all_frames_in_order(count, size):
    frames = np.arange(count)[:, None, None, None].repeat(3, axis=-1)
    given_back, seconds = [], []
    for group, times in video.chunks(ListSource(frames), size):
        valid = len(times)
        seconds += times
        assert group.shape == (size, 1, 1, 3)
        assert 1 <= valid <= size
        assert (group[valid:] == group[valid - 1]).all()
        given_back.extend(group[:valid, 0, 0, 0].tolist())
    assert given_back == list(range(count)) and seconds == [0.5 * i for i in range(count)]


def test_chunks_give_the_frames_before_a_failure_first():
    frames = np.arange(5)[:, None, None, None]
    groups = video.chunks(ListSource(frames, video.VideoError('broken')), 3)
    assert [len(times) for _, times in itertools.islice(groups, 2)] == [3, 2]
    with pytest.raises(video.VideoError, match='broken'):
        next(groups)


def test_reading_ahead_makes_one_item_while_another_is_in_use():
    begun = [threading.Event() for _ in range(5)]

    def items():
        for i in range(4):
            begun[i].set()
            yield i + 1
        begun[4].set()
        raise video.VideoError('broken')

    given = []
    with pytest.raises(video.VideoError, match='broken'):
        for item in video.ahead(items()):
            given.append(item)
            assert begun[item].wait(60)
            assert not any(event.is_set() for event in begun[item + 1 :])
    assert given == [1, 2, 3, 4]
    assert list(video.ahead(iter([]))) == []


def test_a_reader_ahead_that_is_left_is_not_left_running():
    before = threading.active_count()
    reader = video.ahead(iter(range(1, 100)))
    assert next(reader) == 1
    reader.close()
    assert threading.active_count() == before
