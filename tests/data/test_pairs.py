"""choose_pair: pure, fair and within its limits; a source of plain lists stands for the real ones."""

import collections
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sctrpn_jax.data import pairs


class ListSource:
    """Tracks given as lists of (frame, image name)."""

    def __init__(self, *tracks):
        self.name, self._tracks, self.num_tracks = 'list', tracks, len(tracks)

    def frames(self, track):
        return np.array([frame for frame, _ in self._tracks[track]])

    def image_name(self, track, row):
        return self._tracks[track][row][1]


VIDEO = ListSource([(0, 'a0'), (40, 'a1'), (120, 'a2')], [(0, 'b0'), (1, 'b1')])
STILLS = ListSource([(0, 'c')], [(0, 'c')], [(0, 'd')])


def test_a_pair_is_a_function_of_seed_position_and_attempt():
    sources, weights = [VIDEO, STILLS], [0.5, 0.5]

    def draw(seed, attempt=0):
        return [pairs.choose_pair(sources, weights, seed, p, attempt, negative_share=0.2) for p in range(60)]

    first = draw(1)
    assert first == draw(1) and first != draw(2) and first != draw(1, attempt=1)
    assert first[17] == pairs.choose_pair(sources, weights, 1, 17, negative_share=0.2)


def test_shares_are_kept():
    sources, weights = [VIDEO, STILLS], [3, 1]
    drawn = [pairs.choose_pair(sources, weights, 0, p, negative_share=0.25, mirror_share=0.4) for p in range(3000)]
    for share, expected in [
        (np.mean([pair.template.source == 0 for pair in drawn]), 0.75),
        (np.mean([not pair.positive for pair in drawn]), 0.25),
        (np.mean([pair.mirrored for pair in drawn]), 0.4),
    ]:
        assert abs(share - expected) < 0.04  # five standard deviations
    tracks = collections.Counter(pair.template.track for pair in drawn if pair.template.source == 1)
    assert min(tracks.values()) / max(tracks.values()) > 0.75


def test_the_shares_do_not_move_one_another():
    plain = [pairs.choose_pair([VIDEO, STILLS], [1, 1], 5, p, negative_share=0) for p in range(50)]
    mixed = [pairs.choose_pair([VIDEO, STILLS], [1, 1], 5, p, negative_share=0.5, mirror_share=1) for p in range(50)]
    assert [pair.template for pair in plain] == [pair.template for pair in mixed]
    assert all(a.search == b.search for a, b in zip(plain, mixed, strict=True) if b.positive)


def test_positives_share_a_track_and_negatives_a_different_source():
    for position in range(300):
        pair = pairs.choose_pair([VIDEO, STILLS], [1, 1], 0, position, max_interval=100, negative_share=0.5)
        if pair.positive:
            assert (pair.template.source, pair.template.track) == (pair.search.source, pair.search.track)
            assert (pair.template == pair.search) == (pair.template.source == 1)
        else:
            assert pair.template.source != pair.search.source


def test_a_single_source_gives_negatives_of_other_images():
    negatives = 0
    for position in range(200):
        pair = pairs.choose_pair([STILLS], [1], 0, position, negative_share=1)
        if not pair.positive:
            negatives += 1
            assert STILLS.image_name(pair.template.track, 0) != STILLS.image_name(pair.search.track, 0)
    assert negatives > 190


def test_without_a_second_target_every_pair_is_positive():
    lone = ListSource([(0, 'a'), (1, 'b')])
    assert all(pairs.choose_pair([lone], [1], 0, p, negative_share=1).positive for p in range(5))


@given(
    frames=st.lists(st.integers(-300, 300), min_size=1, max_size=8, unique=True).map(sorted),
    max_interval=st.integers(0, 120),
    data=st.data(),
)
def test_partners_by_a_plain_loop(frames, max_interval, data):
    row = data.draw(st.integers(0, len(frames) - 1))
    others = [i for i in range(len(frames)) if i != row]
    steps = [b - a for a, b in itertools.pairwise(frames)]
    expected = [i for i in others if abs(frames[i] - frames[row]) <= max_interval]
    if not others:
        expected = [row]
    elif np.median(steps) > max_interval:
        expected = others
    elif not expected:
        gap = min(abs(frames[i] - frames[row]) for i in others)
        expected = [i for i in others if abs(frames[i] - frames[row]) == gap]
    assert pairs.partners(np.array(frames), row, max_interval).tolist() == expected


@pytest.mark.parametrize('position', [0, 2**31, 2**32 - 1])
def test_far_positions(position):
    pair = pairs.choose_pair([VIDEO], [1], 2**32 - 1, position)
    assert pair.template.source == 0
