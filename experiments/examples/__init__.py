"""Envs as a user would write them, for the experiment files beside this folder."""
