"""A small published tree that the tests of prepared sets read: the project's folder format and a LaSOT piece."""

import cv2
import numpy as np
import pytest


def _noise(rng, height=60, width=80):
    return cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def stills(tmp_path):
    """Source folder of 600 one-image clips, so three parts: `img/N.jpg` with a target each, two in image 7."""
    root, rng = tmp_path / 'published', np.random.default_rng(0)
    (root / 'img').mkdir(parents=True)
    lines = ['image,track,frame,class,x,y,w,h']
    for i in range(600):
        if i < 20:
            cv2.imwrite(str(root / 'img' / f'{i}.jpg'), _noise(rng))
        else:
            (root / 'img' / f'{i}.jpg').write_bytes((root / 'img' / f'{i % 20}.jpg').read_bytes())
        lines.append(f'img/{i}.jpg,t{i},0,cat,{10 + i % 30},12.5,20,22')
    lines.append('img/7.jpg,other,0,dög,3,4,30,30')
    (root / 'boxes.csv').write_text('\n'.join(lines) + '\n', encoding='utf-8')
    return root


@pytest.fixture
def lasot(tmp_path):
    """LaSOT tree: cat-2 (training) and cat-20 (test), six frames each; hidden in frame 3, out of view in frame 5."""
    root, rng = tmp_path / 'LaSOT', np.random.default_rng(1)
    for name in ('cat-2', 'cat-20'):
        folder = root / 'cat' / name
        (folder / 'img').mkdir(parents=True)
        for i in range(1, 7):
            cv2.imwrite(str(folder / 'img' / f'{i:08d}.jpg'), _noise(rng))
        (folder / 'groundtruth.txt').write_text(''.join(f'{10 + i},11,20,{20 + i}\n' for i in range(1, 7)))
        (folder / 'full_occlusion.txt').write_text('0,0,1,0,0,0')
        (folder / 'out_of_view.txt').write_text('0,0,0,0,1,0')
    return root
