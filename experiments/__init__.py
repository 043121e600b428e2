"""What to run: the experiment file, wiring, the command line, built-in envs."""

import envolve

envolve.require("callbacks", "orchestrator", beside=__file__)
