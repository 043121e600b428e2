"""What to run: the experiment file, wiring, the command line, built-in envs."""
