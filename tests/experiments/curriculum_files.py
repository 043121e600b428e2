"""Experiment files of runs with the curricula that a real run has to show: each as small as it can
be and still move, copy and search.
"""

from __future__ import annotations

LAST = 6
"""Iterations of each member."""

_POLE = """\
envolve: 1
name: {name}
env:
  id: CartPole
  knobs:
    gravity: {{low: 5.0, high: 20.0}}
    length: {{low: 0.25, high: 2.0, scale: log, start: {{low: 0.5, high: 1.0}}}}
{env}algorithm:
  training: {{lr: 0.001, train_batch_size_per_learner: 256, minibatch_size: 64, num_epochs: 2}}
  env_runners: {{num_envs_per_env_runner: 8}}
  rl_module: {{model_config: {{fcnet_hiddens: [16]}}}}
{search}evaluation: {{levels: 4, test_levels: 3, max_steps: 60}}
checkpoint: {{keep_best: 2}}
stop: {{iterations: 6}}
resources: {{cpus_per_member: 0.5}}
population: {{size: 2, interval: 2, exploit: {{kind: truncation, fraction: 0.5}}}}
"""

ACCEL = (
    _POLE.format(
        name="accel",
        env="",
        search="  search: {lr: {low: 1.0e-4, high: 3.0e-3, scale: log}}\n",
    )
    + """\
curriculum:
  kind: accel
  capacity: 24
  fill: 0.25
  edits: 1
  search:
    temperature: {low: 0.05, high: 1.0, scale: log}
"""
)
"""Members that each keep, replay and edit levels of their own, by parameters of their own."""

PAIRED = (
    _POLE.format(
        name="paired",
        env="  condition: [gravity]\n",
        search="  policy_search: {generator: {lr: {low: 1.0e-4, high: 3.0e-3, scale: log}}}\n",
    )
    + "curriculum: {kind: paired}\n"
)
"""Members with three policies, whose agents see the gravity that they are on."""

ARMS = (
    _POLE.format(
        name="arms",
        env="",
        search="  search: {lr: {low: 1.0e-4, high: 3.0e-3, scale: log}}\n",
    )
    + """\
arms:
  stages:
    curriculum:
      kind: stages
      stages:
        - name: light
          knobs: {gravity: {low: 5.0, high: 6.0}}
          until: {measure: iterations, above: 1}
        - name: heavy
          knobs: {gravity: {low: 15.0, high: 20.0}}
          until: {measure: score, above: 1}
        - name: all
  adr:
    curriculum: {kind: adr, above: 10, below: 5, queue: 2}
  alp_gmm:
    curriculum: {kind: alp_gmm, fit_every: 20, most_gaussians: 2}
  sfl:
    env: {success_above: 20}
    curriculum: {kind: sfl, candidates: 8, rollouts: 3, keep: 4, every: 3}
  regret:
    curriculum: {kind: population_regret, parts: 2}
    population:
      size: 4
      interval: 1
      exploit: {kind: tournament}
      explore: {kind: optuna}
      reference: true
"""
)
"""A population for each of the other kinds."""
