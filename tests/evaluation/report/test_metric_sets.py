"""Metric sets fit each other and the metrics' own thresholds."""

import numpy as np
import pytest

from sctrpn_jax.evaluation.report import metric_sets
from sctrpn_jax.metrics import one_pass, trackingnet

SETS = {
    'one_pass': metric_sets.ONE_PASS,
    'trackingnet': metric_sets.TRACKINGNET,
    'got10k': metric_sets.GOT10K,
    'vot': metric_sets.vot(356, (100, 356)),
    'long_term': metric_sets.LONG_TERM,
}


@pytest.mark.parametrize('found', SETS.values(), ids=SETS)
def test_every_set_is_complete(found):
    keys = [metric.key for metric in found.metrics]
    assert len(set(keys)) == len(keys) and found.primary in keys
    assert {metric.key for metric in found.row_metrics} <= set(keys)
    for curve in found.curves:
        assert curve.metric in keys
        assert (np.diff(curve.x) > 0).all()
        assert all(curve.x[0] <= mark <= curve.x[-1] for mark in curve.marks)
    for metric in found.metrics:
        assert metric.text(0.5) in ('0.500', '50.0%', '0.50')


def test_thresholds_are_the_metrics_own():
    of_otb = {curve.key: curve for curve in metric_sets.ONE_PASS.curves}
    np.testing.assert_allclose(of_otb['success'].x, one_pass.OVERLAP_THRESHOLDS, atol=1e-6)
    assert of_otb['precision'].marks == (20.0,) and of_otb['normalized_precision'].marks == (0.2,)
    of_trackingnet = {curve.key: curve for curve in metric_sets.TRACKINGNET.curves}
    np.testing.assert_allclose(of_trackingnet['precision'].x, trackingnet.ERROR_THRESHOLDS, atol=1e-6)
    assert of_trackingnet['precision'].marks == ()
    assert metric_sets.one_pass_set(normalized_area=True).curves[2].marks == ()
    eao = metric_sets.vot(1500, (100, 356)).curves[0]
    assert eao.x == tuple(range(1, 1501)) and eao.marks == (100, 356)


def test_tre_and_sre_have_metrics_and_curves_of_their_own():
    plain, made = metric_sets.one_pass_set(), metric_sets.one_pass_set(protocols=('sre', 'tre'))
    assert made.metrics[:3] == plain.metrics and made.curves[:3] == plain.curves and made.primary == 'success'
    keys = [f'{protocol}_{key}' for protocol in ('sre', 'tre') for key in ('success', 'precision')]
    assert [metric.key for metric in made.metrics[3:]] == [curve.key for curve in made.curves[3:]] == keys
    assert [curve.metric for curve in made.curves] == [metric.key for metric in made.metrics]
    assert made.curves[4].marks == (20.0,) and made.curves[4].title == 'Precision, SRE'
