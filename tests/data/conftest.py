"""A small data root that several tests draw pairs from."""

import cv2
import numpy as np
import pytest


@pytest.fixture
def root(tmp_path):
    """Two small sources on disk: a video of five frames and three stills."""
    rng = np.random.default_rng(0)
    for name, lines in {
        'video': [f'img/{i}.png,v,{i},c,{20 + i},15,18,14' for i in range(5)],
        'stills': [f'img/{i}.png,s{i},0,c,{10 + i},12,20,22' for i in range(3)],
    }.items():
        (tmp_path / name / 'img').mkdir(parents=True)
        (tmp_path / name / 'boxes.csv').write_text('image,track,frame,class,x,y,w,h\n' + '\n'.join(lines) + '\n')
        for i in range(len(lines)):
            noise = cv2.resize(rng.integers(0, 256, (8, 10, 3), dtype=np.uint8), (80, 60))
            cv2.imwrite(str(tmp_path / name / 'img' / f'{i}.png'), noise)
    return tmp_path
