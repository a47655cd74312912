"""Winograd's convolution gives what XLA's gives; its matrices are those of the paper."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctrpn_jax.kernels import winograd


def plain(x, kernel):
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), 'VALID', dimension_numbers=('NHWC', 'HWIO', 'NHWC'))


def test_f_2_3_is_that_of_the_paper():
    # Lavin & Gray, Sec. 4.1; ours has other signs and the kernel's halves elsewhere, so the bilinear form is compared.
    collect, kernel, values = winograd.matrices(2, 3)
    printed = (
        np.array([[1, 1, 1, 0], [0, 1, -1, -1]]),
        np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]),
        np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]),
    )
    ours = np.einsum('mk,kr,kn->mrn', collect, kernel, values)
    np.testing.assert_array_equal(ours, np.einsum('mk,kr,kn->mrn', *printed))


@pytest.mark.parametrize(('results', 'taps'), [(1, 1), (2, 3), (4, 3), (6, 3), (2, 5), (4, 5)])
def test_matrices_slide_the_taps_over_the_values(results, taps):
    collect, kernel, values = (matrix.astype(float) for matrix in winograd.matrices(results, taps))
    form = np.einsum('mk,kr,kn->mrn', collect, kernel, values)
    np.testing.assert_allclose(
        form, [[np.eye(form.shape[2])[m + r] for r in range(taps)] for m in range(results)], atol=1e-5
    )


def test_sizes_beyond_the_points_are_named():
    with pytest.raises(ValueError, match=r'got F\(5, 5\)'):
        winograd.matrices(5, 5)


@settings(deadline=None, max_examples=12)
@given(
    st.sampled_from([(2, 3), (4, 3), (2, 5), (4, 5)]),
    st.integers(0, 6),
    st.integers(0, 5),
    st.integers(1, 2),
    st.integers(0, 99),
)
def test_equals_a_plain_convolution(form, more_rows, more_columns, batch, seed):
    results, taps = form
    draw = np.random.default_rng(seed).normal
    x = draw(size=(batch, taps + more_rows, taps + more_columns, 5)).astype(np.float32)
    kernel = draw(size=(taps, taps, 5, 3)).astype(np.float32)

    @jax.jit  # one program for each example, not one for each operation
    def both(x, kernel):
        return winograd.convolve(x, winograd.transform_kernel(kernel, results), taps), plain(x, kernel)

    np.testing.assert_allclose(*both(x, kernel), atol=2e-3)
