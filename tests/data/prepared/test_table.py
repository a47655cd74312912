"""Track tables survive the disk and joining, whatever the names."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctrpn_jax.data.layouts import clip
from sctrpn_jax.data.prepared import table

names = st.text(st.characters(exclude_characters='\0', exclude_categories=['Cs']), max_size=300)


@st.composite
def targets(draw):
    count = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    tags = draw(st.sets(st.sampled_from(['occlusion', 'cut', 'rain']), max_size=3))
    return clip.Target(
        name=draw(names),
        rows=np.arange(count),
        boxes=rng.uniform(0, 50, (count, 4)),
        category=draw(names),
        visible=rng.uniform(0, 1, count).astype(np.float32),
        polygons=rng.uniform(0, 50, (count, 8)) if draw(st.booleans()) else None,
        tags={tag: rng.random(count) < 0.5 for tag in sorted(tags)},
    )


clips = st.lists(st.tuples(names, st.lists(targets(), max_size=3)), max_size=4)


def build(clips):
    builder, image = table.TableBuilder(), 0
    for name, targets in clips:
        builder.add_clip(name)
        for target in targets:
            count = len(target.rows)
            at = image + np.arange(count)
            places = np.full((count, 3), np.nan, np.float32)
            builder.add_target(target, np.ones(count, bool), frame=target.rows * 3, image=at, record=at, places=places)
            image += count
    return builder.table(), image


def assert_same(a, b):
    for field in dataclasses.fields(table.TrackTable):
        np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name), err_msg=field.name)


def tags_of(t):
    return [{name for bit, name in enumerate(t.tag_names) if tags >> bit & 1} for tags in t.tags.tolist()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(clips=clips)
def test_a_table_comes_back_from_disk(tmp_path, clips):
    made, _ = build(clips)
    table.write_table(tmp_path / 'tracks.npz', made)
    assert_same(table.read_table(tmp_path / 'tracks.npz'), made)


@settings(max_examples=40)
@given(parts=st.lists(clips, min_size=1, max_size=3))
def test_joined_parts_are_the_whole(parts):
    tables, counts = zip(*(build(part) for part in parts), strict=True)
    joined = table.join_tables(list(tables), list(counts), list(counts))
    whole, _ = build([clip for part in parts for clip in part])
    assert tags_of(joined) == tags_of(whole)
    for field in dataclasses.fields(table.TrackTable):
        if field.name not in ('tags', 'tag_names'):
            np.testing.assert_array_equal(getattr(joined, field.name), getattr(whole, field.name), err_msg=field.name)


@pytest.mark.parametrize('content', [b'', b'PK\x03\x04 damaged', None])
def test_a_damaged_table_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / 'tracks.npz').write_bytes(content)
    with pytest.raises(ValueError, match=r'cannot read track table .*tracks\.npz'):
        table.read_table(tmp_path / 'tracks.npz')
