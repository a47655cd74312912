"""Every notebook runs from top to bottom, in whatever folder it is opened, and leaves nothing there."""

import pathlib

import nbclient
import nbformat
import pytest

NOTEBOOKS = sorted((pathlib.Path(__file__).parent.parent / 'notebooks').glob('*.ipynb'))


@pytest.mark.all
@pytest.mark.filterwarnings('default')  # of the kernel's own packages
@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, resources={'metadata': {'path': tmp_path}}).execute()
    assert list(tmp_path.iterdir()) == []
    code = [cell for cell in notebook.cells if cell.cell_type == 'code']
    drawing = [cell for cell in code if 'plt.subplots(' in cell.source]
    assert len(drawing) >= 4
    for cell in drawing:
        assert any('image/png' in output.get('data', {}) for output in cell.outputs), cell.source


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_has_no_outputs(path):
    code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == 'code']
    assert code and all(cell.outputs == [] and cell.execution_count is None for cell in code)
