"""Runs of closed form, and small trees of annotations and trajectory."""

import numpy as np
import pytest

from sctrpn_jax.metrics.vot import supervised, trajectory


def codes_of(frames, failures, skip=5):
    codes = np.full(frames, trajectory.REGION, np.int8)
    codes[0] = trajectory.START
    for failure in failures:
        codes[failure : failure + skip] = trajectory.UNKNOWN
        codes[failure] = trajectory.FAILURE
        if failure + skip < frames:
            codes[failure + skip] = trajectory.START
    return codes


@pytest.fixture
def make_run():
    """make_run(overlaps [T], failures): a run with those overlaps where it tracks."""

    def make(overlaps, failures=()):
        codes = codes_of(len(overlaps), failures)
        return supervised.Run(codes, np.where(codes == trajectory.REGION, overlaps, np.nan))

    return make


@pytest.fixture
def closed_form(make_run):
    """closed_form(a=failures, b=..., c=...): sequences of 400, 300 and 380 frames, one repetition each."""

    def make(**failures):
        return [
            [make_run(0.5 + 0.4 * np.cos(np.arange(frames) / 37 + phase), failures.get(name, ()))]
            for phase, (name, frames) in enumerate({'a': 400, 'b': 300, 'c': 380}.items())
        ]

    return make
