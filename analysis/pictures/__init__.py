"""Pictures for papers: what happened in a run, and how arms compare.

Each function takes frames, then what of them is asked for, then the axes that it draws on, and
returns the axes; further options have names. Where frames are of one population, they are a run
with one only: ``run`` itself, or ``run.of(arm, seed)``.

===============================  ===============================================================
`learning_curves(bands, ax)`     the score of each arm over env steps, with its interval
`performance_profiles(...)`      how often each arm's returns are above a threshold
`scores(run, ax)`                members of a population, boundary by boundary
`lineage_tree(run, ax)`          who copied whom, and where the best member comes from
`ribbon(run, knob, ax)`          how members' distributions of a knob evolve
`coverage(run, ax)`              the share of the legal ranges that members draw from
`coverage_by_arm(run, ax)`       the same for the populations of all arms
`hyperparameters(...)`           what the population searched
`generalisation_map(...)`        returns over two knobs, level by level
`level_heat_map(scores, ax)`     returns by level and member, arm, seed or iteration
`time_spent(seconds, ax)`        where the time went
===============================  ===============================================================

`overview` puts a run on one page, `picture` gives each of the above for a whole run, `save`
writes figures. Colours mean the same everywhere and suit colour-blind readers; in a ``with
style():`` block one's own figures get sizes fit for print. No function touches pyplot or
matplotlib's settings.
"""

from __future__ import annotations

from analysis.pictures.covered import coverage, coverage_by_arm
from analysis.pictures.curves import learning_curves, performance_profiles
from analysis.pictures.durations import time_spent
from analysis.pictures.gallery import NAMES, picture
from analysis.pictures.generalisation import generalisation_map
from analysis.pictures.levels import level_heat_map
from analysis.pictures.lineage import lineage_tree
from analysis.pictures.member_scores import scores
from analysis.pictures.overview import overview
from analysis.pictures.ribbons import ribbon
from analysis.pictures.schedules import hyperparameters
from analysis.pictures.style import DPI, save, style

__all__ = [
    "DPI",
    "NAMES",
    "coverage",
    "coverage_by_arm",
    "generalisation_map",
    "hyperparameters",
    "learning_curves",
    "level_heat_map",
    "lineage_tree",
    "overview",
    "performance_profiles",
    "picture",
    "ribbon",
    "save",
    "scores",
    "style",
    "time_spent",
]
