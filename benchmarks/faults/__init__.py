"""How stock Ray loses or corrupts models, run for real: ``python -m benchmarks.faults``."""
