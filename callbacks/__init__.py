"""Hooks into Ray Tune: env mutation, retention of checkpoints, progress."""

import envolve

envolve.require("orchestrator", beside=__file__)
