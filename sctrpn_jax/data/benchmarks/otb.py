"""OTB: the 51 targets of CVPR 2013, the 100 of PAMI 2015, and the 50 hard ones that the second paper chose of these.

The lists are those of got-10k/toolkit (`got10k/datasets/otb.py`), which follow the benchmark's own pages. Jogging and
Skating2 have two targets each, so 50 videos make 51 sequences in 2013, 49 make 50 in `50`, and 98 make 100 in 2015.
"""

from sctrpn_jax.data.benchmarks import record
from sctrpn_jax.data.benchmarks.published import (
    FOOLWOOD,
    GTX,
    PYSOT,
    PYTRACKING,
    ROAD_TRIP,
    overlap_results,
)

_OTB_2013 = tuple(
    """
    Basketball Bolt Boy Car4 CarDark CarScale Coke Couple Crossing David David2 David3 Deer Dog1 Doll Dudek FaceOcc1
    FaceOcc2 Fish FleetFace Football Football1 Freeman1 Freeman3 Freeman4 Girl Ironman Jogging-1 Jogging-2 Jumping
    Lemming Liquor Matrix Mhyang MotorRolling MountainBike Shaking Singer1 Singer2 Skating1 Skiing Soccer Subway Suv
    Sylvester Tiger1 Tiger2 Trellis Walking Walking2 Woman
    """.split()
)
_OTB_50 = tuple(
    """
    Basketball Biker Bird1 BlurBody BlurCar2 BlurFace BlurOwl Bolt Box Car1 Car4 CarDark CarScale ClifBar Couple Crowds
    David Deer Diving DragonBaby Dudek Football Freeman4 Girl Human3 Human4 Human6 Human9 Ironman Jump Jumping Liquor
    Matrix MotorRolling Panda RedTeam Shaking Singer2 Skating1 Skating2-1 Skating2-2 Skiing Soccer Surfer Sylvester
    Tiger2 Trellis Walking Walking2 Woman
    """.split()
)
_OTHERS = tuple(
    """
    Bird2 BlurCar1 BlurCar3 BlurCar4 Board Bolt2 Boy Car2 Car24 Coke Coupon Crossing Dancer Dancer2 David2 David3 Dog
    Dog1 Doll FaceOcc1 FaceOcc2 Fish FleetFace Football1 Freeman1 Freeman3 Girl2 Gym Human2 Human5 Human7 Human8
    Jogging-1 Jogging-2 KiteSurf Lemming Man Mhyang MountainBike Rubik Singer1 Skater Skater2 Subway Suv Tiger1 Toy
    Trans Twinnings Vase
    """.split()
)

BENCHMARK = record.Benchmark(
    name='otb',
    layout='otb2015',
    splits={
        '2015': record.Split(
            'OTB-2015',
            100,
            tuple(sorted(_OTB_50 + _OTHERS)),
            'test',
            # SCTRPN's own are in a plot (Figure 7) only.
            published=(
                overlap_results('SiamRPN', ROAD_TRIP, 0.637, 0.851, fps=160.0),
                overlap_results('DaSiamRPN', ROAD_TRIP, 0.658, 0.880, fps=160.0),
                overlap_results('C-RPN', ROAD_TRIP, 0.663, fps=36.0),
                overlap_results('SiamRPN++ (AlexNet)', PYSOT, 0.666, 0.876, fps=180.0, hardware=GTX),
                overlap_results('SiamRPN++ (ResNet-50)', PYSOT, 0.696, 0.914, fps=35.0, hardware=GTX),
                overlap_results('ATOM', PYTRACKING, 0.663),
                overlap_results('ECO', FOOLWOOD, 0.694, 0.910, fps=6.0),
                overlap_results('SiamFC', ROAD_TRIP, 0.58, 0.77, fps=65.0),
                overlap_results('SRDCF', FOOLWOOD, 0.598, 0.789, fps=5.0),
                overlap_results('KCF', FOOLWOOD, 0.477, 0.693, fps=172.0),
            ),
        ),
        '2013': record.Split('OTB-2013', 51, _OTB_2013, 'test'),
        '50': record.Split('OTB-50', 50, _OTB_50, 'test'),
    },
    origin=1,
    # jwlim/tracker_benchmark, data/attr_desc.txt.
    attributes={
        'IV': 'Illumination Variation',
        'SV': 'Scale Variation',
        'OCC': 'Occlusion',
        'DEF': 'Deformation',
        'MB': 'Motion Blur',
        'FM': 'Fast Motion',
        'IPR': 'In-Plane Rotation',
        'OPR': 'Out-of-Plane Rotation',
        'OV': 'Out-of-View',
        'BC': 'Background Clutters',
        'LR': 'Low Resolution',
    },
)
