"""Augmentation on the device: jittered crops of the patches, blur and colour, one random key per pair.

The numbers of a pair come from the seed and its position in the stream, whatever batch or device it is in.
"""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np

from sctrpn_jax.geometry import grid, sampling

# Of the template crop (pysot): crop pixels, and share of a pixel.
TEMPLATE_SHIFT, TEMPLATE_SCALE = 4.0, 0.05
COLOR = 1.0  # strength of the colour jitter; at 1 the values below are those of its sources
BLUR_RADIUS = 5  # taps to each side
MAX_SIGMA = 2.5  # crop pixels
# Standard deviation of the ImageNet colours along their principal axes, RGB of 0..255, a tenth of it
# (AlexNet's colour augmentation, Krizhevsky et al. 2012, Sec. 4.1); rows are axes.
COLOR_AXES = (
    0.1
    * 255.0
    * np.array(
        [
            [-0.5675 * 0.2175, -0.5808 * 0.2175, -0.5836 * 0.2175],
            [0.7192 * 0.0188, -0.0045 * 0.0188, -0.6948 * 0.0188],
            [0.4009 * 0.0045, -0.8140 * 0.0045, 0.4203 * 0.0045],
        ],
        np.float32,
    )
)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
TO_GREY = np.tile(LUMA[:, None], (1, 3))


def displaced_crop(
    patch: chex.Array, box: chex.Array, mirrored: chex.Array, size: int, moved: chex.Array, step: chex.Array
) -> tuple[chex.Array, chex.Array]:
    """Crop of a patch in which the target is displaced and stretched.

    Args:
      patch: [P, P, 3] uint8.
      box: [4] cxcywh, patch pixels.
      mirrored: [] bool, flip left and right (after the displacement).
      size: side of the crop, pixels.
      moved: [2] (x, y) of the target's centre from the crop's, crop pixels.
      step: [2] (x, y) patch pixels per crop pixel; each axis by itself, as in pysot.

    Returns:
      crop [size, size, 3] float32, 0..255, and the box [4] float32 cxcywh in crop pixels.
    """
    # Crop position u shows patch position box centre + (u - size / 2 - moved) * step; pixel i is centred on i + 0.5.
    offsets = jnp.arange(size, dtype=jnp.float32) + (0.5 - size / 2)
    xs = box[0] + (jnp.where(mirrored, -offsets, offsets) - moved[0]) * step[0] - 0.5
    ys = box[1] + (offsets - moved[1]) * step[1] - 0.5
    # A coarse mean is enough for what lies outside, which `patch_size` keeps from being seen at all.
    fill = patch[::16, ::16].astype(jnp.float32).mean((0, 1))
    centre = size / 2 + jnp.where(mirrored, jnp.array([-1.0, 1.0]), jnp.array([1.0, 1.0])) * moved
    return sampling.sample_axis_aligned(patch, xs, ys, fill), jnp.concatenate([centre, box[2:] / step])


def _taps(sigma: chex.Array) -> chex.Array:
    """[2 * BLUR_RADIUS + 1] Gaussian weights that sum to 1; a single 1 in the middle for sigma 0."""
    at = jnp.arange(-BLUR_RADIUS, BLUR_RADIUS + 1, dtype=jnp.float32)
    weights = jnp.exp(-0.5 * (at / jnp.maximum(sigma, 0.05)) ** 2)
    return weights / weights.sum()


def gaussian_blur(image: chex.Array, sigma: chex.Array) -> chex.Array:
    """Gaussian blur with its own width on each axis, as a sum of shifted products; the border pixels are repeated.

    Args:
      image: [H, W, 3] float32.
      sigma: [2] (along x, along y), pixels, at most MAX_SIGMA; 0 leaves the axis as it is.

    Returns:
      [H, W, 3] float32.
    """
    height, width, _ = image.shape

    def along_rows(image, taps, step):
        # The barrier keeps the padding out of the sum: fused into it, it costs ten times the sum itself on a CPU.
        padded = jax.lax.optimization_barrier(image)
        length = image.shape[1] - 2 * BLUR_RADIUS * step
        shifted = [jax.lax.slice_in_dim(padded, i * step, i * step + length, axis=1) for i in range(len(taps))]
        return sum(tap * part for tap, part in zip(taps, shifted, strict=True))

    # Columns lie flat beside their channels, so that both passes run over unbroken memory.
    pad = BLUR_RADIUS
    tall = jnp.pad(image, ((pad, pad), (0, 0), (0, 0)), mode='edge').reshape(1, -1)
    image = along_rows(tall, _taps(sigma[1]), width * 3).reshape(height, width, 3)
    wide = jnp.pad(image, ((0, 0), (pad, pad), (0, 0)), mode='edge').reshape(height, -1)
    return along_rows(wide, _taps(sigma[0]), 3).reshape(height, width, 3)


def blur_sigma(drawn: chex.Array, probability: float) -> chex.Array:
    """[2] blur widths (x, y): zeros, or, with a probability, out of focus (both the same) or a motion along one axis.

    Args:
      drawn: [3] uniform in 0..1.
      probability: of any blur.
    """
    chosen, kind, width = drawn
    along = jnp.where(kind < 0.5, jnp.ones(2), jnp.where(kind < 0.75, jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0])))
    return jnp.where(chosen < probability, (0.5 + (MAX_SIGMA - 0.5) * width) * along, 0.0)


def color_transform(
    drawn: chex.Array, axes: chex.Array, mean: chex.Array, strength: float
) -> tuple[chex.Array, chex.Array]:
    """Brightness, contrast, saturation and principal-axis jitter as one affine map of colours.

    Args:
      drawn: [3] uniform in -1..1.
      axes: [3] standard normal, the shift along each principal axis.
      mean: [3] the image's mean colour, 0..255, about which contrast turns.
      strength: 0 is the identity; at 1 brightness moves by up to 20 grey levels, contrast and saturation by up to 20 %.

    Returns:
      matrix [3, 3] and offset [3]: a colour c becomes c @ matrix + offset.
    """
    brightness, contrast, saturation = strength * drawn
    keep, gain = 1 + 0.2 * saturation, 1 + 0.2 * contrast
    matrix = gain * (keep * jnp.eye(3) + (1 - keep) * TO_GREY)
    return matrix, (1 - gain) * (mean @ LUMA) + 20 * brightness + strength * axes @ COLOR_AXES


def recolor(image: chex.Array, matrix: chex.Array, offset: chex.Array) -> chex.Array:
    """[H, W, 3] image through an affine map of colours (matrix [3, 3], offset [3]), clipped to 0..255."""
    # A sum of three products: as a matrix product with three columns it is several times slower on a CPU.
    mixed = sum(image[..., k : k + 1] * matrix[k][None, None] for k in range(3))
    return jnp.clip(mixed + offset[None, None], 0, 255)


@functools.partial(jax.jit, static_argnames=('template_size', 'search_size', 'low_resolution'))
def augment(
    batch: dict[str, chex.Array],
    seed: int,
    *,
    search_size: int = 255,
    search_shift: float = 64.0,
    search_scale: float = 0.18,
    blur: float = 0.2,
    zoom: float = 0.0,
    low_resolution: float = 0.0,
    gray: float = 0.0,
    template_size: int = grid.TEMPLATE_SIZE,
    template_shift: float = TEMPLATE_SHIFT,
    template_scale: float = TEMPLATE_SCALE,
    color: float = COLOR,
) -> dict[str, chex.Array]:
    """Training crops of a batch of patches (`pipeline.make_dataset`).

    Args:
      batch: template [B, T, T, 3] and search [B, S, S, 3] uint8, template_box and search_box [B, 4] cxcywh in patch
        pixels, positive [B] and mirrored [B] bool, position [B] uint32.
      seed: not negative; may be traced.
      search_size: side of the search crop, pixels.
      search_shift: the target's centre is uniform within +- it of the search crop's centre on each axis, crop pixels.
      search_scale: a pixel of the search crop is uniform within 1 +- it patch pixels, on each axis by itself.
      blur: probability of a blurred search crop.
      zoom: on top of `search_scale` both axes are scaled by the same factor, e to a power uniform within +- it.
      low_resolution: probability that both crops are blurred by the same amount, like those of a small target.
      gray: probability that both crops lose their colour.
      template_size: side of the template crop, pixels.
      template_shift: what `search_shift` is, for the template.
      template_scale: what `search_scale` is, for the template.
      color: strength of the colour jitter (`color_transform`), drawn for each crop by itself.

    Returns:
      template [B, template_size, template_size, 3] and search [B, search_size, search_size, 3] float32, RGB 0..255;
      target [B, 2] float32 (w, h) of the target in the template crop, pixels; box [B, 4] float32 cxcywh of the search
      crop's target, search-crop pixels (not clipped to the crop);
      positive [B] bool.
    """

    def one(record):
        uniform_key, normal_key = jax.random.split(jax.random.fold_in(jax.random.key(seed), record['position']))
        # Two draws for all: the generator is long code, and each call adds to the time of compilation.
        drawn = jax.random.uniform(uniform_key, (21,), minval=-1.0, maxval=1.0)
        jitter, colors, chance = drawn[:8].reshape(4, 2), drawn[8:14].reshape(2, 3), (drawn[14:20] + 1) / 2
        axes = jax.random.normal(normal_key, (2, 3))
        mirrored = record['mirrored']
        template, target = displaced_crop(
            record['template'],
            record['template_box'],
            mirrored,
            template_size,
            template_shift * jitter[0],
            1 + template_scale * jitter[1],
        )
        search, box = displaced_crop(
            record['search'],
            record['search_box'],
            mirrored,
            search_size,
            search_shift * jitter[2],
            (1 + search_scale * jitter[3]) * jnp.exp(zoom * drawn[20]),
        )
        sigma = blur_sigma(chance[:3], blur)
        if low_resolution:
            coarse = jnp.where(chance[4] < low_resolution, 0.5 + (MAX_SIGMA - 0.5) * chance[5], 0.0) * jnp.ones(2)
            template = gaussian_blur(template, coarse)
            # One blur after the other is one whose variance is the sum.
            sigma = jnp.minimum(jnp.hypot(coarse, sigma), MAX_SIGMA)
        search = gaussian_blur(search, sigma)
        colorless = chance[3] < gray

        def finish(image, drawn, axes):
            change = color_transform(drawn, axes, image[::4, ::4].mean((0, 1)), color)
            return recolor(image, *(jnp.where(colorless, part @ TO_GREY, part) for part in change))

        return {
            'template': finish(template, colors[0], axes[0]),
            'search': finish(search, colors[1], axes[1]),
            'target': target[2:],
            'box': box,
            'positive': record['positive'],
        }

    return jax.vmap(one)(batch)
