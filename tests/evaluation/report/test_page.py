"""The page as text: complete, alone, and the same twice."""

import dataclasses
import html.parser
import importlib.resources
import itertools
import re

import cv2
import numpy as np
import pytest

from sctrpn_jax.evaluation.report import data, page, svg

NAME = '<script>alert("1")</script> & </td>'


class Elements(html.parser.HTMLParser):
    """Tags with their attributes, and text by the id of the last heading."""

    def __init__(self):
        super().__init__()
        self.tags, self.text, self._under = [], {}, ''

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ('h1', 'h2'):
            self._under = dict(attrs).get('id', '')

    def handle_data(self, content):
        self.text[self._under] = self.text.get(self._under, '') + content


def parsed(report):
    elements = Elements()
    elements.feed(page.page(report))
    return elements


def test_it_needs_nothing_else(make_report):
    content = page.page(make_report())
    for tag, attributes in parsed(make_report()).tags:
        assert tag not in ('link', 'img', 'iframe', 'object', 'embed', 'base', 'form')
        assert 'src' not in attributes and 'style' not in attributes
        assert attributes.get('href', '#').startswith('#')
        assert not any(name.startswith('on') for name in attributes)
    assert not re.search(r'https?:|url\(|@import|fetch\(|XMLHttp', content)
    assert "default-src 'none'" in content


def test_names_are_escaped(make_report):
    report = make_report((NAME, 'other'), source=NAME, problems=[NAME], config={NAME: NAME})
    rows = tuple(dataclasses.replace(row, sequence=NAME) for row in report.trackers[0].rows[:1])
    tracker = dataclasses.replace(report.trackers[0], rows=rows)
    report = dataclasses.replace(report, benchmark=NAME, convention=NAME, sequences=(NAME,), trackers=(tracker,))
    elements = parsed(report)
    assert [tag for tag, _ in elements.tags].count('script') == 1
    for under in ('results', 'sequences', 'setup', 'problems'):
        assert NAME in elements.text[under], under


def test_the_page_says_how_it_was_made_and_what_was_wrong(make_report):
    problems = [f'file:{i}: not a number' for i in range(700)]
    report = make_report(problems=problems, problem_counts={'row': 1234, 'missing': 1})
    elements = parsed(report)
    for words in ('a convention', 'python 3.11', 'one machine', 'Seed', '"window": 0.4'):
        assert words in elements.text['setup'], words
    assert 'one: 1,235 problems (1 missing, 1,234 row)' in elements.text['problems']
    assert '200 more lines in report.json' in elements.text['problems']
    assert 'file:0: not a number' in elements.text['problems']
    assert 'do not compare' in elements.text['results']
    assert ('a', {'href': '#problems'}) in elements.tags
    assert 'every file was there' in parsed(make_report()).text['problems']


def test_published_results_are_marked(make_report):
    elements = parsed(make_report())
    report = make_report()
    assert [tag for tag, attributes in elements.tags if attributes.get('class') == 'badge'] == ['span'] * len(
        report.published
    )
    assert 'STVIR/pysot, MODEL_ZOO' in elements.text['results']


def tables_of(content):
    """Rows of cells by the label of each table."""
    found = {}
    for label, body in re.findall(r'aria-label="([^"]+)" tabindex="0"><table.*?<tbody>(.*?)</tbody>', content):
        rows = [re.findall(r'<t[hd](?: [^>]*)?>(.*?)</t[hd]>', row) for row in re.findall(r'<tr.*?</tr>', body)]
        found[label] = rows
    return found


def test_what_is_not_known_is_said_once(make_report):
    report = make_report(('one', 'two'), seed=None, timing=data.Timing(), config={})
    elements = parsed(report)
    assert 'Not known: seed of one; frames/s of one; machine of one.' in elements.text['setup']
    assert 'Seed1' in elements.text['setup'] and 'an unknown' not in page.page(report)
    bare = dataclasses.replace(report.trackers[1], seed=None, timing=data.Timing(), config={}, name='bare')
    report = dataclasses.replace(report, trackers=(report.trackers[0], bare), published=())
    elements = parsed(report)
    assert 'Not known: seed; frames/s; machine.' in elements.text['setup']
    assert 'Not known of any tracker: frames/s.' in elements.text['results']
    assert (
        data.NOTHING not in elements.text['results'].replace(' – ', '') and 'Frames/s' not in elements.text['results']
    )
    assert 'Not known' not in parsed(make_report()).text['setup']


def test_attributes_are_a_table_of_shades(make_report):
    report = make_report(('one', 'two', 'three'))
    content = page.page(report)
    rows = tables_of(content)['Scores by attribute']
    assert [row[0] for row in rows] == ['one', 'two', 'three']
    for row, tracker in zip(rows, report.ranked(), strict=True):
        names = ('Deformation', 'Occlusion')
        values = [tracker.values['success'].value, *(tracker.attributes[name].values['success'] for name in names)]
        assert row[1:4] == [f'{value:.3f}' for value in values]
    shades = [int(level) for level in re.findall(r'class="m-0 s(\d)', content)]
    values = [t.attributes[name].values['success'] for t in report.ranked() for name in names]
    assert (max(shades), min(shades)) == (6, 0) and len(shades) == 6
    low, high = min(values), max(values)
    assert shades == [round(6 * (value - low) / (high - low)) for value in values]
    summaries = re.findall('<summary>(.*? by attribute.*?)</summary>', content)
    assert summaries == ['Success by attribute: 2 plots', 'Precision by attribute: 2 plots']
    bare = dataclasses.replace(report, trackers=(dataclasses.replace(report.trackers[0], attributes={}),))
    assert 'By attribute' not in page.page(bare)


def test_a_low_score_that_is_good_is_shaded_strongly(make_report):
    report = make_report(('one', 'two'))
    metrics = tuple(dataclasses.replace(metric, higher_is_better=False) for metric in report.metrics)
    content = page.page(dataclasses.replace(report, metrics=metrics, row_metrics=metrics))
    best = min(t.attributes[name].values['success'] for t in report.trackers for name in ('Deformation', 'Occlusion'))
    assert f'class="m-0 s6 best">{best:.3f}<' in content


def test_sequences_have_a_mean_and_link_to_their_worst_frames(make_report):
    report = make_report(('one', 'two'), sequences=3)
    name = report.sequences[1]
    content = page.page(report, {name: 'worst/a "b" #1.jpg'})
    rows = tables_of(content)['Scores by sequence']
    assert [row[0] for row in rows] == [
        'sequence 0',
        '<a href="worst/a%20%22b%22%20%231.jpg">sequence 1</a>',
        'sequence 2',
    ]
    for i, row in enumerate(rows):
        values = [tracker.rows[i].values['success'] for tracker in report.trackers]
        assert row[2:5] == [f'{value:.3f}' for value in (np.mean(values), *values)]
    assert 'mean overlap' in content and 'mean overlap' not in page.page(report)
    assert '>Mean<' not in page.page(dataclasses.replace(report, trackers=report.trackers[:1]))


def test_the_same_report_gives_the_same_page(make_report):
    assert page.page(make_report()) == page.page(make_report())
    again = data.from_json(data.to_json(make_report()))
    assert page.page(again) == page.page(make_report())


def test_a_report_of_nothing_is_a_page(make_report):
    report = dataclasses.replace(make_report(), trackers=(), published=(), sequences=(), published_note='')
    assert 'No curve has values' in page.page(report)


def linear(color):
    """[3] linear RGB of #rgb or #rrggbb."""
    digits = color[1:] if len(color) == 7 else ''.join(2 * digit for digit in color[1:])
    parts = np.array([int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def luminance(color):
    """WCAG 2."""
    return linear(color) @ [0.2126, 0.7152, 0.0722]


@pytest.fixture(scope='module')
def themes():
    """Colours by name, light and dark."""
    css = (importlib.resources.files('sctrpn_jax.evaluation.report') / 'page.css').read_text()
    blocks = re.findall(r':root[^ ]* \{([^}]+)\}', css)
    assert len(blocks) == 2
    return [dict(re.findall(r'--([a-z0-9]+): (#[0-9a-f]+)', block)) for block in blocks]


# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
BLINDNESS = {
    'none': np.eye(3),
    'protan': [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    'deutan': [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    'tritan': [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


@pytest.mark.parametrize('kind', BLINDNESS)
def test_colours_are_apart_for_every_reader(themes, kind):
    for theme in themes:
        seen = np.clip([BLINDNESS[kind] @ linear(theme[f'c{i}']) for i in range(svg.COLORS)], 0, 1)
        shown = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
        lab = cv2.cvtColor(shown[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0]
        apart = [np.linalg.norm(a - b) for a, b in itertools.combinations(lab, 2)]
        assert min(apart) > 12  # CIE 1976; 2.3 can just be seen


def test_colours_stand_out_in_both_themes(themes):
    for theme in themes:
        for name, least in [('ink', 7), ('soft', 4.5), ('link', 4.5), ('warn', 4.5), *((f'c{i}', 3) for i in range(7))]:
            for behind in ('page', 'panel'):
                low, high = sorted(luminance(theme[key]) for key in (name, behind))
                assert (high + 0.05) / (low + 0.05) >= least, (name, behind)


def test_numbers_can_be_read_on_the_strongest_shade(themes):
    css = (importlib.resources.files('sctrpn_jax.evaluation.report') / 'page.css').read_text()
    shares = [int(share) / 100 for share in re.findall(r'\.s\d \{ --s: (\d+)%; \}', css)]
    assert len(shares) == 6 and shares == sorted(shares)
    for theme in themes:
        page_color = theme['page'] if len(theme['page']) == 7 else ''.join(2 * digit for digit in theme['page'])[1:]
        color, behind = (np.array(list(bytes.fromhex(text[1:]))) for text in (theme['c0'], page_color))
        mixed = np.round(color * shares[-1] + behind * (1 - shares[-1])).astype(int)
        low, high = sorted((luminance(theme['ink']), luminance('#' + bytes(mixed.tolist()).hex())))
        assert (high + 0.05) / (low + 0.05) >= 4.5
