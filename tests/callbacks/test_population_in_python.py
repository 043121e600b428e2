"""A population without an experiment file: somebody's own script, of these few lines."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest
from ray.rllib.algorithms.ppo import PPOConfig

from orchestrator import journal, records

pytestmark = pytest.mark.ray


def script(run_dir: Path, config: PPOConfig) -> None:
    """What a user writes."""
    from callbacks import PopulationMutation
    from orchestrator import blueprint, population_tuner
    from orchestrator.curricula import Evolving, Widen
    from orchestrator.distributions import EnvSpace
    from orchestrator.exploit import Truncation
    from orchestrator.explore import Perturb
    from orchestrator.initial import draw_random
    from orchestrator.journal import Journal
    from orchestrator.knobs import Continuous, Range
    from orchestrator.ledger import Ledger
    from orchestrator.member_state import Rules
    from orchestrator.population import Population
    from orchestrator.scheduler import PopulationScheduler
    from orchestrator.seats import Seats
    from orchestrator.stop import Stop

    space = EnvSpace(
        {"gravity": Continuous(5.0, 20.0), "force_mag": Continuous(5.0, 20.0, "log")},
        {"gravity": Range(9.8, 9.8), "force_mag": Range(10.0, 10.0)},
    )
    rules = Rules(
        size=2, interval=2, mode="sync", space=space, search={"lr": Continuous(1e-4, 1e-2, "log")},
        curriculum=Evolving(widen=Widen(above=5.0, min_episodes=1)),
        exploit=Truncation(fraction=0.5), explore=Perturb(), stop=Stop(iterations=4),
    )  # fmt: skip
    population = Population("main", 0, rules)
    with Journal(run_dir / "journal.jsonl") as journal:
        ledger, seats = Ledger(journal, [population]), Seats()
        first = draw_random(rules.size, space, rules.search, rules.curriculum, 0, "main")
        ledger.record(*population.first(first, "random"))
        scheduler = PopulationScheduler(ledger, seats, {"main": 3})
        callbacks = [PopulationMutation(ledger, seats)]
        blueprints = {"main": blueprint(config, rules, levels=4)}
        population_tuner(scheduler, blueprints, run_dir, callbacks=callbacks).fit()


def test_it_trains_exploits_and_widens(ray_runtime: None, tmp_path: Path) -> None:
    config = PPOConfig().environment("CartPole-v1")
    config.env_runners(num_env_runners=0, num_envs_per_env_runner=4)
    config.resources(num_cpus_for_main_process=0.5)
    config.training(train_batch_size_per_learner=96, minibatch_size=48, num_epochs=2)
    script(tmp_path, config)
    history = journal.read(tmp_path / "journal.jsonl")

    def of(kind: type[Any]) -> list[Any]:
        return [record for record in history if isinstance(record, kind)]

    assert of(records.Fault) == []
    for member in (0, 1):
        done = [each.iteration for each in of(records.Result) if each.member == member]
        assert done == [1, 2, 3, 4]
    (boundary,) = of(records.Boundary)
    (_, best), (_, worst) = boundary.ranking
    # Two that have learnt nothing yet may score alike; then nobody copies.
    assert len(of(records.Exploit)) == (best != worst)
    assert "callback" in {each.by for each in of(records.Mutation)}
    for saved in of(records.CheckpointSaved):
        assert (tmp_path / saved.path / "manifest.json").exists()
    assert (tmp_path / "tune" / "leg-1").is_dir()


def test_it_imports_nothing_of_the_experiments() -> None:
    tree = ast.parse(inspect.getsource(script))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported
    assert not any(str(name).startswith("experiments") for name in imported)
