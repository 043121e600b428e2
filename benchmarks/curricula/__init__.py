"""What curricula are good for, on cheap synthetic students: ``python -m benchmarks.curricula``."""
