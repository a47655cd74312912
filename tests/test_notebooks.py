"""Every notebook runs from top to bottom."""

import pathlib

import nbclient
import nbformat
import pytest

NOTEBOOKS = sorted((pathlib.Path(__file__).parent.parent / 'notebooks').glob('*.ipynb'))


@pytest.mark.all
@pytest.mark.filterwarnings('default')  # of the kernel's own packages
@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path):
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, resources={'metadata': {'path': path.parent}}).execute()
    pictures = [o for cell in notebook.cells for o in cell.get('outputs', ()) if 'image/png' in o.get('data', {})]
    assert len(pictures) >= 5
