"""Made-up results as reports, and a headless Chromium that speaks WebDriver over the standard library."""

import base64
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import urllib.request

import numpy as np
import pytest

from sctrpn_jax.data.benchmarks import registry
from sctrpn_jax.evaluation.report import build, data, environments, metric_sets
from sctrpn_jax.evaluation.score import attributes
from sctrpn_jax.metrics import one_pass

ENVIRONMENT = data.Environment({'python': '3.11', 'jax': '0.10'}, 'one machine')


def made_up_scores(sequences: int, noise: float, seed: int) -> dict[str, one_pass.Scores]:
    """Scores of boxes that walk, tracked with an error."""
    rng = np.random.default_rng(seed)
    scores = {}
    for i in range(sequences):
        truth = np.concatenate([100 + rng.normal(0, 3, (40, 2)).cumsum(0), np.full((40, 2), 30.0)], axis=1)
        predicted = truth + rng.normal(0, noise * (1 + i % 5), (40, 4)) * [1, 1, 0.3, 0.3]
        scores[f'sequence {i}'] = one_pass.score_sequence(predicted, truth)
    return scores


def made_up_report(names=('one', 'two'), sequences: int = 12, fps: float = 50.0, **changes) -> data.Report:
    """A report of trackers that get worse, by name; `changes` go to the first tracker."""
    trackers = []
    for k, name in enumerate(names):
        scores = made_up_scores(sequences, 2.0 + 2 * k, seed=3)
        flags = {
            sequence: ('Deformation', 'Occlusion') if i % 3 else ('Occlusion',) for i, sequence in enumerate(scores)
        }
        about = {
            'source': f'made up, {k}',
            'seed': k,
            'config': {'track': {'window': 0.4, 'layers': [3, 4]}},
            'timing': environments.timing({s: np.full(40, (k + 1) / fps) for s in scores}, 'one machine'),
            **(changes if k == 0 else {}),
        }
        by_attribute = attributes.scores_by_attribute(scores, flags)
        trackers.append(build.one_pass_tracker(name, scores, by_attribute, **about))
    split = registry.get('otb').split('2015')
    return build.report(split, 'a convention', trackers, list(scores), metric_sets.ONE_PASS, ENVIRONMENT)


@pytest.fixture
def make_report():
    """`made_up_report`."""
    return made_up_report


@pytest.fixture
def make_scores():
    """`made_up_scores`."""
    return made_up_scores


class Browser:
    """The few WebDriver commands that the tests need."""

    def __init__(self, address: str, options: dict):
        self._address = address
        capabilities = {'goog:chromeOptions': options, 'goog:loggingPrefs': {'browser': 'ALL'}}
        made = self._call('POST', '/session', {'capabilities': {'alwaysMatch': capabilities}})
        self._session = f'/session/{made["sessionId"]}'

    def _call(self, method: str, path: str, body: dict | None = None):
        content = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(
            self._address + path, content, {'Content-Type': 'application/json'}, method=method
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.load(answer)['value']

    def open(self, path: pathlib.Path, width: int = 1280) -> None:
        """Shows a file in a window of that width."""
        self._call('POST', f'{self._session}/window/rect', {'width': width, 'height': 900})
        self._call('POST', f'{self._session}/url', {'url': path.resolve().as_uri()})

    def run(self, script: str, *arguments):
        """What a script returns."""
        return self._call('POST', f'{self._session}/execute/sync', {'script': script, 'args': list(arguments)})

    def _find(self, selector: str) -> str:
        found = self._call('POST', f'{self._session}/element', {'using': 'css selector', 'value': selector})
        return f'{self._session}/element/{next(iter(found.values()))}'

    def click(self, selector: str) -> None:
        """Clicks an element, as a mouse does."""
        self._call('POST', f'{self._find(selector)}/click', {})

    def type(self, selector: str, keys: str) -> None:
        """Presses keys in an element."""
        self._call('POST', f'{self._find(selector)}/value', {'text': keys})

    def media(self, kind: str, scheme: str) -> None:
        """Shows the page as for `screen` or `print`, `light` or `dark`."""
        features = [{'name': 'prefers-color-scheme', 'value': scheme}]
        params = {'media': kind, 'features': features}
        self._call('POST', f'{self._session}/goog/cdp/execute', {'cmd': 'Emulation.setEmulatedMedia', 'params': params})

    def console(self) -> list[str]:
        """What the page, or Chromium about it, wrote to the console since the last call."""
        entries = self._call('POST', f'{self._session}/se/log', {'type': 'browser'})
        return [f'{entry["level"]}: {entry["message"]}' for entry in entries]

    def picture(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode(self._call('GET', f'{self._session}/screenshot'))

    def close(self) -> None:
        """Ends the session."""
        self._call('DELETE', self._session)


@pytest.fixture(scope='session')
def browser(tmp_path_factory):
    """A `Browser`; the test is skipped where there is no Chromium with its driver (Debian: chromium-driver)."""
    chromium, driver = (shutil.which(name) for name in ('chromium', 'chromedriver'))
    if not chromium or not driver:
        pytest.skip(f'no {"chromedriver" if chromium else "chromium"} on PATH')
    log = tmp_path_factory.mktemp('browser') / 'driver.log'
    with subprocess.Popen([driver, '--port=0', f'--log-path={log}'], stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = itertools.takewhile(bool, iter(process.stdout.readline, ''))
            started = next((line for line in lines if 'started successfully on port' in line), None)
            assert started, 'chromedriver did not start'
            arguments = [
                '--headless',
                '--disable-gpu',
                '--hide-scrollbars',
                f'--user-data-dir={log.parent / "profile"}',
            ]
            arguments += ['--no-sandbox'] * (os.geteuid() == 0)
            port = started.rsplit(' ', 1)[1].strip().rstrip('.')
            opened = Browser(f'http://127.0.0.1:{port}', {'binary': chromium, 'args': arguments})
            yield opened
            opened.close()
        finally:
            process.terminate()
