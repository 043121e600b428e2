"""Reads finished, running or killed runs: frames of what happened, and pictures of them."""

from __future__ import annotations

from analysis.frames import NotARun, Run, load

__all__ = ["NotARun", "Run", "load"]
