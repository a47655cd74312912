"""Golden values of closed-form runs, plain loops, burn-in, repetitions, tags, units of robustness."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sctrpn_jax.metrics.vot import raster, supervised, trajectory


@pytest.mark.parametrize(
    ('failures', 'pooled', 'by_sequence', 'count', 'rate'),
    [
        ({}, 0.458563, 0.458584, 0, 0),
        ({'a': (120, 260), 'b': (50,)}, 0.463748, 0.463841, 3, 0.277778),
        ({'a': (120, 397)}, 0.463647, 0.463711, 2, 0.185185),
        ({'a': (395,)}, 0.458867, 0.458864, 1, 0.092593),
    ],
)
def test_golden_values(closed_form, failures, pooled, by_sequence, count, rate):
    runs = closed_form(**failures)
    assert supervised.accuracy(runs) == supervised.accuracy(runs, 'pysot') == pytest.approx(pooled, abs=6e-7)
    assert supervised.accuracy(runs, 'vot-python') == pytest.approx(by_sequence, abs=6e-7)
    found = supervised.robustness(runs)
    assert found.failures == count and found.rate == pytest.approx(rate, abs=6e-7) and found.frames == 1080
    assert found.per_sequence == pytest.approx(count / 3)
    assert found.reliability == pytest.approx(math.exp(-30 * count / 1080))


def test_robustness_weighted_by_length(closed_form):
    found = supervised.robustness(closed_form(a=(120, 260), b=(50,)), 'vot-python')
    weighted = (2 * 400 + 1 * 300) / 1080
    assert found.per_sequence == pytest.approx(weighted)
    assert found.reliability == pytest.approx(math.exp(-30 * weighted / 360))
    assert found.rate == pytest.approx(100 * 3 / 1080)
    gentler = supervised.robustness(closed_form(a=(120,)), sensitivity=10)
    assert gentler.reliability == pytest.approx(math.exp(-10 / 1080))


def test_burn_in_follows_each_start(make_run):
    run = make_run(np.full(60, 0.5), [30])
    assert np.flatnonzero(supervised.counted(run)).tolist() == [*range(10, 30), *range(45, 60)]
    assert np.flatnonzero(supervised.counted(run, 0)).tolist() == [*range(1, 30), *range(36, 60)]
    run.overlaps[50] = np.nan
    assert 50 not in np.flatnonzero(supervised.counted(run))


def test_burn_in_hides_what_happens_in_it(make_run):
    overlaps = np.full(40, 0.5)
    overlaps[:10] = 0.9
    assert supervised.accuracy([[make_run(overlaps)]]) == pytest.approx(0.5)
    assert supervised.accuracy([[make_run(overlaps)]], burn_in=0) == pytest.approx((9 * 0.9 + 30 * 0.5) / 39)


def test_repetitions_are_averaged_frame_by_frame_or_as_wholes(make_run):
    long, short = make_run(np.full(30, 0.8)), make_run(np.full(30, 0.2), [18])
    # Frames 10 to 17 in both (0.5), 18 to 29 in one (0.8): the second run starts again at 23 and counts from 33.
    runs = [[long, short]]
    assert supervised.accuracy(runs) == pytest.approx((8 * 0.5 + 12 * 0.8) / 20)
    assert supervised.accuracy(runs, 'vot-python') == pytest.approx((0.8 + 0.2) / 2)
    assert supervised.robustness(runs).failures == 0.5


@given(st.integers(0, 2**32), st.sampled_from(raster.CONVENTIONS), st.booleans())
def test_against_plain_loops(seed, convention, tagged):
    generator = np.random.default_rng(seed)
    runs, masks = [], []
    for frames in generator.integers(15, 50, 3):
        repetitions = []
        for _ in range(generator.integers(1, 4)):
            codes = generator.choice([0, 1, 2, 3], frames, p=[0.05, 0.05, 0.05, 0.85]).astype(np.int8)
            repetitions.append(supervised.Run(codes, generator.random(frames)))
        runs.append(repetitions)
        masks.append(generator.random(frames) < 0.5 if tagged else np.ones(frames, bool))
    pooled, weighted, total, failures = [], 0.0, 0, 0.0
    for repetitions, mask in zip(runs, masks, strict=True):
        frames = len(mask)
        known = [
            [
                r.codes[i] == 3 and bool(mask[i]) and not any(r.codes[j] == 1 for j in range(max(0, i - 9), i + 1))
                for i in range(frames)
            ]
            for r in repetitions
        ]
        for i in range(frames):
            values = [r.overlaps[i] for r, k in zip(repetitions, known, strict=True) if k[i]]
            pooled += [sum(values) / len(values)] if values else []
        means = []
        for r, k in zip(repetitions, known, strict=True):
            values = [r.overlaps[i] for i in range(frames) if k[i]]
            means.append(sum(values) / len(values) if values else 0)
        weight = sum(mask) if not tagged or any(map(any, known)) else 0
        weighted, total = weighted + weight * sum(means) / len(means), total + weight
        failures += sum(r.codes[i] == 2 and mask[i] for r in repetitions for i in range(frames)) / len(repetitions)
    given_masks = masks if tagged else None
    found = supervised.accuracy(runs, convention, masks=given_masks)
    if convention == 'vot-python':
        wanted = weighted / total if total else math.nan
    else:
        wanted = sum(pooled) / len(pooled) if pooled else math.nan
    assert found == pytest.approx(wanted, nan_ok=True)
    robustness = supervised.robustness(runs, convention, given_masks)
    assert robustness.failures == pytest.approx(failures)
    assert robustness.rate == pytest.approx(100 * failures / sum(int(mask.sum()) for mask in masks))


def test_tags_choose_frames(make_run):
    overlaps = np.where(np.arange(60) < 40, 0.9, 0.3)
    run = make_run(overlaps, [50])
    early, late = np.arange(60) < 40, np.arange(60) >= 40
    assert supervised.accuracy([[run]], masks=[early]) == pytest.approx(0.9)
    assert supervised.accuracy([[run]], masks=[late]) == pytest.approx(0.3)
    assert supervised.robustness([[run]], masks=[early]).failures == 0
    found = supervised.robustness([[run]], masks=[late])
    assert (found.failures, found.frames, found.rate) == (1, 20, 5)
    nothing = [np.zeros(60, bool)]
    for convention in raster.CONVENTIONS:
        assert np.isnan(supervised.accuracy([[run]], convention, masks=nothing))
        assert np.isnan(supervised.robustness([[run]], convention, nothing).rate)


def test_sequences_without_the_tag_are_not_averaged_in(make_run):
    runs = [[make_run(np.full(40, 0.6), [30])], [make_run(np.full(40, 0.1))]]
    masks = [np.ones(40, bool), np.zeros(40, bool)]
    for convention in raster.CONVENTIONS:
        assert supervised.accuracy(runs, convention, masks=masks) == pytest.approx(0.6)
        assert supervised.robustness(runs, convention, masks).per_sequence == 1


def test_sequences_of_which_no_frame_counts(make_run):
    runs = [[make_run(np.full(40, 0.6))], [make_run(np.full(10, 0.6))]]
    assert supervised.accuracy(runs) == pytest.approx(0.6)
    # The Python toolkit takes 0 for the second; of a tag it is left out.
    assert supervised.accuracy(runs, 'vot-python') == pytest.approx(0.6 * 40 / 50)
    masks = [np.ones(40, bool), np.ones(10, bool)]
    assert supervised.accuracy(runs, 'vot-python', masks=masks) == pytest.approx(0.6)


def test_average_overlap_without_resets(make_run):
    overlaps = np.r_[0.9, np.full(19, 0.5), np.full(20, 0.0)]
    runs = [[make_run(overlaps)], [make_run(np.full(10, 0.8))]]
    # First frames count, as 0.
    assert supervised.average_overlap(runs) == pytest.approx((19 * 0.5 + 9 * 0.8) / 50)
    assert supervised.average_overlap(runs, 'pysot') == supervised.average_overlap(runs)
    # After ten frames: 10 of 0.5 and 20 of 0 in the first sequence, none in the second.
    assert supervised.average_overlap(runs, 'vot-python') == pytest.approx(5 / 30 * 40 / 50)


def test_measured_run():
    truth = raster.as_regions(np.tile([10.0, 10, 20, 20], (3, 1)))
    found = raster.as_regions(np.array([[np.nan] * 4, [10, 10, 20, 20], [15, 10, 20, 20]]))
    run = supervised.measure(truth, trajectory.Trajectory(np.array([1, 3, 3]), found))
    np.testing.assert_allclose(run.overlaps, [np.nan, 1, 0.6])
    run = supervised.measure(truth, trajectory.Trajectory(np.array([1, 3, 3]), found), (99, 99), 'pysot')
    np.testing.assert_allclose(run.overlaps, [np.nan, 1, 0.615385], atol=1e-6)


def test_bad_arguments(make_run):
    run = make_run(np.full(20, 0.5))
    for runs in ([], [[]], [[run, make_run(np.full(21, 0.5))]]):
        with pytest.raises(ValueError, match='one repetition or more, all of one length'):
            supervised.accuracy(runs)
    with pytest.raises(ValueError, match='masks: got shapes'):
        supervised.robustness([[run]], masks=[np.ones(3, bool)])
    with pytest.raises(ValueError, match='convention: got'):
        supervised.average_overlap([[run]], 'got10k')
    with pytest.raises(ValueError, match='accepted are both'):
        supervised.Run(np.ones(3), np.ones(4))
