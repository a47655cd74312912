import chex
import cv2
import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.tracking import contours

THRESHOLD = 100.0
edge_map, label_components = jax.jit(contours.edge_map), jax.jit(contours.label_components)
component_boxes = jax.jit(contours.component_boxes, static_argnums=1)
# Few shapes, so that few programs are compiled; odd and even sides, one row, one column.
SHAPES = [(1, 9), (8, 1), (12, 13)]


def opencv_labels(mask):
    """OpenCV's components, renamed to the least linear index of each."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    first = np.full(count, mask.size)
    np.minimum.at(first, labels.ravel(), np.arange(mask.size))
    return np.where(mask, first[labels], -1)


def opencv_boxes(mask):
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    left, top, width, height = stats[1:, :4].T
    return sorted(zip(left, top, left + width, top + height, strict=True))


def check_against_opencv(mask):
    labels = label_components(mask)
    np.testing.assert_array_equal(labels, opencv_labels(mask))
    boxes, valid = component_boxes(labels, 300)
    expected = opencv_boxes(mask)
    if len(expected) <= 300:
        assert sorted(map(tuple, np.asarray(boxes)[np.asarray(valid)])) == expected
    assert not np.asarray(boxes)[~np.asarray(valid)].any()


def opencv_edges(image):
    """Sobel magnitude of the grey image, float32."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    gradients = [cv2.Sobel(grey, cv2.CV_32F, dx, 1 - dx, ksize=3, borderType=cv2.BORDER_REPLICATE) for dx in (1, 0)]
    return np.hypot(*gradients)


def check_edges(image):
    magnitude = opencv_edges(image)
    clear = np.abs(magnitude - THRESHOLD) > 0.05
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(np.asarray(edge_map(image, THRESHOLD))[clear], (magnitude > THRESHOLD)[clear])


def spiral(side):
    """A one-pixel path that winds inwards, two pixels apart."""
    mask = np.zeros((side, side), bool)
    y, x, dy, dx, turns = 0, 0, 0, 1, 0
    mask[0, 0] = True

    def is_free(y, x):
        return 0 <= y < side and 0 <= x < side and not mask[y, x]

    while turns < 2:
        beyond_y, beyond_x = y + 2 * dy, x + 2 * dx
        outside = not (0 <= beyond_y < side and 0 <= beyond_x < side)
        if is_free(y + dy, x + dx) and (outside or not mask[beyond_y, beyond_x]):
            y, x, turns = y + dy, x + dx, 0
            mask[y, x] = True
        else:
            dy, dx, turns = dx, -dy, turns + 1
    return mask


def snake(side, pitch):
    """Rows joined at alternating ends."""
    mask = np.zeros((side, side), bool)
    mask[::pitch] = True
    for i, row in enumerate(range(0, side - pitch, pitch)):
        mask[row : row + pitch, -1 if i % 2 == 0 else 0] = True
    return mask


@pytest.mark.parametrize('shape', [(40, 57), (5, 4), (1, 3)])
def test_edge_map_is_opencvs(shape):
    noise = np.random.default_rng(0).uniform(0, 255, (*shape, 3)).astype(np.float32)
    check_edges(cv2.GaussianBlur(noise, (5, 5), 1).reshape(*shape, 3))


def test_edge_map_reaches_both_gradients_and_is_strict():
    image = np.zeros((6, 6, 3), np.float32)
    image[:, 3:] = 32.0
    step = 4 * 32.0  # the kernel's column sums to 4
    np.testing.assert_array_equal(np.asarray(edge_map(image, step - 0.01))[2], [0, 0, 1, 1, 0, 0])
    np.testing.assert_array_equal(edge_map(image.swapaxes(0, 1), step - 0.01), edge_map(image, step - 0.01).T)
    assert not edge_map(image, step + 0.01).any()
    assert not edge_map(np.full((6, 6, 3), 7, np.float32), 0.01).any()


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(
    st.sampled_from(SHAPES).flatmap(
        lambda shape: st.one_of(
            hnp.arrays(bool, shape),
            st.builds(
                lambda seed, density: np.random.default_rng(seed).random(shape) < density,
                st.integers(0, 2**32 - 1),
                st.floats(0, 1),
            ),
        )
    )
)
def test_components_are_opencvs(mask):
    check_against_opencv(mask)


@pytest.mark.parametrize('density', [0.02, 0.1, 0.25, 0.4, 0.6])
def test_components_of_a_large_random_mask(density):
    mask = np.random.default_rng(3).random((127, 127)) < density
    np.testing.assert_array_equal(label_components(mask), opencv_labels(mask))


@pytest.mark.parametrize(
    'mask',
    [
        spiral(127),
        spiral(127)[::-1, ::-1],
        snake(127, 2),
        snake(127, 3).T,
        snake(127, 4)[::-1],
        np.eye(127, dtype=bool) | np.eye(127, dtype=bool)[::-1],
        np.ones((127, 127), bool),
        np.zeros((127, 127), bool),
    ],
    ids=['spiral', 'spiral turned', 'snake', 'snake down', 'snake up', 'cross', 'full', 'empty'],
)
def test_worst_cases(mask):
    check_against_opencv(np.ascontiguousarray(mask))


def test_real_edge_maps(shared):
    frames = sorted((shared / 'data/sequences').glob('OTB/*/img/*.jpg'))[::150]
    if not frames:
        pytest.skip('no OTB frames in the shared folder')
    for frame in frames:
        image = cv2.imread(str(frame), cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32)
        image = cv2.resize(image, (255, 255), interpolation=cv2.INTER_LINEAR)
        check_edges(image)
        mask = np.asarray(edge_map(image, THRESHOLD))
        check_against_opencv(mask)


def test_too_many_components_keep_the_first():
    mask = np.zeros((12, 13), bool)
    mask[::3, ::3] = True
    labels = label_components(mask)
    all_boxes, _ = component_boxes(labels, 300)
    boxes, valid = component_boxes(labels, 5)
    assert valid.all()
    np.testing.assert_array_equal(boxes, all_boxes[:5])
    np.testing.assert_array_equal(all_boxes[0], [0, 0, 1, 1])


def test_max_components_must_be_positive():
    with pytest.raises(ValueError, match='max_components: got 0'):
        contours.component_boxes(jnp.zeros((4, 4), jnp.int32), 0)


def test_count_enclosed_is_a_plain_count():
    rng = np.random.default_rng(1)
    mask = np.zeros((127, 127), bool)
    mask[:40, :40] = rng.random((40, 40)) < 0.15
    components, valid = component_boxes(label_components(mask), 300)
    # Whole and half pixels, so that many sides coincide.
    boxes = np.concatenate([rng.integers(0, 80, (50, 2)) / 2, rng.integers(0, 60, (50, 2))], -1).astype(np.float32)
    expected = []
    for x, y, w, h in boxes:
        sides = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        inside = [
            a >= sides[0] and b >= sides[1] and c <= sides[2] and d <= sides[3] for a, b, c, d in opencv_boxes(mask)
        ]
        expected.append(sum(inside))
    assert max(expected) > 5
    counts = jax.jit(contours.count_enclosed)(components, valid, boxes)
    assert counts.dtype == jnp.int32
    np.testing.assert_array_equal(counts, expected)


def test_batched_equals_one_by_one():
    masks = np.stack([np.random.default_rng(i).random((12, 13)) < d for i, d in enumerate((0.05, 0.3, 0.5))])
    boxes = jnp.asarray([[6.5, 6.0, 13.0, 12.0], [5.0, 5.0, 8.0, 8.0]])

    def counts(mask):
        components, valid = contours.component_boxes(contours.label_components(mask), 30)
        return contours.count_enclosed(components, valid, boxes)

    batched = jax.jit(jax.vmap(counts))(masks)
    single = jax.jit(counts)
    chex.assert_trees_all_equal(batched, jnp.stack([single(mask) for mask in masks]))
