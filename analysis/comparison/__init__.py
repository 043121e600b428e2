"""Arms side by side: what their seeds scored, estimates with intervals, tests, and a verdict.

`analysis.comparison.comparing.compare` does all of it; `analysis.compare` is the same.
"""
