"""Boxes of masks against the masks themselves, with an encoder of COCO's run lengths written out as loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctrpn_jax.data.layouts import segmentation


def encode_runs(mask):
    """Run lengths of a mask, pixel by pixel, down the columns."""
    counts, inside, length = [], False, 0
    for column in range(mask.shape[1]):
        for row in range(mask.shape[0]):
            if bool(mask[row, column]) != inside:
                counts.append(length)
                inside, length = not inside, 0
            length += 1
    return [*counts, length]


def encode_text(counts):
    """COCO's text, from the description in maskApi.c: two's complement in five-bit groups, lowest first."""
    text = ''
    for place, count in enumerate(counts):
        number = count - counts[place - 2] if place > 2 else count
        bits = 5
        while not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            bits += 5
        digits = format(number % 2**bits, f'0{bits}b')
        groups = [digits[i : i + 5] for i in range(0, bits, 5)][::-1]
        for index, group in enumerate(groups):
            text += chr(48 + int(group, 2) + (32 if index < len(groups) - 1 else 0))
    return text


def mask_box(mask):
    rows, columns = np.nonzero(mask)
    return (columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)


masks = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32), st.floats(0.02, 0.98)).map(
    lambda a: np.random.default_rng(a[2]).random(a[:2]) < a[3]
)


@settings(max_examples=300)
@given(mask=masks)
def test_both_forms_of_run_lengths_give_the_box_of_the_mask(mask):
    counts = encode_runs(mask)
    assert segmentation.decode_counts(encode_text(counts)) == counts
    for form in (counts, encode_text(counts)):
        runs = {'size': list(mask.shape), 'counts': form}
        if mask.any():
            assert segmentation.segmentation_box(runs) == mask_box(mask)
        else:
            with pytest.raises(ValueError, match='no pixel'):
                segmentation.segmentation_box(runs)


@given(counts=st.lists(st.integers(0, 2**31), max_size=30))
def test_run_lengths_of_any_size_survive_the_text(counts):
    assert segmentation.decode_counts(encode_text(counts)) == counts


def test_a_text_that_an_annotation_tool_wrote():
    # An export in COCO's form, with its box and area, from docs.cloudfactory.com ("COCO Dataset format").
    text = (
        'WRQR14oT20K?D5M0O7I6K3M005K3M004L0N4N001O02N001N2O0001O2N00001O02N0000N3O0000002N00001O000O1O1000000000001O00000'
        'N20000000O01000000000000N2000O10O1000N20O10000N200000O01000000N11000000000000N20000000000O3N00001O2N001O0N3O002M'
        '2O002M3L7J101H>A_SbS3'
    )
    counts = segmentation.decode_counts(text)
    assert sum(counts[1::2]) == 6718
    runs = {'size': [2211, 2097], 'counts': text}
    assert segmentation.segmentation_box(runs) == (504, 842, 117, 75)


def test_polygons_give_the_extent_of_their_corners():
    polygons = [[10, 20, 30.5, 20, 30.5, 41.25], [5.5, 30, 8, 30, 8, 60, 5.5, 60]]
    assert segmentation.segmentation_box(polygons) == (5.5, 20, 25, 40)


@pytest.mark.parametrize(
    'value, reason',
    [
        (None, 'neither polygons nor run lengths'),
        ([], 'neither polygons nor run lengths'),
        ('text', 'neither polygons nor run lengths'),
        ([[1, 2, 3, 4]], 'three or more points'),
        ([[1, 2, 3, 4, 5, 6, 7]], 'three or more points'),
        ([[1, 2, 3, 4, 5, float('nan')]], 'three or more points'),
        ([[1, 2, 3, 4, 5, 1e300]], 'three or more points'),
        ([[1, 2, 3, 4, 5, '6']], 'three or more points'),
        ([1, 2, 3, 4, 5, 6], 'three or more points'),
        ([[1, 2, 1, 4, 1, 6]], 'size 0x4'),
        ({}, 'is not \\[height, width\\]'),
        ({'size': [2, 2.5], 'counts': [4]}, 'is not \\[height, width\\]'),
        ({'size': [2, 0], 'counts': []}, 'is not \\[height, width\\]'),
        ({'size': [2, 10**9], 'counts': [1]}, 'is not \\[height, width\\]'),
        ({'size': [2, 2]}, 'neither text nor a list'),
        ({'size': [2, 2], 'counts': [1, -1, 4]}, 'neither text nor a list'),
        ({'size': [2, 2], 'counts': [1, 2.0, 1]}, 'neither text nor a list'),
        ({'size': [2, 2], 'counts': [True, 3]}, 'neither text nor a list'),
        ({'size': [2, 2], 'counts': [1, 2]}, 'run lengths of 3 pixels for a 2x2 image'),
        ({'size': [2, 2], 'counts': []}, 'run lengths of 0 pixels'),
        ({'size': [2, 2], 'counts': [4, 0]}, 'no pixel'),
        ({'size': [2, 2], 'counts': '!'}, "character '!'"),
        ({'size': [2, 2], 'counts': 'é'}, "character 'é'"),
        ({'size': [2, 2], 'counts': 'P'}, 'end within a count'),
        ({'size': [2, 2], 'counts': 'o' * 40}, 'more than 60 bits'),
        ({'size': [2, 2], 'counts': 'O'}, 'run length -1 is negative'),
    ],
)
def test_what_is_no_segmentation_is_refused(value, reason):
    with pytest.raises(ValueError, match=reason):
        segmentation.segmentation_box(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=7) | st.dictionaries(st.sampled_from(['size', 'counts', 'x']), inner, max_size=3)
    ),
    max_leaves=20,
)


@settings(max_examples=200)
@given(value=json_values | st.lists(st.lists(st.floats(-9, 9), min_size=5, max_size=8), max_size=3))
def test_any_json_gives_a_box_or_a_value_error(value):
    try:
        box = segmentation.segmentation_box(value)
    except ValueError:
        return
    assert np.isfinite(box).all() and min(box[2:]) > 0


@settings(max_examples=200)
@given(text=st.text(st.characters(min_codepoint=40, max_codepoint=120)))
def test_any_text_gives_counts_or_a_value_error(text):
    try:
        counts = segmentation.decode_counts(text)
    except ValueError:
        return
    assert all(count >= 0 for count in counts)
