"""Selection strategies against plain formulas."""

import jax.numpy as jnp
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.tracking import proposals


def test_change_penalty_against_siamrpns_formula():
    sizes, target = np.array([[64, 64], [128, 32], [30, 90], [64.0, 64.0]]), np.array([64.0, 64.0])

    def side(w, h):
        pad = (w + h) / 2
        return np.sqrt((w + pad) * (h + pad))

    wanted = []
    for w, h in sizes:
        scale = side(w, h) / side(*target)
        ratio = (w / h) / (target[0] / target[1])
        wanted.append(np.exp(-0.2 * (max(scale, 1 / scale) * max(ratio, 1 / ratio) - 1)))
    result = proposals.change_penalty(jnp.asarray(sizes, jnp.float32), jnp.asarray(target, jnp.float32), 0.2)
    np.testing.assert_allclose(result, wanted, rtol=1e-5)
    assert result[0] == 1


def test_cosine_window_peaks_in_the_middle_and_repeats_for_each_ratio():
    window = proposals.cosine_window(17, 5).reshape(17, 17, 5)
    assert window.argmax() // 5 == 8 * 17 + 8 and window.max() == 1
    np.testing.assert_array_equal(window, window[::-1])
    np.testing.assert_array_equal(window[..., 0], window[..., 4])
    np.testing.assert_allclose(window[8, :, 0], np.hanning(19)[1:-1], rtol=1e-6)


def test_vote_is_the_weighted_mean_of_the_best_and_its_neighbours():
    boxes = np.array([[10, 10, 20, 20], [11, 10, 20, 20], [10, 12, 22, 20], [40, 40, 20, 20]], np.float32)
    values = np.array([0.5, 0.3, 0.2, 0.4], np.float32)
    wanted = (boxes[:3] * values[:3, None]).sum(0) / values[:3].sum()
    np.testing.assert_allclose(proposals.vote(jnp.asarray(boxes), jnp.asarray(values), 0.7), wanted, rtol=1e-5)
    np.testing.assert_allclose(proposals.vote(jnp.asarray(boxes), jnp.zeros(4), 0.7), boxes[0], rtol=1e-5)
    np.testing.assert_allclose(proposals.vote(jnp.asarray(boxes), jnp.asarray(values), 0.99), boxes[0], rtol=1e-5)


def test_select_takes_all_in_order_where_there_are_fewer_than_it_may_keep():
    """One anchor per cell of a small search crop makes 9: fewer than `proposals.KEPT`, and than twice that."""
    rng = np.random.default_rng(0)
    scores = rng.uniform(0, 1, 9).astype(np.float32)
    boxes, size = np.full((9, 4), 30, np.float32), np.full(2, 30, np.float32)
    mask = scores < scores.max()  # the best is out of play
    c = config_lib.TrackConfig(window=0.3, penalty=0.5)
    values = 0.7 * scores + 0.3 * np.outer(np.hanning(5)[1:-1], np.hanning(5)[1:-1]).ravel()
    wanted = sorted(range(9), key=lambda i: (mask[i], values[i]), reverse=True)
    for keep in (proposals.KEPT, 2 * proposals.KEPT):
        found = proposals.select(*map(jnp.asarray, (scores, boxes, mask, size)), c, ratios=1, keep=keep)
        assert list(found.index) == wanted and not found.valid[-1] and found.valid[:-1].all()
    assert list(proposals.select(*map(jnp.asarray, (scores, boxes, mask, size)), c, 1, 4).index) == wanted[:4]
