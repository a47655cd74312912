"""VOT's short-term challenges of 2016 to 2019, each with its own sequences and its own lengths for EAO.

The lengths (frames, first and last included) are those of STVIR/pysot, `eao_benchmark.py`. 2017 and 2018 have the same
sequences. Where a folder holds sequences of several years, the year that has all of them is found by their names.
"""

from sctrpn_jax.data.benchmarks import record
from sctrpn_jax.data.benchmarks.published import DASIAMRPN, GTX, PYSOT, PYTRACKING, ROAD_TRIP, SCTRPN, vot_results

_VOT_2016 = tuple(
    """
    bag ball1 ball2 basketball birds1 birds2 blanket bmx bolt1 bolt2 book butterfly car1 car2 crossing dinosaur
    fernando fish1 fish2 fish3 fish4 girl glove godfather graduate gymnastics1 gymnastics2 gymnastics3 gymnastics4 hand
    handball1 handball2 helicopter iceskater1 iceskater2 leaves marching matrix motocross1 motocross2 nature octopus
    pedestrian1 pedestrian2 rabbit racing road shaking sheep singer1 singer2 singer3 soccer1 soccer2 soldier sphere
    tiger traffic tunnel wiper
    """.split()
)
_VOT_2018 = tuple(
    """
    ants1 ants3 bag ball1 ball2 basketball birds1 blanket bmx bolt1 bolt2 book butterfly car1 conduction1 crabs1
    crossing dinosaur drone_across drone_flip drone1 fernando fish1 fish2 fish3 flamingo1 frisbee girl glove godfather
    graduate gymnastics1 gymnastics2 gymnastics3 hand handball1 handball2 helicopter iceskater1 iceskater2 leaves matrix
    motocross1 motocross2 nature pedestrian1 rabbit racing road shaking sheep singer2 singer3 soccer1 soccer2 soldier
    tiger traffic wiper zebrafish1
    """.split()
)
_VOT_2019 = tuple(
    """
    agility ants1 ball2 ball3 basketball birds1 bolt1 book butterfly car1 conduction1 crabs1 dinosaur dribble
    drone_across drone_flip drone1 fernando fish1 fish2 flamingo1 frisbee girl glove godfather graduate gymnastics1
    gymnastics2 gymnastics3 hand hand2 handball1 handball2 helicopter iceskater1 iceskater2 lamb leaves marathon matrix
    monkey motocross1 nature pedestrian1 polo rabbit rabbit2 road rowing shaking singer2 singer3 soccer1 soccer2 soldier
    surfing tiger wheel wiper zebrafish1
    """.split()
)
_TABLE_1, _TABLE_3 = f'{SCTRPN}, Table 1', f'{SCTRPN}, Table 3'
_PUBLISHED_2018 = (
    vot_results('SCTRPN', _TABLE_3, 0.395, 0.583, 0.243, 0.478, fps=22.0, hardware=GTX),
    vot_results('SCTRPN without STN', _TABLE_3, 0.381, 0.564, 0.269, 0.453),
    vot_results('SCTRPN, 3 stages', _TABLE_1, 0.361, 0.577, failures=0.97, fps=22.0, hardware=GTX),
    vot_results('SCTRPN, 2 stages', _TABLE_1, 0.352, 0.565, failures=1.02, fps=30.0, hardware=GTX),
    vot_results('SCTRPN, 1 stage', _TABLE_1, 0.321, 0.523, failures=1.23, fps=45.0, hardware=GTX),
    vot_results('SCTRPN without STN, 3 stages', _TABLE_1, 0.349, 0.566, failures=1.04, fps=25.0, hardware=GTX),
    vot_results('SCTRPN without STN, 2 stages', _TABLE_1, 0.342, 0.538, failures=1.19, fps=36.0, hardware=GTX),
    vot_results('SCTRPN without STN, 1 stage', _TABLE_1, 0.314, 0.508, failures=1.34, fps=54.0, hardware=GTX),
    vot_results('MFT', _TABLE_3, 0.385, 0.525, 0.140, 0.393),
    vot_results('LADCF', _TABLE_3, 0.389, 0.503, 0.159, 0.421),
    vot_results('DRT', _TABLE_3, 0.357, 0.519, 0.201, 0.426),
    # The paper's "SiamRPN" has the numbers of the VOT2018 entry by DaSiamRPN's authors: their raw files give them.
    vot_results('SiamRPN (VOT2018 entry)', _TABLE_3, 0.382, 0.586, 0.276, 0.462),
    vot_results('DaSiamRPN', _TABLE_3, 0.327, 0.569, 0.323, 0.439),
    vot_results('SiamRPN (CVPR 2018)', DASIAMRPN, 0.244, 0.49, 0.46),
    vot_results('DaSiamRPN (ECCV 2018)', DASIAMRPN, 0.326, 0.56, 0.34),
    vot_results('C-RPN', f'{ROAD_TRIP}, VOT2017', 0.289, fps=36.0),
    vot_results('SiamRPN++ (AlexNet)', PYSOT, 0.352, 0.576, 0.290, fps=180.0, hardware=GTX),
    vot_results('SiamRPN++ (ResNet-50)', PYSOT, 0.415, 0.601, 0.234, fps=35.0, hardware=GTX),
    vot_results('ATOM', PYTRACKING, 0.401),
)

BENCHMARK = record.Benchmark(
    name='vot',
    layout='vot2018',
    splits={
        '2018': record.Split('VOT-2018', 60, _VOT_2018, 'test', (100, 356), _PUBLISHED_2018),
        '2017': record.Split('VOT-2017', 60, _VOT_2018, 'test', (100, 356), _PUBLISHED_2018),
        '2016': record.Split('VOT-2016', 60, _VOT_2016, 'test', (108, 371)),
        '2019': record.Split('VOT-2019', 60, _VOT_2019, 'test', (46, 291)),
    },
    origin=0,
    metrics='vot',
    convention='vot2018',
    protocols=('one_pass', 'reset', 'no_reset'),
)
