"""Small trees in published layouts: empty images (no layout opens one) and text files."""

import pytest


@pytest.fixture(scope='session')
def touch():
    """touch(folder, numbers, pattern): images named by number."""

    def make(folder, numbers, pattern='%08d.jpg'):
        folder.mkdir(parents=True, exist_ok=True)
        for number in numbers:
            (folder / (pattern % number)).touch()

    return make


@pytest.fixture(scope='session')
def write():
    """write(path, lines): a text file of those lines, or of that text."""

    def make(path, lines):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lines if isinstance(lines, str) else '\n'.join(lines) + '\n')

    return make
