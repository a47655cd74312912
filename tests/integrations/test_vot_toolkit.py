"""The official VOT toolkit, started as a user starts it, with the file that the docs print; its numbers are ours."""

import json
import os
import pathlib
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest

from sctrpn_jax.data import generated
from sctrpn_jax.evaluation import evaluate
from sctrpn_jax.evaluation.job import Job
from sctrpn_jax.evaluation.results import vot_files
from sctrpn_jax.evaluation.score import vot_scores

pytestmark = pytest.mark.all

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
LENGTHS = 10, 30  # of EAO, frames
STACK = f"""
title: small
experiments:
  baseline:
    type: supervised
    repetitions: 1
    skip_initialize: 5
    analyses:
      - {{type: supervised_average_ar, sensitivity: 30}}
      - {{type: supervised_eao_score, low: {LENGTHS[0]}, high: {LENGTHS[1]}}}
"""

LONG_TERM = """
title: long
experiments:
  longterm:
    type: unsupervised
    repetitions: 1
    analyses:
      - {type: average_tpr}
"""


def write_sequence(folder, frames, boxes):
    (folder / 'color').mkdir(parents=True)
    for t, frame in enumerate(frames, 1):
        cv2.imwrite(str(folder / 'color' / f'{t:08d}.jpg'), frame[..., ::-1])
    rows = ['nan,nan,nan,nan' if np.isnan(box).any() else ','.join(f'{v:.2f}' for v in box) for box in boxes]
    (folder / 'groundtruth.txt').write_text('\n'.join(rows) + '\n')
    (folder / 'sequence').write_text(f'name={folder.name}\nfps=30\nformat=default\nchannels.color=color/%08d.jpg\n')


def write_workspace(folder, stack, names):
    (folder / 'sequences' / 'list.txt').write_text('\n'.join(names) + '\n')
    (folder / 'stack.yaml').write_text(stack)
    (folder / 'config.yaml').write_text('registry: [./trackers.ini]\nstack: ./stack.yaml\n')


@pytest.fixture(scope='module')
def workspace(tmp_path_factory):
    """Two clips: in one the target is suddenly elsewhere, so that it is lost; the other is followed to its end."""
    folder = tmp_path_factory.mktemp('workspace')
    one, other = (generated.make_sequence(seed, 40) for seed in (3, 7))
    jump = [np.concatenate([first[:15], second[15:]]) for first, second in zip(one, other, strict=True)]
    write_sequence(folder / 'sequences' / 'jump', *jump)
    write_sequence(folder / 'sequences' / 'steady', *other)
    write_workspace(folder, STACK, ('jump', 'steady'))
    return folder


@pytest.fixture(scope='module')
def vot(toolkits, with_trax, workspace):
    """vot(arguments): runs the toolkit in the workspace, whose trackers.ini the docs' lines write; gives its output."""
    lines = (REPOSITORY / 'docs' / 'evaluation.md').read_text()
    (script,) = re.findall(r'```\n(cat >trackers\.ini.*?)```', lines, re.DOTALL)
    active = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ['PATH']])
    subprocess.run(['bash', '-euc', script], cwd=workspace, env=with_trax | {'PATH': active}, check=True, timeout=60)

    def run(*arguments):
        done = subprocess.run(
            [toolkits / 'bin' / 'vot', *arguments],
            cwd=workspace,
            env=with_trax | {'VOT_RESULTS_BINARY': 'false'},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1800,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run


def test_the_toolkits_own_test(vot):
    said = vot('--registry', 'trackers.ini', 'test', 'SCTRPN')
    assert 'Test concluded successfuly' in said and said.count('@@TRAX:state') == 50


def analyse(vot, workspace):
    """What the toolkit's analysis finds in a workspace: experiment -> one list of values for each of its analyses."""
    said = vot('analysis', '--workspace', str(workspace), '--format', 'json', '--name', 'found', 'SCTRPN')
    assert 'Analysis successful' in said, said
    found = json.loads((workspace / 'analysis' / 'found.json').read_text())['results']
    return {name: [of_trackers[0] for of_trackers in each['results']] for name, each in found.items()}


def test_a_workspace_with_resets_has_our_numbers(vot, workspace):
    said = vot('evaluate', '--workspace', '.', 'SCTRPN')
    assert 'Evaluation concluded successfuly' in said, said
    (accuracy, failures, (reliability, _), _), (eao,) = analyse(vot, workspace)['baseline']
    annotations = vot_files.read_annotations(workspace / 'sequences')
    found = vot_files.read_results(workspace / 'results' / 'SCTRPN', annotations)
    ours = vot_scores.score(vot_scores.measure(annotations, found, None, 'vot-python', True), LENGTHS)
    assert not found.problems and failures >= 0.5 and accuracy > 0.5  # it was lost, and followed otherwise
    robustness = ours.overall.robustness
    assert ours.overall.accuracy == pytest.approx(accuracy, abs=1e-9)
    assert (robustness.per_sequence, robustness.reliability) == pytest.approx((failures, reliability), abs=1e-9)
    assert ours.overall.expected_overlap == pytest.approx(eao, abs=1e-7)


def test_long_term_scores_are_the_toolkits(vot, workspace, tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / 'trackers.ini').write_text((workspace / 'trackers.ini').read_text())
    for name, frames in (('one', 70), ('two', 45)):
        truth = np.array([[10 + t, 20 + t / 2, 30, 24] for t in range(frames)])
        found = (truth + rng.normal(0, 4, (frames, 4))).round(2)
        scores = rng.random(frames).round(4)
        truth[frames // 2 : frames // 2 + 12] = np.nan  # away
        write_sequence(tmp_path / 'sequences' / name, np.zeros((frames, 80, 120, 3), np.uint8), truth)
        folder = tmp_path / 'results' / 'SCTRPN' / 'longterm' / name
        folder.mkdir(parents=True)
        rows = ['1', *(','.join(map(str, row)) for row in found[1:].tolist())]
        (folder / f'{name}_001.txt').write_text('\n'.join(rows) + '\n')
        (folder / f'{name}_001_confidence.value').write_text('\n'.join(map(str, scores.tolist())) + '\n')
    write_workspace(tmp_path, LONG_TERM, ('one', 'two'))
    (theirs,) = analyse(vot, tmp_path)['longterm']
    values = evaluate.score(Job('votlt', str(tmp_path / 'sequences'), results=str(tmp_path / 'results')))
    values = values.trackers[0].values
    ours = [values[key].value for key in ('long_term_precision', 'long_term_recall', 'f_score')]
    np.testing.assert_allclose(ours, theirs, atol=2e-6)  # a report has six decimals
    assert 0.3 < theirs[2] < 0.9
