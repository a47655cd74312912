"""The page in a real browser: it draws, sorts with mouse and keyboard, filters, and complains about nothing."""

import dataclasses
import xml.etree.ElementTree

import cv2
import numpy as np
import pytest

from sctrpn_jax.evaluation.report import data, output

RESULTS = '[aria-labelledby=results] table'
EVIL = '<script>document.title="owned"</script>'


@pytest.fixture
def shown(browser, make_report, tmp_path):
    """A report's page, shown by the browser; the report."""

    def show(report, width=1280):
        path = output.write_report(report, tmp_path)['report.html']
        browser.open(path, width)
        return report

    yield lambda *args, width=1280, **changes: show(make_report(*args, **changes), width)
    assert browser.console() == []
    browser.media('', 'light')


def column(browser, table, index):
    """Text of a column's shown cells."""
    script = (
        'const [table, index] = arguments;'
        'return [...document.querySelectorAll(table + " tbody tr")].filter((row) => row.offsetParent !== null)'
        '.map((row) => row.cells[index]).map((cell) => cell.offsetParent === null ? "" : cell.innerText)'
    )
    return browser.run(script, table, index)


def sorted_columns(browser, table):
    return browser.run(
        'return [...document.querySelectorAll(arguments[0] + " thead th")].map((th) => th.ariaSort)', table
    )


def test_every_plot_is_drawn_within_its_figure(shown, browser):
    shown()
    boxes = browser.run(
        'return [...document.querySelectorAll("#plots ~ .figures figure")].map((figure) => {'
        ' const svg = figure.querySelector(":scope > svg").getBoundingClientRect();'
        ' const outer = figure.getBoundingClientRect();'
        ' const lines = figure.querySelectorAll(":scope > svg [data-t] path, :scope > svg [data-t] circle");'
        ' const inside = [...lines].every((each) => { const box = each.getBoundingClientRect();'
        '  return box.left >= svg.left - 6 && box.right <= svg.right + 6; });'
        ' return [figure.querySelector("h3").innerText, svg.width, svg.height, outer.width, lines.length, inside]; })'
    )
    assert [box[0] for box in boxes] == [
        'Success',
        'Precision',
        'Normalised precision',
        'Success over speed',
    ]
    for _, width, height, outer, lines, inside in boxes:
        assert 200 < width <= outer and height > 100 and lines >= 2 and inside


@pytest.mark.parametrize('width', [1280, 400])
def test_the_page_is_no_wider_than_the_window(shown, browser, width):
    shown(('a tracker with a rather long name', EVIL), width=width)
    assert browser.run('return document.documentElement.scrollWidth <= window.innerWidth')
    assert browser.run('return window.innerWidth') <= width


def test_clicks_sort_the_worst_first_and_by_name(shown, browser):
    report = shown(sequences=12)
    assert column(browser, '.rows', 0) == list(report.sequences)
    head = '.rows thead th:nth-child({}) button'
    browser.click(head.format(3))  # the mean
    values = [float(text) for text in column(browser, '.rows', 2)]
    assert values == sorted(values) and len(set(values)) > 5
    assert sorted_columns(browser, '.rows')[:4] == ['none', 'none', 'ascending', 'none']
    browser.click(head.format(4))
    expected = sorted(float(f'{row.values["success"]:.3f}') for row in report.trackers[0].rows)
    assert [float(text) for text in column(browser, '.rows', 3)] == expected
    browser.click(head.format(4))
    values = [float(text) for text in column(browser, '.rows', 3)]
    assert values == sorted(values, reverse=True)
    browser.click(head.format(1))
    # sequence 2 before sequence 10
    assert column(browser, '.rows', 0) == [f'sequence {i}' for i in range(12)]
    assert sorted_columns(browser, '.rows')[:3] == ['ascending', 'none', 'none']


def test_keys_sort_the_results_and_what_has_no_value_stays_last(shown, browser):
    report = shown()
    place = [metric.key for metric in report.metrics].index('precision') + 2
    head = f'{RESULTS} thead th:nth-child({place}) button'
    for key, reverse in (('\ue007', True), (' ', False)):  # enter, space
        browser.type(head, key)
        texts = [text.split()[0] if text else '' for text in column(browser, RESULTS, place - 1)]
        known = [float(text) for text in texts if text]
        assert known == sorted(known, reverse=reverse)
        assert texts[len(known) :] == [''] * (len(texts) - len(known)) and len(known) < len(texts)
    said = browser.run('return document.getElementById("said").textContent')
    assert said == 'sorted by Precision, ascending'


def test_metric_and_name_choose_what_is_shown(shown, browser):
    report = shown(('one', 'two'))
    rows = {row.sequence: row.values for row in report.trackers[0].rows}
    assert column(browser, '.rows', 3) == [f'{rows[name]["success"]:.3f}' for name in report.sequences]
    browser.type('[aria-labelledby=sequences] select', 'Prec')
    assert set(column(browser, '.rows', 3)) == {''}  # success is hidden
    assert column(browser, '.rows', 6) == [f'{rows[name]["precision"]:.3f}' for name in report.sequences]
    assert set(column(browser, '.shades', 1)) != {''}  # the other table has its own choice
    browser.type('[aria-labelledby=attributes] select', 'Prec')
    assert column(browser, '.shades', 4) == [f'{each.values["precision"].value:.3f}' for each in report.ranked()]
    browser.type('#filter', 'ence 11')
    assert column(browser, '.rows', 0) == ['sequence 11']


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_a_plot_is_saved_with_its_legend_in_light_colours(shown, browser, scheme):
    shown(('one', 'two & <three>', 'gone'))
    browser.media('screen', scheme)
    browser.click('.legend button[data-t="2"]')
    saved, name = browser.run(
        'let name; HTMLAnchorElement.prototype.click = function () { name = this.download; };'
        'return new Promise((done) => {'
        ' URL.createObjectURL = (blob) => { blob.text().then((text) => done([text, name])); return "#"; };'
        ' document.querySelector("#attributes ~ details .save").click(); })'
    )
    assert name == 'deformation_8_success.svg'
    root = xml.etree.ElementTree.fromstring(saved)
    space = '{' + root.tag[1:].split('}')[0] + '}'
    assert root.tag == f'{space}svg'
    words = [text.text for text in root.iter(f'{space}text')]
    assert 'Deformation (8): success' in words and 'one' in words and 'two & <three>' in words and 'gone' not in words
    assert len({group.get('data-t') for group in root.iter(f'{space}g')}) == 2
    lines = [path for path in root.iter(f'{space}path') if path.get('class') == 'line']
    assert len(lines) == 4 and {line.get('stroke') for line in lines} == {'rgb(0, 79, 143)', 'rgb(213, 94, 0)'}
    assert root[0].get('fill') == 'rgb(255, 255, 255)' and 'var(' not in saved
    assert not browser.run('return document.documentElement.classList.contains("light")')


def test_a_legend_takes_its_tracker_out_of_every_plot(shown, browser):
    shown()
    marks = 'return [...document.querySelectorAll("figure > svg [data-t=\'1\']")]'
    count = f'{marks}.filter((g) => g.getClientRects().length).length'
    before = browser.run(count)
    assert before >= 5
    browser.click('.legend button[data-t="1"]')
    assert browser.run(count) == 0
    pressed = 'return [...document.querySelectorAll(".legend [data-t=\'1\']")].map((each) => each.ariaPressed)'
    assert set(browser.run(pressed)) == {'false'}
    browser.click('.legend button[data-t="1"]')
    assert browser.run(count) == before


def test_names_are_text_and_run_nothing(shown, browser):
    shown((EVIL, '"><img src=x onerror=alert(1)>'))
    assert browser.run('return document.title') == 'OTB-2015: tracking results'
    assert browser.run('return [document.scripts.length, document.images.length]') == [1, 0]
    assert EVIL in column(browser, RESULTS, 0)


def test_dark_and_print_have_their_own_colours(shown, browser):
    shown()

    def colours():
        pixels = cv2.imdecode(np.frombuffer(browser.picture(), np.uint8), cv2.IMREAD_COLOR)
        ink = browser.run('return getComputedStyle(document.body).color')
        return pixels[5, 5].mean(), np.mean([int(part) for part in ink[4:-1].split(',')])

    browser.media('screen', 'dark')
    page, ink = colours()
    assert page < 40 and ink > 200
    for kind, scheme in (('screen', 'light'), ('print', 'dark')):
        browser.media(kind, scheme)
        page, ink = colours()
        assert page > 250 and ink < 60


def test_thousands_of_rows_sort(browser, make_report, tmp_path):
    report = make_report(('one', 'two', 'three'))
    names = tuple(f'sequence {i}' for i in range(3000))
    rng = np.random.default_rng(0)
    trackers = []
    for tracker in report.trackers:
        values = rng.uniform(0, 1, (3000, 3)).round(6).tolist()
        keys = [metric.key for metric in report.row_metrics]
        rows = [data.Row(name, 100, dict(zip(keys, row, strict=True))) for name, row in zip(names, values, strict=True)]
        trackers.append(dataclasses.replace(tracker, rows=tuple(rows)))
    report = dataclasses.replace(report, sequences=names, trackers=tuple(trackers))
    browser.open(output.write_report(report, tmp_path)['report.html'])
    browser.run('document.querySelector(".rows thead th:nth-child(4) button").click()')
    values = [float(text) for text in column(browser, '.rows', 3)]
    assert len(values) == 3000 and values == sorted(values)
    assert browser.console() == []
