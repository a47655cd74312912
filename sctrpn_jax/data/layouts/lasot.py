"""LaSOT as published: `<class>/<class-N>/img/00000001.jpg`, `groundtruth.txt`, `full_occlusion.txt`, `out_of_view.txt`.

Boxes are x,y,w,h counted from 1 (HengLan/LaSOT_Evaluation_Toolkit, issue 14). The two flag files hold 0 or 1 per frame
on one line; where either is 1 the box means nothing (issue 19 there) and is left out. 70 classes of 20 sequences; four
of each are the test split (280; `sequence_evaluation_config/testing_set.txt` there), all others are for training.
`testing_set.txt` and `training_set.txt`, where they lie in the root, name the sequences instead; the folders of the
sequences may lie in the root themselves. `nlp.txt` is not read. The extension subset (IJCV 2021) has the same layout in
a folder of its own: ten sequences in each of 15 more classes, all for testing.
"""

import os
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from sctrpn_jax.data.layouts import clip, listing, rows

_PER_CLASS = 20
_TEST = """
airplane 1 9 13 15, basketball 1 6 7 11, bear 2 4 6 17, bicycle 2 7 9 18, bird 2 3 15 17, boat 3 4 12 17,
book 3 10 11 19, bottle 1 12 14 18, bus 2 5 17 19, car 2 6 9 17, cat 1 3 18 20, cattle 2 7 12 13,
chameleon 3 6 11 20, coin 3 6 7 18, crab 3 6 12 18, crocodile 3 4 10 14, cup 1 4 7 17, deer 4 8 10 14,
dog 1 7 15 19, drone 2 7 13 15, electricfan 1 10 18 20, elephant 1 12 16 18, flag 2 3 5 9, fox 2 3 5 20,
frog 3 4 9 20, gametarget 1 2 7 13, gecko 1 5 16 19, giraffe 2 10 13 15, goldfish 3 7 8 10, gorilla 4 6 9 13,
guitar 3 8 10 16, hand 2 3 9 16, hat 1 2 5 18, helmet 5 11 13 19, hippo 1 7 9 20, horse 1 4 12 15,
kangaroo 2 5 11 14, kite 4 6 10 15, leopard 1 7 16 20, licenseplate 6 12 13 15, lion 1 5 12 20, lizard 1 3 6 13,
microphone 2 6 14 16, monkey 3 4 9 17, motorcycle 1 3 9 18, mouse 1 8 9 17, person 1 5 10 12, pig 2 10 13 18,
pool 3 7 12 15, rabbit 10 13 17 19, racing 10 15 16 20, robot 1 5 8 19, rubicCube 1 6 14 19, sepia 6 8 13 16,
shark 2 3 5 6, sheep 3 5 7 9, skateboard 3 8 16 19, spider 14 16 18 20, squirrel 8 11 13 19, surfboard 4 5 8 12,
swing 10 14 17 20, tank 6 9 14 16, tiger 4 6 12 18, train 1 7 11 20, truck 3 6 7 16, turtle 5 8 9 16,
umbrella 2 9 17 19, volleyball 1 13 18 19, yoyo 7 15 17 19, zebra 10 14 16 17
"""
_EXTENSION = """
atv badminton cosplay dancingshoe footbag frisbee jianzi lantern misc opossum paddle raccoon rhino skatingshoe wingsuit
"""
_PER_EXTENSION_CLASS = 10
_FILES = {'train': 'training_set.txt', 'test': 'testing_set.txt', 'extension': None}


def official_names(split: str) -> list[str]:
    """The 1,120 names of the train split, 280 of the test split or 150 of the extension, by class and number."""
    if split == 'extension':
        return [f'{name}-{number + 1}' for name in _EXTENSION.split() for number in range(_PER_EXTENSION_CLASS)]
    names = []
    for line in _TEST.split(','):
        category, *numbers = line.split()
        every = [str(number) for number in range(1, _PER_CLASS + 1)]
        chosen = numbers if split == 'test' else [number for number in every if number not in numbers]
        names += [f'{category}-{number}' for number in chosen]
    return names


class Lasot:
    """One clip per sequence, those of the split that are there; the category is the class."""

    splits: ClassVar[tuple[str, ...]] = ('train', 'test', 'extension')
    clips_per_shard: ClassVar[int] = 1

    def __init__(self, root: str | os.PathLike, split: str):
        listing.check_split(split, self.splits)
        file = os.path.join(root, _FILES[split] or '')
        names, refused = listing.read_names(file) if os.path.isfile(file) else (official_names(split), [])
        folders = _sequence_folders(root, refused)
        self._folders = {name: folders[name] for name in names if name in folders}
        if not self._folders:
            expected = os.path.join(root, '<class>', '<class-N>', 'groundtruth.txt')
            raise ValueError(f'no LaSOT sequences of the {split} split; expected {expected}')
        missing = [name for name in names if name not in folders]
        if missing:
            named = ', '.join(missing[:5]) + (', ...' if len(missing) > 5 else '')
            refused.append(f'{os.fspath(root)}: {len(missing)} of the {len(names)} {split} sequences missing: {named}')
        self.refused: Sequence[str] = refused

    def keys(self) -> Sequence[str]:
        """Names of the sequences, in the order of the list."""
        return list(self._folders)

    def read(self, key: str) -> clip.Clip:
        """The clip of a sequence; ValueError, naming the file, where nothing of it can be used."""
        folder = self._folders[key]
        images = listing.numbered_images(os.path.join(folder, 'img'))
        found = rows.read_rows(os.path.join(folder, 'groundtruth.txt'))
        tags = {}
        for name in ('full_occlusion', 'out_of_view'):
            tags[name], found = rows.read_flags(os.path.join(folder, f'{name}.txt'), found)
        absent = np.any([flags > 0 for flags in tags.values()], axis=0)
        boxes = np.where(absent[:, None], np.nan, rows.to_boxes(found.values, origin=1))
        visible = np.where(absent, 0, np.nan)
        return rows.one_target_clip(
            key, images, found, 1, boxes, category=key.rpartition('-')[0], visible=visible, tags=tags
        )


def _sequence_folders(root: str | os.PathLike, refused: list[str]) -> dict[str, str]:
    """Name -> folder of every sequence below the root: folders with a dash in their name."""
    found: dict[str, str] = {}
    for name in listing.names_in(root, folders=True):
        folder = os.path.join(root, name)
        inner = [] if '-' in name else listing.names_in(folder, folders=True)
        for path in [folder] if '-' in name else [os.path.join(folder, each) for each in inner if '-' in each]:
            first = found.setdefault(os.path.basename(path), path)
            if first != path:
                refused.append(f'{path}: {first} is a sequence of that name')
    return found
