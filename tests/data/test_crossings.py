"""Generated crossings: what is said to be hidden against pictures in two flat colours."""

import dataclasses

import numpy as np
import pytest

from sctrpn_jax.data import crossings, generated


def flat(scene, target, cover):
    """The scene with a target and a look-alike of one grey value each, without light and grain."""
    *others, last = scene.sprites
    return dataclasses.replace(
        scene,
        sprites=(*others, dataclasses.replace(last, texture=np.full_like(last.texture, target))),
        cover=dataclasses.replace(scene.cover, texture=np.full_like(scene.cover.texture, cover)),
        light=generated.Path(np.array([1.0, 0.0]), *[np.zeros((1, 2))] * 3),
        grain=np.zeros_like(scene.grain),
    )


@pytest.mark.parametrize('seed', [200, 201])
def test_visible_is_the_share_of_the_target_that_the_picture_shows(seed):
    scene, clip = crossings.make_scene(seed), crossings.make_crossing(seed)
    black, white = flat(scene, 0, 90), flat(scene, 255, 90)
    alone = [dataclasses.replace(each, cover=None) for each in (black, white)]

    def area(dark, light, t):
        return np.abs(light.draw(t)[0].astype(float) - dark.draw(t)[0]).mean()

    for t in (0, 30, 38, crossings.MIDDLE, 52, 90):
        np.testing.assert_allclose(clip.visible[t], area(black, white, t) / area(*alone, t), atol=0.02)
        np.testing.assert_array_equal(clip.boxes[t], generated.box_of(alone[0].draw(t)[1]))


@pytest.mark.parametrize('seed', range(200, 208))
def test_the_target_is_hidden_in_the_middle_and_seen_at_both_ends(seed):
    visible = crossings.make_crossing(seed).visible
    assert visible[crossings.MIDDLE] < 0.1 and visible[:10].min() > 0.9 and visible[-10:].min() > 0.9
    assert 3 <= (visible < 0.3).sum() <= 40


def test_what_crosses_is_a_look_alike():
    scene = crossings.make_scene(203)
    target, cover = scene.sprites[-1], scene.cover
    colors = [sprite.texture.reshape(-1, 3) for sprite in (target, cover)]
    np.testing.assert_array_equal(*(np.sort(each, axis=0) for each in colors))
    assert (target.texture != cover.texture).mean() > 0.5
