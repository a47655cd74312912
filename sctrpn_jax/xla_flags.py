"""Which library XLA runs a CPU's products and convolutions with; set when the package is imported, before JAX starts.

jaxlib 0.10 hands them to YNNPACK. For our convolutions that takes one and a half to three times as long as Eigen, which
XLA used before, and up to ten times as long for the gradients of their kernels.
"""

import importlib.metadata
import os

# A flag that XLA does not know ends the process, so it is set for the versions that it was tried with.
_TRIED = '0.10.'
# The list of what YNNPACK may take over: sums alone, since an empty list means the default one.
_NAME = '--xla_cpu_experimental_ynn_fusion_type'
EIGEN = f'{_NAME}=reduce'


def use_eigen() -> None:
    """Adds `EIGEN` to the environment variable `XLA_FLAGS`, unless it has a value for that flag already.

    JAX reads the variable when it first compiles something; later the call changes nothing.
    """
    flags = os.environ.get('XLA_FLAGS', '')
    if _NAME not in flags and importlib.metadata.version('jaxlib').startswith(_TRIED):
        os.environ['XLA_FLAGS'] = f'{flags} {EIGEN}'.strip()
