"""Curricula side by side with real PPO, at equal cost and on the same levels."""
