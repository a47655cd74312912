"""TempleColor-128: 128 colour sequences, of which 50 are OTB's (Liang, Blasch, Ling, TIP 2015)."""

from sctrpn_jax.data.benchmarks import record

BENCHMARK = record.Benchmark(
    name='tcolor128',
    layout='tcolor128',
    splits={'128': record.Split('TempleColor-128', 128, layout_split='test')},
    origin=1,
)
