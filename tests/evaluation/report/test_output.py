"""Files of a report: all there, whole, and the same but for the times."""

import csv
import dataclasses
import io

import pytest

from sctrpn_jax.evaluation.report import data, output

FILES = ['report.json', 'report.csv', 'sequences.csv', 'attributes.csv', 'report.md', 'report.html']


def test_all_files_and_nothing_else_and_the_same_twice(make_report, tmp_path):
    paths = output.write_report(make_report(), tmp_path / 'new' / 'folder')
    assert list(paths) == FILES
    assert sorted(path.name for path in (tmp_path / 'new' / 'folder').iterdir()) == sorted(FILES)
    before = {name: path.read_bytes() for name, path in paths.items()}
    output.write_report(make_report(), tmp_path / 'new' / 'folder')
    assert {name: path.read_bytes() for name, path in paths.items()} == before
    assert all(b'\r' not in content for content in before.values())


def test_other_times_change_fields_of_their_own_alone(make_report, tmp_path):
    slow, fast = (output.write_report(make_report(fps=fps), tmp_path / str(fps)) for fps in (20.0, 90.0))

    def timeless(report):
        trackers = tuple(dataclasses.replace(tracker, timing=data.Timing()) for tracker in report.trackers)
        return dataclasses.replace(report, trackers=trackers)

    one, two = (output.read_report(paths['report.json']) for paths in (slow, fast))
    assert one != two and timeless(one) == timeless(two)
    for name, column in (('report.csv', 'fps'), ('sequences.csv', 'fps')):
        tables = []
        for paths in (slow, fast):
            rows = list(csv.DictReader(io.StringIO(paths[name].read_text())))
            tables.append([{key: value for key, value in row.items() if key != column} for row in rows])
        assert tables[0] == tables[1]
    assert slow['attributes.csv'].read_bytes() == fast['attributes.csv'].read_bytes()


def test_names_that_are_no_text_are_shown(make_report, tmp_path):
    report = make_report(('a\udcff', 'b'))
    paths = output.write_report(report, tmp_path)
    assert output.read_report(paths['report.json']) == report
    assert 'a\\udcff' in paths['report.html'].read_text()
    output.write_report(report, tmp_path, {report.sequences[0]: 'worst/\udcff.jpg'})
    assert 'href="worst/%FF.jpg"' in paths['report.html'].read_text()


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / 'report.json'
    for content in (b'{', b'\xff', b'{"format": 9}'):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r'report\.json: '):
            output.read_report(path)
    with pytest.raises(OSError):
        output.read_report(tmp_path / 'none.json')


def test_a_curve_without_all_its_points_is_refused(make_report, tmp_path):
    path = output.write_report(make_report(), tmp_path)['report.json']
    report = output.read_report(path)
    key, values = next(iter(report.trackers[0].curves.items()))
    for change in ({'curves': {key: values[:-1]}}, {'curves': {'other': values}}, {'values': {}}):
        changed = dataclasses.replace(report, trackers=(dataclasses.replace(report.trackers[0], **change),))
        path.write_text(data.to_json(changed))
        with pytest.raises(ValueError, match=r"report\.json: curve '.*' of 'one': [0-9]+ points do not fit"):
            output.read_report(path)
    attribute = report.trackers[0].attributes['Occlusion']
    short = dataclasses.replace(attribute, curves={key: values[:-1]})
    changed = dataclasses.replace(report.trackers[0], attributes={'Occlusion': short})
    path.write_text(data.to_json(dataclasses.replace(report, trackers=(changed,))))
    with pytest.raises(ValueError, match=r"curve 'success' of 'one': 20 points do not fit"):
        output.read_report(path)
    path.write_text('{"format": 2, "more": ' + '[' * 900 + ']' * 900 + '}')
    with pytest.raises(ValueError, match=r'report\.json: nested too deeply'):
        output.read_report(path)
