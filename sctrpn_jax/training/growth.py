"""A wider network that begins as a narrower trained one (function-preserving growth, Net2Net, Chen et al. 2016)."""

import chex
import jax
import jax.numpy as jnp


def names_and_shapes(tree: dict) -> dict[str, tuple[int, ...]]:
    """Path of every array of a tree, joined by `/`, to its shape."""
    return {'/'.join(key.key for key in keys): jnp.shape(leaf) for keys, leaf in jax.tree.flatten_with_path(tree)[0]}


def grow(narrow: dict, wide: dict) -> dict:
    """Variables of the wide network whose first channels compute what the narrow one computes.

    In each layer the narrow network's channels come first. They keep their weights and read nothing of the channels
    that are new to the layer before; the new ones keep `wide`'s weights and read all. Only what is shared by all
    channels of a map (its root mean square, LRN at the border, the cosines of `model.matching`) changes.

    Args:
      narrow: trained variables of `SCTRPN`.
      wide: variables that the new channels begin with.

    Returns:
      Variables shaped as `wide`.

    Raises:
      ValueError: networks that differ in more than the number of channels; a narrow one that is the wider.
    """
    found, wanted = names_and_shapes(narrow), names_and_shapes(wide)
    for name in sorted(wanted.keys() | found.keys()):
        small, large = found.get(name), wanted.get(name)
        channels = 2 if name.endswith('/kernel') else 1  # channels in and out, or one value per channel
        fits = (
            small
            and large
            and len(small) == len(large)
            and small[:-channels] == large[:-channels]
            and all(a <= b for a, b in zip(small, large, strict=True))
        )
        if not fits:
            raise ValueError(f'{name} is {small or "not there"}, the config wants {large or "none"}')
    return jax.tree.map_with_path(lambda path, a, b: _embed(a, b, path[-1].key == 'kernel'), narrow, wide)


def _embed(small: chex.Array, large: chex.Array, is_kernel: bool) -> chex.Array:
    small, large = jnp.asarray(small), jnp.asarray(large)
    out = small.shape[-1]
    if not is_kernel:
        return large.at[..., :out].set(small)
    return large.at[..., :out].set(0).at[..., : small.shape[-2], :out].set(small)
