"""Jobs that cannot be done are refused by name, without importing what tracks."""

import dataclasses
import subprocess
import sys

import pytest

from sctrpn_jax.data.benchmarks import registry
from sctrpn_jax.evaluation.job import Job, TrackerSettings, check
from sctrpn_jax.metrics import conventions


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'benchmark': 'nothing'}, "benchmark: got 'nothing', accepted are davis, dtb70, got10k, lasot"),
        ({'root': 'nowhere'}, 'expected a folder nowhere'),
        ({'split': '2014'}, 'otb has no split 2014; it has 2015, 2013, 50'),
        ({'protocol': 'reset'}, 'otb has no protocol reset; it has one_pass, tre, sre'),
        ({'benchmark': 'davis', 'protocol': 'reset'}, 'davis has no protocol reset; it has one_pass, tre, sre'),
        ({'benchmark': 'vot', 'protocol': 'tre'}, 'vot has no protocol tre; it has one_pass, reset, no_reset'),
        ({'benchmark': 'trackingnet', 'protocol': 'sre'}, 'trackingnet has no protocol sre; it has one_pass'),
        ({'protocol': 'sre', 'convention': 'trackingnet'}, 'by thresholds, and convention trackingnet by areas'),
        ({'protocol': 'tre', 'convention': 'vot-lt'}, 'convention vot-lt is for protocol one_pass; got tre'),
        ({'convention': 'nothing'}, "convention: got 'nothing', accepted are otb, "),
        ({'protocol': 'sre', 'omitted': 'initOmit'}, 'omitted frames are for protocol tre; got protocol sre'),
        ({'protocol': 'tre', 'omitted': 'initOmit'}, 'expected a folder initOmit'),
        ({'benchmark': 'davis', 'attributes': 'a'}, 'davis has no attributes of sequences; lasot, otb, uav123 have'),
        ({'submission': 'a.zip'}, 'otb takes no submissions; got10k, trackingnet do'),
        ({'benchmark': 'got10k', 'split': 'val', 'submission': 'a.zip'}, "got10k's server scores the split test"),
        ({'benchmark': 'got10k', 'output': None, 'results': '.', 'submission': 'a.zip'}, 'a tracker that is run'),
        ({'results': '.'}, 'give either'),
        ({'output': None}, 'give either'),
        ({'output': None, 'results': 'nowhere'}, 'expected a folder nowhere'),
        ({'batch': 2, 'processes': 2}, 'one of them 1'),
        ({'processes': 0}, 'accepted are numbers from 1'),
        ({'batch': 2, 'tracker': TrackerSettings('mil')}, 'only tracker sctrpn can follow several sequences, not mil'),
        ({'tracker': TrackerSettings('nothing')}, 'sctrpn, correlation, mil'),
        ({'tracker': TrackerSettings('correlation')}, 'correlation: give the backbone weights'),
        ({'tracker': TrackerSettings('correlation', weights='nowhere.npz')}, 'no file nowhere.npz'),
        ({'tracker': TrackerSettings('correlation', weights='w', layer=2)}, 'layer is 2, accepted are 3, 4, 5'),
        ({'tracker': TrackerSettings('nano', models='nowhere')}, "nano: .*; got 'nowhere'"),
    ],
)
def test_what_cannot_be_done_is_refused(tmp_path, changes, message):
    job = Job('otb', str(tmp_path), 'out')
    check(job)
    with pytest.raises(ValueError, match=message):
        check(dataclasses.replace(job, **changes))


def test_every_benchmark_can_be_tracked_and_scored(tmp_path):
    for known in registry.every().values():
        for split in known.splits:
            for protocol in known.protocols:
                check(Job(known.name, str(tmp_path), 'out', split=split, protocol=protocol))
        check(Job(known.name, str(tmp_path), results=str(tmp_path), convention=next(iter(conventions.CONVENTIONS))))


def test_a_check_imports_neither_jax_nor_opencv():
    script = """
import sys
from sctrpn_jax.evaluation import job
try:
    job.check(job.Job('otb', 'nowhere', 'out'))
except ValueError as error:
    print(error)
print([name for name in ('jax', 'flax', 'cv2', 'scipy', 'orbax') if name in sys.modules])
"""
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ['expected a folder nowhere', '[]']
