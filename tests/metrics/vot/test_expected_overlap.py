"""Golden values of closed-form runs, a plain loop written from the definition, curves in closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctrpn_jax.data.benchmarks import registry
from sctrpn_jax.metrics.vot import expected_overlap, supervised, trajectory


@pytest.mark.parametrize(
    ('failures', 'matlab', 'pysot', 'vot_python'),
    [
        ({}, 0.447222, 0.447222, 0.447618),
        ({'a': (120, 260), 'b': (50,)}, 0.314004, 0.314004, 0.313493),
        ({'a': (120, 397)}, 0.394919, 0.394919, 0.402206),
        ({'a': (395,)}, 0.447222, 0.447181, 0.447618),
    ],
)
def test_golden_values(closed_form, failures, matlab, pysot, vot_python):
    runs = closed_form(**failures)
    for convention, value in (('vot2018', matlab), ('pysot', pysot), ('vot-python', vot_python)):
        curve = expected_overlap.curve(runs, convention)
        found = expected_overlap.expected_overlap(curve, (100, 356), convention)
        assert found == pytest.approx(value, abs=6e-7), convention


def test_the_python_toolkit_differs_by_its_index_and_late_failures_alone(closed_form):
    for failures, value in (({}, 0.447222), ({'a': (120, 260), 'b': (50,)}, 0.314004), ({'a': (120, 397)}, 0.402519)):
        curve = expected_overlap.curve(closed_form(**failures), 'vot-python')
        assert expected_overlap.expected_overlap(curve, (100, 356)) == pytest.approx(value, abs=6e-7)


def test_one_constant_run_in_closed_form(make_run):
    overlaps = np.full(400, 0.6)
    curve = expected_overlap.curve([[make_run(overlaps)]])
    np.testing.assert_allclose(curve, [1.0] + [0.6] * 399)
    # Frames 1 to 199 are tracked, 205 is a start; the second part is frames 205 to 399.
    curve = expected_overlap.curve([[make_run(overlaps, [200])]])
    length = np.arange(2, 401)
    first = 0.6 * np.minimum(length - 1, 199) / (length - 1)
    np.testing.assert_allclose(curve[1:], np.where(length <= 195, (first + 0.6) / 2, first))


def plain_curve(runs, masks, convention, skip=5):
    """Expected overlap by length, part by part and frame by frame."""
    parts = []
    longest = 0
    for repetitions, mask in zip(runs, masks, strict=True):
        for run in repetitions:
            values = [
                float(o) if c == trajectory.REGION and o == o else 0.0
                for c, o in zip(run.codes, run.overlaps, strict=True)
            ]
            count, tag = len(values), [float(m) for m in mask]
            failures = [i for i, c in enumerate(run.codes) if c == trajectory.FAILURE]
            if convention == 'vot-python':
                starts = [i for i, c in enumerate(run.codes) if c == trajectory.START]
                for start in starts:
                    ends = [f for f in failures if f > start]
                    end = ends[0] if ends else count
                    parts.append((values[start:end], bool(ends), sum(tag[start:end]) / (end - start)))
                    longest = max(longest, end - start)
                continue
            longest = max(longest, count)
            limit = count if convention == 'pysot' else count - 1
            points = [0] + [f + skip for f in failures if f + skip <= limit]
            for i, start in enumerate(points):
                if i + 1 < len(points):
                    end = points[i + 1]
                    weight = sum(tag[start : end + 1]) / (end - start + 1)
                    parts.append((values[start : end + 1], True, weight / len(repetitions)))
                elif start < count:
                    parts.append((values[start:], False, sum(tag[start:]) / (count - start) / len(repetitions)))
    curve = [1.0]
    for length in range(2, longest + 1):
        above = below = 0.0
        for values, failed, weight in parts:
            if failed or len(values) >= length:
                padded = values + [0.0] * length
                above += weight * sum(padded[1:length]) / (length - 1)
                below += weight
        curve.append(above / below if below else float('nan'))
    return np.array(curve)


@st.composite
def experiments(draw):
    """Runs and masks of one to three sequences with one to three repetitions, and failures anywhere."""
    runs, masks = [], []
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    for _ in range(draw(st.integers(1, 3))):
        frames = draw(st.integers(12, 60))
        repetitions = []
        for _ in range(draw(st.integers(1, 3))):
            codes = np.full(frames, trajectory.REGION, np.int8)
            codes[0] = trajectory.START
            at = draw(st.integers(1, 30))
            while at < frames:
                codes[at : at + 5] = trajectory.UNKNOWN
                codes[at] = trajectory.FAILURE
                if at + 5 < frames:
                    codes[at + 5] = trajectory.START
                at += 6 + draw(st.integers(0, 30))
            overlaps = np.where(codes == trajectory.REGION, seed.random(frames), np.nan)
            repetitions.append(supervised.Run(codes, overlaps))
        runs.append(repetitions)
        masks.append(seed.random(frames) < draw(st.sampled_from([0.0, 0.3, 1.0])))
    return runs, masks


@given(experiments(), st.sampled_from(['vot2018', 'pysot', 'vot-python']), st.booleans())
@settings(max_examples=150)
def test_against_a_plain_loop(experiment, convention, tagged):
    runs, masks = experiment
    everywhere = [np.ones_like(mask) for mask in masks]
    found = expected_overlap.curve(runs, convention, masks if tagged else None)
    wanted = plain_curve(runs, masks if tagged else everywhere, convention)
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    low, high = 3, 20
    inside = wanted[low : high + 1] if convention == 'vot-python' else wanted[low - 1 : high]
    inside = [v for v in inside if v == v]
    score = expected_overlap.expected_overlap(found, (low, high), convention)
    assert (np.isnan(score) and not inside) or score == pytest.approx(sum(inside) / len(inside))


def test_repetitions_weigh_as_one_sequence(make_run):
    good, bad = make_run(np.full(50, 0.8)), make_run(np.full(50, 0.2))
    curve = expected_overlap.curve([[good], [bad, bad, bad]])
    np.testing.assert_allclose(curve[1:], 0.5)
    np.testing.assert_allclose(expected_overlap.curve([[good], [bad, bad, bad]], 'vot-python')[1:], 0.35)


def test_tags_weigh_parts(make_run):
    runs = [[make_run(np.full(40, 0.8))], [make_run(np.full(40, 0.2))]]
    masks = [np.arange(40) < 10, np.arange(40) < 30]
    np.testing.assert_allclose(expected_overlap.curve(runs, masks=masks)[1:], 0.25 * 0.8 + 0.75 * 0.2)
    assert np.isnan(expected_overlap.curve(runs, masks=[np.zeros(40, bool)] * 2)[1:]).all()


def test_unknown_frames_count_as_nothing(make_run):
    overlaps = np.full(30, 0.5)
    overlaps[10] = np.nan
    curve = expected_overlap.curve([[make_run(overlaps)]])
    assert curve[29] == pytest.approx(0.5 * 28 / 29)


def test_cuts_at_the_end_of_a_sequence():
    codes = np.full(20, trajectory.REGION)
    codes[0], codes[15], codes[16:] = trajectory.START, trajectory.FAILURE, trajectory.UNKNOWN
    part = expected_overlap.Part
    assert expected_overlap.cut(codes) == [part(0, 20, False, 20)]
    assert expected_overlap.cut(codes, 'pysot') == [part(0, 20, True, 21)]
    assert expected_overlap.cut(codes, 'vot-python') == [part(0, 15, True, 15)]
    assert expected_overlap.cut(codes, skip=4) == [part(0, 20, True, 20), part(19, 20, False, 1)]


@pytest.mark.parametrize(
    ('year', 'lengths'), [('2016', (108, 371)), ('2017', (100, 356)), ('2018', (100, 356)), ('2019', (46, 291))]
)
def test_lengths_by_year(year, lengths):
    assert registry.get('vot').splits[year].eao_lengths == lengths
    low, high = lengths
    curve = np.arange(1.0, 401)  # value L for L frames
    assert expected_overlap.expected_overlap(curve, lengths) == (low + high) / 2
    assert expected_overlap.expected_overlap(curve, lengths, 'vot-python') == (low + high) / 2 + 1


def test_short_curves_and_bad_arguments(make_run):
    curve = expected_overlap.curve([[make_run(np.full(50, 0.5))]])
    assert np.isnan(expected_overlap.expected_overlap(curve, (100, 356)))
    assert expected_overlap.expected_overlap(curve, (40, 90)) == 0.5
    with pytest.raises(ValueError, match=r'interval: got \(0, 5\)'):
        expected_overlap.expected_overlap(curve, (0, 5))
    with pytest.raises(ValueError, match='accepted are those of'):
        expected_overlap.curve([[make_run(np.full(50, 0.5))]], masks=[np.ones(49, bool)])
    with pytest.raises(ValueError, match='convention: got'):
        expected_overlap.curve([[make_run(np.full(50, 0.5))]], 'matlab')
