"""Writes reference.safetensors: one tensor of each kind, by the format's own Python package.

python reference.py        (safetensors 0.8.0, numpy 2.4.6)
"""
import numpy
from safetensors.numpy import save_file

save_file(
    {
        "a": numpy.array([[1.5, -2.0, 3.25]], dtype=numpy.float32),
        "b": numpy.array([0.1, 1e300], dtype=numpy.float64),
        "h": numpy.array([1.0, -0.5, 65504, 6e-8], dtype=numpy.float16),
        "i": numpy.array([-1, 2**40], dtype=numpy.int64),
        "j": numpy.array([[-7], [8]], dtype=numpy.int32),
        "m": numpy.array([True, False, True]),
        "none": numpy.zeros((0, 3), dtype=numpy.float32),
        "s": numpy.array([-300], dtype=numpy.int16),
        "scalar": numpy.array(2.5, dtype=numpy.float32),
        "u": numpy.array([200], dtype=numpy.uint8),
    },
    "reference.safetensors",
    metadata={"format": "np", "note": 'é "q"'},
)
