"""How fast envolve does what stock Ray does too, side by side: ``python -m benchmarks``."""
