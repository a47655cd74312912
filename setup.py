"""Puts configs/ into the wheel, as sctrpn_jax/configs: pyproject.toml can find packages or list them, but not both."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=['sctrpn_jax*']),
        'sctrpn_jax.weights.networks',
        'sctrpn_jax.configs',
        'sctrpn_jax.configs.ablations',
    ],
    package_dir={'sctrpn_jax.configs': 'configs'},
    package_data={
        'sctrpn_jax': [
            'py.typed',
            'weights/networks/*',
            'evaluation/report/page.html',
            'evaluation/report/page.css',
            'evaluation/report/page.js',
        ]
    },
)
