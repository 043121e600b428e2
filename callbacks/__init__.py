"""Hooks into Ray Tune: env mutation, retention of checkpoints, progress."""
