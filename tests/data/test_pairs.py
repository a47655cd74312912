"""draw_pair: pure, fair and within its limits; a source of plain lists stands for the real ones."""

import collections
import itertools

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sctrpn_jax.data import pairs


class ListSource:
    """Tracks given as lists of (frame, image name)."""

    name, refused = 'list', ()

    def __init__(self, *tracks):
        rows = [row for track in tracks for row in track]
        names = sorted({name for _, name in rows})
        self.starts = np.cumsum([0, *map(len, tracks)])
        self.frame = np.array([frame for frame, _ in rows], np.int64)
        self.image = np.array([names.index(name) for _, name in rows], np.int64)


VIDEO = ListSource([(0, 'a0'), (40, 'a1'), (120, 'a2')], [(0, 'b0'), (1, 'b1')])
STILLS = ListSource([(0, 'c')], [(0, 'c')], [(0, 'd')])
BOTH = pairs.make_index([VIDEO, STILLS], [1, 1], [(1, 100)] * 2)
SOURCE = np.array([0] * 5 + [1] * 3)
TRACK = np.array([0, 0, 0, 1, 1, 2, 3, 4])
IMAGE = np.array([0, 1, 2, 3, 4, 5, 5, 6])


def draw(index, count, seed=0, attempt=0, first=0, **shares):
    positions = (first + np.arange(count)).astype(np.uint32)
    one = lambda p: pairs.draw_pair(index, np.uint32(seed), p, np.int32(attempt), **shares)  # noqa: E731
    return jax.tree.map(np.asarray, jax.jit(jax.vmap(one))(positions))


def assert_same(a, b, where=slice(None)):
    jax.tree.map(lambda x, y: np.testing.assert_array_equal(x[where], y[where]), a, b)


def test_a_pair_is_a_function_of_seed_position_and_attempt():
    first = draw(BOTH, 60, 1, negative_share=0.2)
    assert_same(first, draw(BOTH, 60, 1, negative_share=0.2))
    assert (first.template != draw(BOTH, 60, 2, negative_share=0.2).template).any()
    assert (first.template != draw(BOTH, 60, 1, 1, negative_share=0.2).template).any()
    alone = pairs.draw_pair(BOTH, np.uint32(1), np.uint32(17), np.int32(0), negative_share=0.2)
    assert_same(jax.tree.map(lambda x: x[17], first), jax.tree.map(np.asarray, alone), ())


def test_shares_are_kept():
    index = pairs.make_index([VIDEO, STILLS], [3, 1], [(1, 100)] * 2)
    drawn = draw(index, 3000, negative_share=0.25, mirror_share=0.4)
    for share, expected in [
        (np.mean(SOURCE[drawn.template] == 0), 0.75),
        (np.mean(~drawn.positive), 0.25),
        (np.mean(drawn.mirrored), 0.4),
    ]:
        assert abs(share - expected) < 0.04  # five standard deviations
    tracks = collections.Counter(TRACK[drawn.template][SOURCE[drawn.template] == 1].tolist())
    assert len(tracks) == 3 and min(tracks.values()) / max(tracks.values()) > 0.75
    rows = collections.Counter(drawn.template[TRACK[drawn.template] == 0].tolist())
    assert len(rows) == 3 and min(rows.values()) / max(rows.values()) > 0.75


@pytest.mark.parametrize('share', [0.0, 1.0])
def test_a_share_of_none_or_all_is_exact(share):
    drawn = draw(BOTH, 500, negative_share=share, mirror_share=share)
    assert (drawn.mirrored == bool(share)).all() and (drawn.positive == (not share)).all()
    index = pairs.make_index([VIDEO, STILLS], [share, 1 - share], [(1, 100)] * 2)
    assert (SOURCE[draw(index, 500).template] == 1 - share).all()


def test_the_shares_do_not_move_one_another():
    plain = draw(BOTH, 50, 5, negative_share=0)
    mixed = draw(BOTH, 50, 5, negative_share=0.5, mirror_share=1)
    np.testing.assert_array_equal(plain.template, mixed.template)
    np.testing.assert_array_equal(plain.search[mixed.positive], mixed.search[mixed.positive])


def test_positives_share_a_track_and_negatives_a_different_source():
    drawn = draw(BOTH, 300, negative_share=0.5)
    good = drawn.positive
    np.testing.assert_array_equal(TRACK[drawn.template][good], TRACK[drawn.search][good])
    np.testing.assert_array_equal((drawn.template == drawn.search)[good], SOURCE[drawn.template][good] == 1)
    assert (SOURCE[drawn.template] != SOURCE[drawn.search])[~good].all() and (~good).sum() > 100


def test_a_single_source_gives_negatives_of_other_images():
    drawn = draw(pairs.make_index([STILLS], [1], [(1, 100)]), 200, negative_share=1)
    assert (~drawn.positive).sum() > 190
    names = np.array([0, 0, 1])
    assert (names[drawn.template] != names[drawn.search])[~drawn.positive].all()


def test_without_a_second_target_every_pair_is_positive():
    lone = ListSource([(0, 'a'), (1, 'b')])
    drawn = draw(pairs.make_index([lone], [1], [(1, 100)]), 20, negative_share=1)
    assert drawn.positive.all() and (drawn.template != drawn.search).all()


@given(
    tracks=st.lists(st.lists(st.integers(-300, 300), min_size=1, max_size=8, unique=True).map(sorted), min_size=1),
    interval=st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: (pair[0], pair[0] + pair[1])),
)
def test_partners_by_a_plain_loop(tracks, interval):
    least, most = interval
    starts = np.cumsum([0, *map(len, tracks)])
    found = pairs.partner_ranges(starts, np.concatenate(tracks), interval)
    for first, frames in zip(starts, tracks, strict=False):
        for row in range(len(frames)):
            others = [i for i in range(len(frames)) if i != row]
            gap = [abs(frame - frames[row]) for frame in frames]
            steps = [b - a for a, b in itertools.pairwise(frames)]
            expected = [i for i in others if least <= gap[i] <= most] or [i for i in others if gap[i] < least]
            if not others:
                expected = [row]
            elif np.median(steps) > most:
                expected = others
            elif not expected:
                expected = [i for i in others if gap[i] == min(gap[j] for j in others)]
            low, left, right, high = (found[first + row] - first).tolist()
            assert [*range(low, left), *range(right, high)] == expected


def test_frame_numbers_of_any_size():
    frames = np.array([-(2**53), 0, 1, 2, 3, 2**53])
    found = pairs.partner_ranges(np.array([0, 6]), frames, (1, 2)).tolist()
    assert found == [[0, 0, 1, 2], [1, 1, 2, 4], [1, 2, 3, 5], [1, 3, 4, 5], [2, 4, 5, 5], [4, 5, 6, 6]]


def test_every_partner_is_drawn_alike():
    track = ListSource([(frame, str(frame)) for frame in range(9)])
    drawn = draw(pairs.make_index([track], [1], [(2, 3)]), 4000, negative_share=0)
    middle = collections.Counter(drawn.search[drawn.template == 4].tolist())
    assert sorted(middle) == [1, 2, 6, 7] and min(middle.values()) / max(middle.values()) > 0.7


def test_far_positions():
    index = pairs.make_index([VIDEO], [1], [(1, 100)])
    drawn = draw(index, 40, 2**32 - 1, first=2**32 - 40)
    assert (drawn.template < 5).all() and len(set(drawn.template.tolist())) == 5


def test_weights_that_are_no_shares_are_refused():
    for weights in ([], [1], [-1, 2], [0, 0]):
        with pytest.raises(ValueError, match='expected one weight >= 0 a source'):
            pairs.make_index([VIDEO, STILLS], weights, [(1, 100)] * 2)
