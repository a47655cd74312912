"""Runs of closed form, and small trees of annotations and results."""

import numpy as np
import pytest

from sctrpn_jax.evaluation.vot import results
from sctrpn_jax.metrics.vot import supervised


def codes_of(frames, failures, skip=5):
    codes = np.full(frames, results.REGION, np.int8)
    codes[0] = results.START
    for failure in failures:
        codes[failure : failure + skip] = results.UNKNOWN
        codes[failure] = results.FAILURE
        if failure + skip < frames:
            codes[failure + skip] = results.START
    return codes


@pytest.fixture
def make_run():
    """make_run(overlaps [T], failures): a run with those overlaps where it tracks."""

    def make(overlaps, failures=()):
        codes = codes_of(len(overlaps), failures)
        return supervised.Run(codes, np.where(codes == results.REGION, overlaps, np.nan))

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


@pytest.fixture
def tree(tmp_path):
    """tree(path, lines): a text file below a new folder; gives that folder."""

    def make(path, lines):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(lines if isinstance(lines, str) else '\n'.join(lines) + '\n')
        return tmp_path

    return make
