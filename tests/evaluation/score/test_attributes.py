"""Attributes as the benchmarks annotate them, and scores by attribute."""

import json
import re

import numpy as np
import pytest

from sctrpn_jax.data.benchmarks import registry
from sctrpn_jax.evaluation.score import attributes
from sctrpn_jax.metrics import one_pass


def test_every_form_of_otb(tmp_path):
    (tmp_path / 'a.json').write_text(json.dumps({'Dog': ['Occlusion', 'Out-of-View'], 'Deer': []}))
    (tmp_path / 'attr_list.txt').write_text('Dog\tOCC, OV\nDeer\t\n')
    for name, text in (('Dog', 'OCC, OV'), ('Deer', '')):
        (tmp_path / 'OTB' / name).mkdir(parents=True)
        (tmp_path / 'OTB' / name / 'attrs.txt').write_text(text)
    (tmp_path / 'OTB' / 'other').mkdir()
    for form in ('a.json', 'attr_list.txt', 'OTB'):
        found = attributes.read_attributes(registry.get('otb'), tmp_path / form)
        assert found == {'Dog': {'Occlusion', 'Out-of-View'}, 'Deer': set()}


def test_flags_of_uav123_and_lasot(tmp_path):
    (tmp_path / 'anno' / 'att').mkdir(parents=True)
    (tmp_path / 'anno' / 'car1_1.txt').write_text('1,2,3,4\n')
    (tmp_path / 'anno' / 'att' / 'car1_1.txt').write_text('1,0,0,0,0,0,0,0,0,0,0,1')
    expected = {'car1_1': {'Scale Variation', 'Similar Object'}}
    assert attributes.read_attributes(registry.get('uav123'), tmp_path / 'anno') == expected
    assert attributes.read_attributes(registry.get('uav123'), tmp_path / 'anno' / 'att') == expected
    (tmp_path / 'lasot').mkdir()
    (tmp_path / 'lasot' / 'airplane-1.txt').write_text('0,1,0,0,0,1,0,0,1,0,0,0,0,1\n')
    found = attributes.read_attributes(registry.get('lasot'), tmp_path / 'lasot')
    assert found == {'airplane-1': {'Partial Occlusion', 'Rotation', 'Scale Variation', 'Aspect Ratio Change'}}


@pytest.mark.parametrize(
    ('benchmark', 'file', 'text', 'message'),
    [
        ('otb', 'a.json', '{', 'not JSON'),
        ('otb', 'a.json', '[1]', 'got list'),
        ('otb', 'a.json', '{}', 'no attributes'),
        ('otb', 'a.json', '{"Dog": ["Rain"]}', "Dog has 'Rain'"),
        ('otb', 'a.json', '{"Dog": "Occlusion"}', "Dog has 'Occlusion'"),
        ('otb', 'a.json', '{"Dog": [["Occlusion"]]}', 'Dog has'),
        ('otb', 'a.txt', 'Deer\tOV\nDog\tOV, XX\n', "a.txt:2: got 'XX', accepted are IV"),
        ('uav123', 'd/car1.txt', '1,0', 'expected 12 flags'),
        ('lasot', 'd/car1.txt', '0,1,0,0,0,1,0,0,1,0,0,0,0,2', 'expected 14 flags'),
    ],
)
def test_damaged_files_are_named(tmp_path, benchmark, file, text, message):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(message)):
        attributes.read_attributes(registry.get(benchmark), path if benchmark == 'otb' else path.parent)


def scores_of(precision):
    truth = np.tile([10.0, 10, 20, 20], (10, 1))
    predicted = truth.copy()
    predicted[round(10 * precision) :, 0] += 100
    return one_pass.score_sequence(predicted, truth)


def test_scores_by_attribute_are_means_over_its_sequences():
    scores = {'Dog': scores_of(1), 'Jogging-1': scores_of(0.5), 'Deer': scores_of(0.2)}
    found = attributes.scores_by_attribute(
        scores, {'dog': ['Occlusion'], 'Jogging.1': ['Occlusion', 'Rotation'], 'Deer': [], 'Other': ['Fog']}
    )
    assert {name: (mean.precision, count) for name, (mean, count) in found.items()} == {
        'Occlusion': (0.75, 2),
        'Rotation': (0.5, 1),
    }
    with pytest.raises(ValueError, match="'Deer': no attributes"):
        attributes.scores_by_attribute(scores, {'dog': [], 'Jogging.1': []})


def test_attributes_of_otb2015(shared):
    path = shared / 'data' / 'results' / 'OTB2015' / 'attributes.json'
    if not path.is_file():
        pytest.skip(f'no {path}')
    found = attributes.read_attributes(registry.get('otb'), path)
    counts = {name: sum(name in names for names in found.values()) for name in registry.get('otb').attributes.values()}
    assert len(found) == 100 and list(counts.values()) == [38, 64, 49, 44, 29, 39, 51, 63, 14, 31, 9]
