"""Broken files, each with the line and the words of its answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from experiments.loading import parse_experiment
from experiments.problems import BadInput

GOOD = """\
envolve: 1
name: cartpole-robust
env:
  id: CartPole
  config: {}
  knobs:
    length: {low: 0.25, high: 2.0, scale: log}
    lanes: {low: 1, high: 5, integer: true}
    map: {choices: [small, large], start: [1, 2]}
    reward: {simplex: [speed, safety]}
  apply: auto
algorithm:
  name: PPO
  training: {lr: 0.001, minibatch_size: 256}
  env_runners: {num_envs_per_env_runner: 16}
  search: {lr: {low: 1e-4, high: 3e-3, scale: log}}
curriculum: {kind: population, widen: {above: 400}}
population:
  size: 4
  interval: 4
  mode: sync
  exploit: {kind: truncation, fraction: 0.25}
  explore: {kind: perturb}
evaluation: {levels: 16, aggregate: cvar, alpha: 0.25}
checkpoint: {keep_best: 3}
stop: {iterations: 40}
resources: {cpus_per_member: auto}
seeds: [0]
"""


@dataclass(frozen=True)
class Broken:
    """A good file with `old` replaced by `new`, and what the one problem has to say."""

    name: str
    old: str
    new: str
    line: int
    fragments: tuple[str, ...]


def b(name: str, old: str, new: str, line: int, *fragments: str) -> Broken:
    return Broken(name, old, new, line, fragments)


END = "seeds: [0]\n"
LENGTH = "{low: 0.25, high: 2.0, scale: log}"
LANES = "{low: 1, high: 5, integer: true}"
MAP = "{choices: [small, large], start: [1, 2]}"
REWARD = "{simplex: [speed, safety]}"
CURRICULUM = "{kind: population, widen: {above: 400}}"
TRAINING = "{lr: 0.001, minibatch_size: 256}"
RUNNERS = "{num_envs_per_env_runner: 16}"
SEARCH = "{low: 1e-4, high: 3e-3, scale: log}"


def stage(knobs: str) -> str:
    """A curriculum with a stage that draws knobs in another way."""
    return f"{{kind: stages, stages: [{{name: a, knobs: {{{knobs}}}}}]}}"


TABLE = [
    # The file itself
    b("version", "envolve: 1", "envolve: 2", 1, "envolve: must be 1", "got 2"),
    b("version is a text", "envolve: 1", "envolve: '1'", 1, "must be 1", 'got "1"'),
    b("version is true", "envolve: 1", "envolve: true", 1, "must be 1", "got true"),
    b("no version", "envolve: 1\n", "", 1, "envolve: must be given", "Write envolve: 1"),
    b("name with spaces", "cartpole-robust", "cart pole", 2, "name: must be", "example cart-pole"),
    b("name is a number", "cartpole-robust", "010", 2, "name: must be", "got 10"),
    b("name as a path", "cartpole-robust", "../x", 2, "name: must be", 'got "../x"'),
    b("unknown section", END, END + "populatoin: {}\n", 29, 'Did you mean "population"?'),
    b("no neighbour", END, END + "zzzzz: {}\n", 29, "must be one of envolve, name", "arms"),
    b("a list", GOOD, "- 1\n", 1, "must be a mapping that starts with envolve: 1", "a list"),
    b("empty", GOOD, "# nothing\n", 1, "must be a mapping", "an empty file"),
    b("one word", GOOD, "yes\n", 1, "must be a mapping", '"yes"'),
    # YAML
    b("tab", "  id: CartPole", "\tid: CartPole", 4, "valid YAML", "a tab", "Indent with spaces"),
    b("open brace", LENGTH, "{low: 0.25", 8, "never closed", "opened at 7:13"),
    b("given twice", "  size: 4", "  size: 4\n  size: 8", 20, "size: must be given once", "19:3"),
    b("given twice deep", "{keep_best: 3}", "{keep_best: 3, keep_best: 4}", 25, "given once"),
    b("number as key", "  config: {}", "  config: {1: x}", 5, "words as keys", 'quotes: "1"'),
    b("python tag", "  id: CartPole", "  id: !!python/name:os.system x", 4, "the tag !!python"),
    b("merge key", "  config: {}", "  config: {<<: {a: 1}}", 5, "merge keys", "arms"),
    b("two documents", END, END + "---\na: 1\n", 29, "a second document"),
    b("unknown alias", "  id: CartPole", "  id: *env", 4, "an anchor that does not exist"),
    # YAML 1.1's traps
    b("no is a text", "integer: true", "integer: no", 8, "true or false", 'got "no"',
      "Write false"),
    b("yes is a text", "integer: true", "integer: yes", 8, "true or false", "Write true"),
    b("time of day", "  interval: 4", "  interval: 12:30", 20, 'got "12:30"', "colon"),
    b("underscores", "iterations: 40", "iterations: 1_000", 26, 'got "1_000"', "Write 1000"),
    b("quoted number", "  size: 4", "  size: '4'", 19, 'got "4"', "Write 4 without quotes"),
    b("quoted float", "above: 400", "above: '1e-4'", 17, 'got "1e-4"', "without quotes"),
    b("float for whole", "  size: 4", "  size: 4.0", 19, "whole number", "Write 4"),
    b("true for whole", "  size: 4", "  size: true", 19, "whole number of at least 1", "got true"),
    b("octal of old", "[0]", "[010, 10]", 28, "seeds[1]: must be different", "got 10"),
    b("infinite", "above: 400", "above: .inf", 17, "must be a number", "got .inf"),
    b("not a number", "above: 400", "above: .nan", 17, "must be a number", "got .nan"),
    # env
    b("no id", "  id: CartPole\n", "", 3, "env.id: must be given", "CartPole"),
    b("empty id", "id: CartPole", "id: ''", 4, "env.id: must be a text that is not empty"),
    b("id is called name", "id: CartPole", "name: CartPole", 4, '"name" is env.id here'),
    b("env_config", "config: {}", "env_config: {}", 5, "env.config"),
    b("config is a list", "config: {}", "config: [1]", 5, "env.config: must be a mapping"),
    b("apply", "apply: auto", "apply: metod", 11, "env.apply: must be one of", '"method"'),
    b("condition on a word", "apply: auto", "condition: length", 11,
      "env.condition: must be a list of knobs' names", "Write [length]"),
    b("condition on no knob", "apply: auto", "condition: [lenght]", 11,
      "env.condition[0]: must be one of the knobs length, lanes", '"length"?'),
    b("condition twice", "apply: auto", "condition: [length, length]", 11,
      "env.condition[1]: must be different from the others"),
    b("observed context", "apply: auto", "observe: [length]", 11, 'called "condition" here'),
    b("success", "apply: auto", "success_above: often", 11, "success_above: must be a number"),
    b("success by another name", "apply: auto", "success_threshold: 400", 11,
      '"success_threshold" is called "success_above" here: success_above: 400'),
    b("min", LENGTH, "{min: 0.25, high: 2.0}", 7, '"min" is called "low" here: low: 0.25'),
    b("max", LENGTH, "{low: 0.25, max: 2.0}", 7, '"max" is called "high" here: high: 2.0'),
    b("values", MAP, "{values: [a, b]}", 9, '"values" is called "choices" here: choices: ["a"'),
    b("options", MAP, "{options: [a, b]}", 9, 'called "choices"'),
    b("categorical", MAP, "{categorical: [a, b]}", 9, 'called "choices"'),
    b("log: true", LENGTH, "{low: 0.25, high: 2, log: true}", 7, "scale: log"),
    b("distribution", LENGTH, "{low: 1, high: 2, distribution: loguniform}",
      7, "scale: log (loguni"),
    b("scale", LENGTH, "{low: 0.25, high: 2, scale: logarithmic}", 7, "must be linear or log"),
    b("no high", LENGTH, "{low: 0.25}", 7, "env.knobs.length.high: must be given"),
    b("low above high", LENGTH, "{low: 3, high: 2}", 7, "low: must be at most high (2)", "got 3"),
    b("log from zero", LENGTH, "{low: 0, high: 2, scale: log}", 7, "above 0 with scale: log"),
    b("knob is a number", LENGTH, "3", 7, "must be a mapping", "env.config"),
    b("knob is a list", LENGTH, "[1, 2]", 7, "must be a mapping", "{choices: [...]}"),
    b("start outside", LENGTH, "{low: 1, high: 2, start: {low: 1, high: 3}}", 7,
      "start.high: must lie in the knob's legal range, 1 to 2", "Nearest: 2"),
    b("start reversed", LENGTH, "{low: 1, high: 5, start: {low: 3, high: 2}}", 7,
      "start.low: must be at most start.high (2)"),
    b("start is a point", LENGTH, "{low: 1, high: 5, start: 3}", 7, "{low: 3, high: 3}"),
    b("default", LENGTH, "{low: 1, high: 5, default: 3}", 7, 'called "start"'),
    b("half an integer", LANES, "{low: 1, high: 5.5, integer: true}", 8, "high: must be a whole"),
    b("integer start", LANES, "{low: 1, high: 5, integer: true, start: {low: 1.5, high: 2}}", 8,
      "start.low: must be a whole number", "got 1.5"),
    b("type: int", LANES, "{low: 1, high: 5, type: int}", 8, "integer: true"),
    b("no choices", MAP, "{choices: []}", 9, "must be a list of at least one value"),
    b("choices twice", MAP, "{choices: [a, b, a]}", 9, "choices[2]: must be different", '"a"'),
    b("weights missing", MAP, "{choices: [a, b], start: [1]}", 9, "one weight per choice, 2"),
    b("weights of nothing", MAP, "{choices: [a, b], start: [0, 0]}", 9, "one weight above 0"),
    b("weight below zero", MAP, "{choices: [a, b], start: {weights: [1, -1]}}", 9,
      "start.weights[1]: must be a number of at least 0"),
    b("one term", REWARD, "{simplex: [speed]}", 10, "at least two names"),
    b("term misspelt", REWARD, "{simplex: [ab, cd, speed], start: {center: {ab: 1, cd: 1, sped: 1,"
      " speed: 1}}}", 10, "center.sped: must be one of", '"speed"'),
    b("term missing", REWARD, "{simplex: [speed, safety], start: {center: {speed: 1}}}", 10,
      "every term", "none for safety"),
    b("spread", REWARD, "{simplex: [a, b], start: {center: {a: 1, b: 1}, spread: 2}}", 10,
      "spread: must be a number from 0 to 1"),
    b("no cells", REWARD, "{cells: 0}", 10,
      "reward.cells: must be a whole number from 1 to 65536", "got 0"),
    b("a grid too large", REWARD, "{cells: 65537}", 10, "must be a whole number from 1 to 65536"),
    b("more cells than there are", REWARD, "{cells: 9, high: 10}", 10,
      "reward.high: must be at most cells (9), but got 10", "Nearest: 9"),
    b("fewest above all", REWARD, "{cells: 9, low: 10}", 10,
      "reward.low: must be at most cells (9)"),
    b("fewest above most", REWARD, "{cells: 9, low: 4, high: 3}", 10, "must be at most high (3)"),
    b("cells below zero", REWARD, "{cells: 9, low: -1}", 10, "low: must be a whole number of at"),
    b("half a cell", REWARD, "{cells: 9, high: 3.5}", 10, "high: must be a whole number", "3.5"),
    b("cells start outside", REWARD, "{cells: 9, high: 4, start: {low: 0, high: 5}}", 10,
      "start.high: must lie in the knob's legal range, 0 to 4", "Nearest: 4"),
    b("cells start beyond all", REWARD, "{cells: 9, start: {low: 0, high: 10}}", 10,
      "start.high: must lie in the knob's legal range, 0 to 9"),
    b("cells start reversed", REWARD, "{cells: 9, start: {low: 3, high: 2}}", 10,
      "start.low: must be at most start.high (2)"),
    b("cells start as a point", REWARD, "{cells: 9, start: 3}", 10, "{low: 3, high: 3}"),
    b("cells on a scale", REWARD, "{cells: 9, scale: log}", 10,
      "reward.scale: must be a key of env.knobs.reward", "one form only"),
    b("cells by another name", REWARD, "{multi_binary: 9}", 10, 'called "cells" here: cells: 9'),
    b("cells as a mask", REWARD, "{mask: [0, 1]}", 10, 'called "cells" here: cells: 121'),
    b("most cells by another name", REWARD, "{cells: 9, max: 3}", 10,
      'called "high" here: high: 3'),
    # algorithm
    b("lr at the top", END, END + "lr: 0.1\n", 29, "It goes to algorithm.training.lr"),
    b("lr in algorithm", "name: PPO", "lr: 0.1", 13, "It goes to algorithm.training.lr"),
    b("model", "name: PPO", "model: {x: 1}",
      13, '"model" is algorithm.rl_module.model_config here'),
    b("model in training", TRAINING, "{model: {fcnet_hiddens: [64]}}", 14,
      "algorithm.rl_module.model_config", '{"fcnet_hiddens": [64]}'),
    b("num_workers", "name: PPO", "num_workers: 2", 13, "algorithm.env_runners.num_env_runners"),
    b("num_workers at the top", END, END + "num_workers: 2\n", 29, "env_runners.num_env_runners"),
    b("num_workers in its section", RUNNERS, "{num_workers: 2}", 15, "env_runners.num_env_runners"),
    b("num_envs", RUNNERS, "{num_envs: 2}", 15, "num_envs_per_env_runner"),
    b("num_envs_per_worker", RUNNERS, "{num_envs_per_worker: 2}", 15, "num_envs_per_env_runner"),
    b("sgd_minibatch_size", TRAINING, "{sgd_minibatch_size: 2}",
      14, "training.minibatch_size here"),
    b("num_sgd_iter", TRAINING, "{num_sgd_iter: 2}", 14, "algorithm.training.num_epochs here"),
    b("num_sgd_iter searched", "{lr: " + SEARCH, "{num_sgd_iter: " + SEARCH, 16, "num_epochs"),
    b("train_batch_size", TRAINING, "{train_batch_size: 2}", 14, "train_batch_size_per_learner"),
    b("minibatch too large", TRAINING, "{minibatch_size: 9, train_batch_size_per_learner: 8}", 14,
      "minibatch_size: must be at most train_batch_size_per_learner (8)", "got 9"),
    b("resources of RLlib", "name: PPO", "resources: {}", 13, "resources: {cpus_per_member: 1}"),
    b("evaluation of RLlib", "name: PPO", "evaluation: {}", 13, "evaluation: {levels: 16}"),
    b("environment of RLlib", "name: PPO", "environment: {}", 13, "env: {id: CartPole}"),
    b("checkpointing", "name: PPO", "checkpointing: {}", 13, "checkpoint: {keep_best: 3}"),
    b("callbacks", "name: PPO", "callbacks: {}", 13, "cannot be set in this version"),
    b("seed of RLlib", "name: PPO", "debugging: {seed: 3}", 13, "seeds: [3]"),
    b("restarts", "name: PPO", "fault_tolerance: {restart_failed_env_runners: true}", 13,
      "restarts stay off"),
    b("training is a list", TRAINING, "[lr]", 14, "algorithm.training: must be a mapping"),
    b("search as a list", SEARCH, "[1, 2]", 16, "algorithm.search.lr: must be a mapping",
      "choices"),
    b("search with start", SEARCH, "{low: 1, high: 2, start: 1}", 16, "population.initial"),
    b("search of cells", SEARCH, "{cells: 9, low: 1, high: 4}", 16, "lr.cells: must be a key",
      "Only a knob of the env can be a set of cells"),
    b("search reversed", SEARCH, "{low: 2, high: 1}", 16, "low: must be at most high (1)"),
    b("policy search of a policy", SEARCH + "}", SEARCH + "}\n  policy_search: {generator: 3}", 17,
      "algorithm.policy_search.generator: must be a mapping"),
    b("policy search as a list", SEARCH + "}", SEARCH + "}\n  policy_search: {a: {lr: [1, 2]}}", 17,
      "algorithm.policy_search.a.lr: must be a mapping", "{choices: [...]}"),
    b("policy search reversed", SEARCH + "}",
      SEARCH + "}\n  policy_search: {a: {lr: {low: 2, high: 1}}}", 17,
      "algorithm.policy_search.a.lr.low: must be at most high (1)"),
    b("policy search with a minimum", SEARCH + "}",
      SEARCH + "}\n  policy_search: {a: {lr: {min: 1, high: 2}}}", 17, 'called "low" here: low: 1'),
    b("policy search in old words", SEARCH + "}",
      SEARCH + "}\n  policy_search: {a: {num_sgd_iter: {low: 1, high: 2}}}", 17,
      "algorithm.policy_search.a.num_sgd_iter", "algorithm.training.num_epochs here"),
    # curriculum
    b("curriculum as a word", "{kind: population, widen: {above: 400}}", "population", 17,
      "must be a mapping with a kind", "Write {kind: population}"),
    b("not yet", "kind: population", "kind: self_paced", 17,
      "curriculum.kind: must be fixed, domain_rand",
      '"self_paced" is not available in this version'),
    b("kind by another name", "kind: population", "kind: udr", 17,
      '"udr" is called "domain_randomization" here'),
    b("unknown kind", "kind: population", "kind: popluation", 17, 'Did you mean "population"?'),
    b("no kind", "kind: population, ", "", 17, "curriculum.kind: must be fixed", "nothing"),
    b("key of another kind", "kind: population", "kind: fixed", 17,
      'curriculum.widen: must be a key of curriculum, but got "widen"',
      "It is a key of kind: population"),
    b("key of several other kinds", CURRICULUM, "{kind: fixed, search: {}}", 17,
      "It is a key of kind: adr, alp_gmm, plr, plr_robust, accel or sfl"),
    b("no such key in any kind", CURRICULUM, "{kind: plr, zzz: 1}", 17,
      "curriculum.zzz: must be one of kind, search, score, capacity"),
    b("words of plr", CURRICULUM, "{kind: plr, rho: 0.1}", 17,
      '"rho" is called "staleness" here: staleness: 0.1'),
    b("words of accel", CURRICULUM, "{kind: accel, num_edits: 5}", 17,
      '"num_edits" is called "edit_steps" here: edit_steps: 5'),
    b("words of adr", CURRICULUM, "{kind: adr, t_high: 9, below: 1}", 17,
      '"t_high" is called "above" here: above: 9'),
    b("words of alp_gmm", CURRICULUM, "{kind: alp_gmm, fit_rate: 9}", 17,
      '"fit_rate" is called "fit_every" here: fit_every: 9'),
    b("words of a scenario", CURRICULUM, "{kind: paired, adversary_reward: regret}", 17,
      '"adversary_reward" is called "reward" here'),
    b("players of a scenario", CURRICULUM, "{kind: scenario, teams: 2}", 17,
      "paired and flexible_paired have two"),
    b("a word that means other things in other kinds", CURRICULUM, "{kind: sfl, buffer_size: 9}",
      17, '"buffer_size" is called "keep" here: keep: 9'),
    b("capacity in floats", CURRICULUM, "{kind: plr, capacity: 40.5}", 17,
      "curriculum.capacity: must be a whole number of at least 1"),
    b("score", CURRICULUM, "{kind: plr, score: max_mc}", 17,
      "curriculum.score: must be one of l1, pvl, maxmc and learnability", 'mean "maxmc"?'),
    b("temperature of zero", CURRICULUM, "{kind: plr, temperature: 0}", 17, "a number above 0"),
    b("adr without its thresholds", CURRICULUM, "{kind: adr, above: 9}", 17,
      "curriculum.below: must be given", "For example below: 100"),
    b("adr above any share", CURRICULUM, "{kind: adr, above: 9, below: 0, measure: success}", 17,
      "curriculum.above: must be above 0 and at most 1 for measure: success"),
    b("no stages", CURRICULUM, "{kind: stages, stages: []}", 17,
      "curriculum.stages: must be a list of at least one stage"),
    b("stages left out", CURRICULUM, "{kind: stages}", 17, "curriculum.stages: must be given"),
    b("tasks for stages", CURRICULUM, "{kind: stages, tasks: []}", 17, 'called "stages" here'),
    b("a stage that never ends", CURRICULUM, "{kind: stages, stages: [{name: a}, {name: b}]}", 17,
      "curriculum.stages[0].until: must be given for every stage before the last",
      "until: {measure: return, above: 400}"),
    b("a last stage that ends", CURRICULUM,
      "{kind: stages, stages: [{name: a, until: {measure: score, above: 1}}]}", 17,
      "curriculum.stages[0].until: must be left out of the last stage"),
    b("stages of one name", CURRICULUM,
      "{kind: stages, stages: [{name: a, until: {measure: score, above: 1}}, {name: a}]}", 17,
      "curriculum.stages[1].name: must be different from the others"),
    b("a stage's steps", CURRICULUM, "{kind: stages, stages: [{name: a, steps: 9}, {name: b}]}",
      17, '"steps" is called "until" here: until: {measure: env_steps, above: 9}'),
    b("a stage's measure", CURRICULUM,
      "{kind: stages, stages: [{name: a, until: {measure: reward, above: 1}}, {name: b}]}", 17,
      "curriculum.stages[0].until.measure: must be one of score, return, success"),
    b("more successes than episodes", CURRICULUM,
      "{kind: stages, stages: [{name: a, until: {measure: success, above: 2}}, {name: b}]}", 17,
      "curriculum.stages[0].until.above: must be above 0 and at most 1"),
    b("a stage of no steps", CURRICULUM,
      "{kind: stages, stages: [{name: a, until: {measure: iterations, above: 0}}, {name: b}]}",
      17, "curriculum.stages[0].until.above: must be above 0 for measure: iterations"),
    b("a stage's unknown knob", CURRICULUM, stage("lenght: {low: 1, high: 2}"), 17,
      "curriculum.stages[0].knobs.lenght: must be one of the knobs length, lanes", '"length"?'),
    b("a stage beyond what is legal", CURRICULUM, stage("length: {low: 1, high: 3}"), 17,
      "stages[0].knobs.length.high: must lie in the knob's legal range, 0.25 to 2.0",
      "Nearest: 2.0"),
    b("a stage reversed", CURRICULUM, stage("length: {low: 2, high: 1}"), 17,
      "stages[0].knobs.length.low: must be at most high (1)"),
    b("a stage's key misspelt", CURRICULUM, stage("length: {low: 1, high: 2, hihg: 3}"), 17,
      "stages[0].knobs.length.hihg: must be a key of curriculum.stages[0].knobs.length",
      '"high"?'),
    b("a stage's start", CURRICULUM, stage("length: {low: 1, high: 2, start: 1}"), 17,
      "A stage's range stands there itself"),
    b("a stage of half a lane", CURRICULUM, stage("lanes: {low: 1.5, high: 2}"), 17,
      "stages[0].knobs.lanes.low: must be a whole number, like the knob"),
    b("a stage's weights", CURRICULUM, stage("map: [1]"), 17,
      "stages[0].knobs.map: must hold one weight per choice, 2 of them"),
    b("a stage's weights of nothing", CURRICULUM, stage("map: {weights: [0, 0]}"), 17,
      "stages[0].knobs.map.weights: must hold at least one weight above 0"),
    b("a stage's range of choices", CURRICULUM, stage("map: {low: 1, high: 2}"), 17,
      "stages[0].knobs.map: must be written [1, 0, ...], a weight for each choice"),
    b("a stage's weights of a range", CURRICULUM, stage("length: [1, 2]"), 17,
      "stages[0].knobs.length: must be written {low: ..., high: ...}"),
    b("a stage's range of terms", CURRICULUM, stage("reward: {low: 0, high: 1}"), 17,
      "stages[0].knobs.reward: must be written {center: {term: weight, ...}}"),
    b("a stage's terms", CURRICULUM, stage("reward: {center: {speed: 1}}"), 17,
      "stages[0].knobs.reward.center: must give every term a weight", "none for safety"),
    b("searched parameter reversed", CURRICULUM,
      "{kind: plr, search: {staleness: {low: 1, high: 0}}}", 17,
      "curriculum.search.staleness.low: must be at most high (0)"),
    b("searched parameter as a list", CURRICULUM, "{kind: plr, search: {staleness: [0, 1]}}", 17,
      "curriculum.search.staleness: must be a mapping", "Write {choices: [...]}"),
    b("searched parameter with a minimum", CURRICULUM,
      "{kind: plr, search: {staleness: {min: 0, high: 1}}}", 17, '"min" is called "low" here'),
    b("widen at once", "{above: 400}", "400", 17, "widen: must be a mapping", "got 400"),
    b("widen by too much", "above: 400", "above: 400, by: 2", 17, "above 0 and of at most 1"),
    b("operator", "widen: {above: 400}", "operators: [shift, widn]", 17,
      "operators[1]: must be one of shift, widen", '"widen"'),
    b("no knobs", "  knobs:\n    length: " + LENGTH + "\n    lanes: " + LANES + "\n    map: " + MAP
      + "\n    reward: " + REWARD, "  knobs: {}", 6, "at least one knob for curriculum.kind"),
    # population
    b("size of zero", "size: 4", "size: 0", 19, "whole number of at least 1", "got 0"),
    b("size in words", "size: 4", "size: four", 19, "population.size: must be a whole", '"four"'),
    b("size as a list", "size: 4", "size: [2, 4]", 19, "write {grid: [...]}"),
    b("alone", "size: 4", "size: 1", 19, "must be at least 2 for curriculum.kind: population",
      "which compares members"),
    b("regret alone", f"{CURRICULUM}\npopulation:\n  size: 4",
      "{kind: population_regret}\npopulation:\n  size: 1", 19,
      "must be at least 2 for curriculum.kind: population_regret"),
    b("a reference alone", f"{CURRICULUM}\npopulation:\n  size: 4",
      "{kind: fixed}\npopulation:\n  reference: true\n  size: 1", 20,
      "population.size: must be at least 2 with population.reference: true"),
    b("reference", "mode: sync", "reference: 3", 21, "population.reference: must be true or false"),
    b("a baseline", "mode: sync", "baseline: true", 21, 'called "reference" here'),
    b("interval too long", "interval: 4", "interval: 41", 20,
      "must be at most stop.iterations (40)", "got 41"),
    b("too short for the interval", "interval: 4\n", "interval: 50\n", 20, "no boundary"),
    b("mode", "mode: sync", "mode: synchronous", 21, "must be sync or async", '"sync"'),
    b("population_size", "  size: 4", "  population_size: 4", 19, "population.size here"),
    b("num_samples", END, END + "num_samples: 4\n", 29, "population.size"),
    b("perturbation_interval", "  interval: 4", "  perturbation_interval: 4",
      20, "population.interv"),
    b("metric", "  mode: sync", "  metric: reward", 21, "score of the select suite"),
    b("scheduler", END, END + "scheduler: pbt\n", 29, "envolve's own"),
    b("quantile_fraction", "  mode: sync", "  quantile_fraction: 0.2",
      21, "population.exploit.frac"),
    b("fraction", "fraction: 0.25", "fraction: 0.75", 22, "above 0 and of at most 0.5", "got 0.75"),
    b("exploit", "kind: truncation", "kind: ttest", 22, "must be truncation, tournament or none",
      "is not available in this version"),
    b("exploit by another name", "kind: truncation", "kind: binary_tournament", 22,
      '"binary_tournament" is called "tournament" here'),
    b("key of another exploit", "kind: truncation", "kind: tournament", 22,
      'population.exploit.fraction: must be a key of population.exploit, but got "fraction"',
      "It is a key of kind: truncation"),
    b("gap below zero", "fraction: 0.25", "min_gap: -1", 22, "min_gap: must be a number of at"),
    b("explore", "{kind: perturb}", "{kind: pb2}", 23, "is not available in this version"),
    b("asked sampler", "{kind: perturb}", "{kind: optuna, sampler: qmc}", 23,
      "population.explore.sampler: must be one of tpe, gp and cmaes"),
    b("sampler as a kind", "{kind: perturb}", "{kind: tpe}", 23, '"tpe" is called "optuna" here'),
    b("window", "{kind: perturb}", "{kind: optuna, window: 0}", 23, "a whole number of at least 1"),
    b("sampler without a kind of its own", "{kind: perturb}", "{kind: perturb, sampler: tpe}", 23,
      "It is a key of kind: optuna"),
    b("factor", "{kind: perturb}", "{kind: perturb, factor: 0.8}", 23, "a number above 1"),
    b("explore as a word", "{kind: perturb}", "perturb", 23, "Write {kind: perturb}"),
    b("sampler", "  mode: sync", "  initial: {kind: optuna, sampler: gp}", 21,
      "population.initial.sampler: must be one of qmc, random and tpe"),
    # evaluation, checkpoint, stop, resources, seeds
    b("aggregate", "aggregate: cvar, alpha: 0.25", "aggregate: median",
      24, "mean, iqm, cvar and min"),
    b("alpha of nothing", "aggregate: cvar", "aggregate: mean", 24, "alpha: must be left out"),
    b("alpha above one", "alpha: 0.25", "alpha: 25", 24, "above 0 and of at most 1", "got 25"),
    b("no levels", "levels: 16", "levels: 0",
      24, "evaluation.levels: must be a whole number of at"),
    b("episodes", "levels: 16", "num_episodes: 16", 24, '"num_episodes" is called "levels"'),
    b("agents", "levels: 16", "agents: red", 24, "a list of agents' names", "Write [red]"),
    b("num_to_keep", "keep_best", "num_to_keep", 25, '"num_to_keep" is checkpoint.keep_best here'),
    b("checkpoint_freq", "keep_best", "checkpoint_freq", 25, "saved at every boundary"),
    b("checkpoint is a number", "{keep_best: 3}", "3", 25, "checkpoint: must be a mapping"),
    b("nothing to stop at", "{iterations: 40}", "{}", 26, "at least one of iterations"),
    b("no stop", "stop: {iterations: 40}\n", "", 1, "stop: must be given", "{iterations: 40}"),
    b("max_steps", "iterations: 40", "max_steps: 40", 26, '"max_steps" is stop.env_steps here'),
    b("total_timesteps", END, END + "total_timesteps: 40\n", 29, "stop.env_steps", "env_steps: 40"),
    b("timesteps_total", "iterations: 40", "timesteps_total: 4", 26, "stop.env_steps"),
    b("training_iteration", "iterations: 40", "training_iteration: 40", 26, "stop.iterations here"),
    b("max_iterations", "iterations: 40", "max_iterations: 40", 26, "stop.iterations"),
    b("minutes of zero", "iterations: 40", "minutes: 0", 26, "minutes: must be a number above 0"),
    b("cpus", "cpus_per_member: auto", "cpus_per_member: 0", 27, "above 0, or auto", "got 0"),
    b("num_cpus", "cpus_per_member: auto", "num_cpus: 2", 27, "resources.cpus_per_member"),
    b("misspelt auto", "cpus_per_member: auto", "cpus_per_member: atuo", 27, 'mean "auto"?'),
    b("seed", "seeds: [0]", "seed: 3", 28, '"seed" is called "seeds" here: seeds: [3]'),
    b("seeds is a number", "seeds: [0]", "seeds: 3", 28, "seeds: must be a list", "Write [3]"),
    b("no seeds", "seeds: [0]", "seeds: []", 28, "at least one whole number"),
    b("seed below zero", "seeds: [0]", "seeds: [0, -1]", 28, "seeds[1]: must be a whole", "got -1"),
    b("seeds twice", "seeds: [0]", "seeds: [1, 1]", 28, "seeds[1]: must be different"),
    b("section is null", "{keep_best: 3}", "", 25, "checkpoint: must be a mapping",
      "Leave the key"),
    b("key of another section", "size: 4", "size: 4\n  keep_best: 3",
      20, "goes to checkpoint.keep_"),
    b("logging", END, END + "logging: {}\n", 29, "loggers: [wandb], or [mlflow]"),
    b("local_dir", END, END + "local_dir: x\n", 29, "--run-dir DIR"),
    # arms and grids
    b("arms as a list", END, END + "arms: [a]\n", 29, "arms: must be a mapping of arms' names"),
    b("arm is a number", END, END + "arms: {a: 3}\n", 29, "arms.a: must be a mapping", "got 3"),
    b("arm's name", END, END + "arms: {a b: {}}\n", 29, "must have a name", "For example a-b"),
    b("seeds in an arm", END, END + "arms: {a: {seeds: [1]}}\n",
      29, "every arm runs with the same"),
    b("name in an arm", END, END + "arms: {a: {name: x}}\n", 29, "must not be changed by an arm"),
    b("arms in an arm", END, END + "arms: {a: {arms: {}}}\n", 29, "no arms of their own"),
    b("evaluation in an arm", END, END + "arms: {a: {evaluation: {levels: 3}}}\n", 29,
      "arms.a.evaluation: must be the same in all arms"),
    b("range in an arm", END, END + "arms: {a: {env: {knobs: {length: {high: 3}}}}}\n", 29,
      "arms.a.env.knobs.length.high: must be the same in all arms", "Only a knob's start"),
    b("mistake in an arm", END, END + "arms:\n  a: {}\n  b: {population: {size: no}}\n", 31,
      "arms.b.population.size: must be a whole number", 'got "no"'),
    b("unknown key in an arm", END, END + "arms:\n  a: {}\n  b: {population: {sise: 3}}\n", 31,
      "arms.b.population.sise", 'Did you mean "size"?'),
    b("word in an arm", END, END + "arms:\n  a: {}\n  b: {num_workers: 3}\n", 31,
      "arms.b.num_workers", "algorithm.env_runners.num_env_runners"),
    b("mistake that one arm brings out", END,
      END + "arms: {a: {}, b: {curriculum: {kind: fixed}}, c: {population: {size: 1}}}\n", 29,
      "arms.c.population.size: must be at least 2"),
    b("grid_search", "lr: 0.001", "lr: {grid_search: [1, 2]}", 14, "Write {grid: [1, 2]}"),
    b("grid_search of a size", "size: 4", "size: {grid_search: [1, 2]}", 19, "write {grid: [...]}"),
    b("arms but for capitals", END, END + "arms: {a: {}, A: {}}\n", 29, "more than capitals"),
    b("two forms", MAP, "{choices: [1, 2], low: 1}", 9, "one form only"),
    b("key with a line break", END, END + '"a\\nb": 1\n', 29, '"a\\nb"'),
    b("empty grid", "size: 4", "size: {grid: []}", 19, "must hold at least one value"),
    b("grid of seeds", "[0]", "{grid: [[0], [1]]}", 28, "seeds: must not be a grid"),
    b("grid of suites", "levels: 16", "levels: {grid: [1, 2]}", 24, "the same in all arms"),
    b("mistake in a grid", "size: 4", "size: {grid: [2, x]}", 19, "size.grid[1]: must be a whole"),
]  # fmt: skip


def problems(text: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        parse_experiment(text, "file.yaml")
    return caught.value


def test_the_good_file_is_good() -> None:
    assert parse_experiment(GOOD, "file.yaml").name == "cartpole-robust"


def test_names_of_the_table_are_distinct() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_broken_file(row: Broken) -> None:
    assert GOOD.count(row.old) == 1
    bad = problems(GOOD.replace(row.old, row.new))
    (problem,) = bad.problems
    said = str(problem)
    assert problem.line == row.line, said
    assert re.match(rf"file\.yaml:{row.line}:[1-9]\d*: ", said)
    assert ": must " in said
    for fragment in row.fragments:
        assert fragment in said


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = GOOD
    for old, new in (
        ("envolve: 1", "envolve: 3"),
        (LENGTH, "{min: 0.25, max: 2.0}"),
        (LANES, "{low: 5, high: 1, integer: true}"),
        ("name: PPO", "num_workers: 3"),
        ("size: 4", "size: four\n  size: 5"),
        ("iterations: 40", "iteration: 40"),
    ):
        text = text.replace(old, new)
    said = str(problems(text)).splitlines()
    assert [re.match(r"file\.yaml:(\d+):(\d+): ([\w.]+): ", line).groups() for line in said] == [  # type: ignore[union-attr]
        ("1", "1", "envolve"),
        ("7", "14", "env.knobs.length.min"),
        ("7", "25", "env.knobs.length.max"),
        ("8", "13", "env.knobs.lanes.low"),
        ("13", "3", "algorithm.num_workers"),
        ("19", "3", "population.size"),
        ("20", "3", "population.size"),
        ("27", "8", "stop.iteration"),
    ]


def test_a_mistake_of_some_arms_names_them() -> None:
    text = GOOD.replace("size: 4", "size: 1") + (
        "arms: {a: {}, b: {curriculum: {kind: fixed}}, c: {population: {size: 3}}}\n"
    )
    (problem,) = problems(text.replace("widen: {above: 400}", "amount: 0.1")).problems
    assert problem.line == 19
    assert str(problem).endswith("In arm a")


def test_a_short_run_with_the_default_interval() -> None:
    text = GOOD.replace("  interval: 4\n", "").replace("iterations: 40", "iterations: 3")
    (problem,) = problems(text).problems
    assert "stop.iterations: must be at least population.interval (4, its default)" in str(problem)
    assert problem.line == 25
