"""One evaluation as data: which tracker on which benchmark, by which protocol, scored by whose rules.

It is checked here, before anything slow is imported or read: this module needs NumPy and nothing larger.
"""

import dataclasses
import os
import pathlib

from sctrpn_jax.data.benchmarks import record, registry
from sctrpn_jax.metrics import conventions
from sctrpn_jax.metrics.vot import raster

OPENCV_TRACKERS = ('mil', 'kcf', 'csrt', 'nano')
TRACKERS = ('sctrpn', 'correlation', *OPENCV_TRACKERS)
PERTURBED = ('tre', 'sre')  # protocols that start a tracker in other frames, or with other boxes
VOT_PROTOCOLS = ('reset', 'no_reset')
AREAS = 'trackingnet'  # the convention whose scores are areas under curves, not values at thresholds
LONG_TERM = 'vot-lt'  # the convention that scores boxes together with the tracker's own score
CONVENTIONS = tuple(dict.fromkeys((*conventions.CONVENTIONS, AREAS, LONG_TERM, *raster.CONVENTIONS)))


@dataclasses.dataclass(frozen=True)
class TrackerSettings:
    """Which tracker, and what it is made of.

    Attributes:
      kind: one of `TRACKERS`: `sctrpn`; `correlation`, a tracker of untrained features that any other must beat;
        OpenCV's `mil`, `kcf`, `csrt`, `nano`.
      checkpoint: a pretrained network's name, a network file or a run's folder; None: the default network (sctrpn).
      weights: file of backbone weights, .npz (correlation).
      layer: of the backbone, 3, 4 or 5 (correlation).
      models: folder of the two model files (nano).
    """

    kind: str = 'sctrpn'
    checkpoint: str | None = None
    weights: str | None = None
    layer: int = 5
    models: str | None = None


@dataclasses.dataclass(frozen=True)
class Job:
    """One evaluation.

    Attributes:
      benchmark: one of `data.benchmarks.registry.every()`.
      root: the benchmark's folder; to score results, a folder of its annotations is enough.
      output: folder for the results of a tracker that is to be run; None: nothing is tracked.
      results: folder of results to score, of one tracker or with a folder for each; None: `output`.
      tracker: what is run.
      sequences: names of some sequences; (): all.
      split: of the benchmark; None: the one that the folder holds.
      protocol: one of the benchmark's.
      convention: whose rules the scores follow; None: the benchmark's own.
      origin: number of the first pixel in result files that are not this project's; None: as in the benchmark's files.
      attributes: the benchmark's attribute file or folder; None: no scores by attribute.
      omitted: the OTB toolkit's folder `initOmit`, frames that protocol `tre` does not start from.
      submission: zip file to write for the benchmark's server.
      batch: how many sequences are tracked together in one process (sctrpn).
      processes: how many processes share the sequences.
      process: which of them this is, from 0, where each is started apart, on one machine or many: it tracks every
        `processes`-th sequence. None: this process starts the others.
    """

    benchmark: str
    root: str
    output: str | None = None
    results: str | None = None
    tracker: TrackerSettings = TrackerSettings()
    sequences: tuple[str, ...] = ()
    split: str | None = None
    protocol: str = 'one_pass'
    convention: str | None = None
    origin: float | None = None
    attributes: str | None = None
    omitted: str | None = None
    submission: str | None = None
    batch: int = 1
    processes: int = 1
    process: int | None = None

    @property
    def pool(self) -> int:
        """How many processes share what this one has to track; 1: it tracks itself."""
        return self.processes if self.process is None else 1

    @property
    def share(self) -> slice:
        """Which of the sequences this process has to track."""
        return slice(self.process, None, None if self.process is None else self.processes)

    @property
    def record(self) -> record.Benchmark:
        """What is known of the benchmark."""
        return registry.get(self.benchmark)

    @property
    def scored(self) -> str:
        """The folder of results that is scored."""
        folder = self.results or self.output
        assert folder is not None  # `check` refuses a job without either
        return folder


def check(job: Job) -> None:
    """Refuses a job that cannot be done, in milliseconds.

    Raises:
      ValueError: a benchmark, split, protocol, convention or tracker that does not exist, settings that do not go
        together, or a file or folder that is missing.
    """
    known = job.record
    if job.split is not None:
        known.split(job.split)
    known.check_protocol(job.protocol)
    if (job.output is None) == (job.results is None):
        raise ValueError('give either a folder for the results of a tracker to run, or a folder of results to score')
    if job.convention is not None and job.convention not in CONVENTIONS:
        raise ValueError(f'convention: got {job.convention!r}, accepted are {", ".join(CONVENTIONS)}')
    if job.protocol in PERTURBED and (job.convention or known.convention) == AREAS:
        raise ValueError(f'protocol {job.protocol} is scored by thresholds, and convention {AREAS} by areas')
    if job.protocol in PERTURBED and (job.convention or known.convention) == LONG_TERM:
        raise ValueError(f'convention {LONG_TERM} is for protocol one_pass; got {job.protocol}')
    if job.omitted and job.protocol != 'tre':
        raise ValueError(f'omitted frames are for protocol tre; got protocol {job.protocol}')
    if job.attributes and not known.attributes:
        having = [each.name for each in registry.every().values() if each.attributes]
        raise ValueError(f'{known.name} has no attributes of sequences; {", ".join(having)} have them')
    _check_submission(job, known)
    for path in (job.root, job.results, job.omitted):
        if path and not os.path.isdir(path):
            raise ValueError(f'expected a folder {path}')
    if job.output:
        check_tracker(job.tracker, job.batch, job.pool)
    if job.process is not None and not (job.output and 0 <= job.process < job.processes):
        raise ValueError(
            f'process {job.process} of {job.processes}; accepted are 0 to {job.processes - 1}, and an output'
        )


def _check_submission(job: Job, known: record.Benchmark) -> None:
    if not job.submission:
        return
    if known.submission is None:
        having = [each.name for each in registry.every().values() if each.submission]
        raise ValueError(f'{known.name} takes no submissions; {", ".join(having)} do')
    if not job.output or job.protocol != 'one_pass':
        raise ValueError(f'a submission holds the one_pass results of a tracker that is run; got {job.protocol}')
    if job.split not in (None, known.submission.split):
        raise ValueError(f"{known.name}'s server scores the split {known.submission.split}; got {job.split}")


def check_tracker(settings: TrackerSettings, batch: int = 1, processes: int = 1) -> None:
    """Refuses settings that make no tracker.

    Raises:
      ValueError: an unknown kind, what it needs is missing, or numbers that do not go together.
    """
    if settings.kind not in TRACKERS:
        raise ValueError(f'tracker: got {settings.kind!r}, accepted are {", ".join(TRACKERS)}')
    if min(batch, processes) < 1 or (batch > 1 and processes > 1):
        raise ValueError(f'batch is {batch}, processes {processes}; accepted are numbers from 1, and one of them 1')
    if batch > 1 and settings.kind != 'sctrpn':
        raise ValueError(f'batch is {batch}; only tracker sctrpn can follow several sequences, not {settings.kind}')
    if settings.kind == 'correlation':
        if settings.layer not in (3, 4, 5):
            raise ValueError(f'tracker correlation: layer is {settings.layer}, accepted are 3, 4, 5')
        if not settings.weights:
            raise ValueError('tracker correlation: give the backbone weights')
        if not os.path.isfile(settings.weights):
            raise ValueError(f'tracker correlation: no file {settings.weights}')
    if settings.kind == 'nano' and not (settings.models and pathlib.Path(settings.models).is_dir()):
        raise ValueError(f'tracker nano: give the folder of its two model files; got {settings.models!r}')
