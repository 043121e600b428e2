"""What is wrong with an arm's env: its name, its config, and how levels reach it."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from experiments.env_names import name_findings
from experiments.env_probe import Probe, probe_findings
from experiments.env_ways import way_of
from experiments.findings import Finding
from experiments.hints import nearest, show
from experiments.importing import one_line
from experiments.spaces import to_space
from experiments.spec import Experiment
from orchestrator import apply

if TYPE_CHECKING:
    from experiments.env_source import EnvSource

#: gymnasium's own arguments of `make`, which are no constructor's.
_MAKE_KEYS = frozenset({"max_episode_steps", "disable_env_checker", "render_mode"})


def findings_of(source: EnvSource, experiment: Experiment) -> list[Finding]:
    """Everything that is wrong with the env; builds it, and closes what it built."""
    with _quiet():
        found = name_findings(source)
        if found:
            return found
        found = [*_fixed_and_varying(experiment), *_config(source)]
        if found:
            return found
        try:
            env = source({})
        except (Exception, SystemExit) as error:
            return [_not_built(source, error)]
        try:
            return _of_env(source, env, experiment)
        finally:
            with contextlib.suppress(Exception):
                env.close()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What envs print and warn when they are built is not for the one who checks a file."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _fixed_and_varying(experiment: Experiment) -> Iterator[Finding]:
    for name in experiment.env.config:
        if name in experiment.env.knobs:
            must = "must not be a knob as well"
            hint = f"It varies under env.knobs.{name}; leave it out here, or there"
            yield Finding(("env", "config", name), must, "both", hint)


def _config(source: EnvSource) -> Iterator[Finding]:
    known = _config_keys(source)
    if known is None:
        return
    for name, value in source.config.items():
        if name not in known:
            listed = sorted(known)
            hint = nearest(name, listed) or f"It takes {', '.join(listed) or 'none'}"
            yield Finding(("env", "config", name), f"must be a key that {source.id} takes",
                          show({name: value}), hint)  # fmt: skip


def _config_keys(source: EnvSource) -> set[str] | None:
    """Keys that an env config may have; None: it cannot be told."""
    if source.kind == "built_in":
        # `FIXED`: what a built-in takes in its config alone, because its spaces depend on it.
        return {*source.target.SETTABLE, *getattr(source.target, "FIXED", ())}
    known = apply.constructor_keys(source)
    if known is None or apply.takes_any_key(source):
        return None
    return known | _MAKE_KEYS if source.kind == "gymnasium" else known


def _not_built(source: EnvSource, error: BaseException) -> Finding:
    if isinstance(error, ImportError):
        must = "must be an env whose packages are installed"
        return Finding(("env", "id"), must, one_line(error))
    text = one_line(error)
    for name, value in source.config.items():
        if name in str(error):
            return Finding(("env", "config", name), f"must be a value that {source.id} takes",
                           f"{show(value)}: {text}")  # fmt: skip
    key = ("env", "config") if source.config else ("env", "id")
    return Finding(key, "must be an env that can be built", text)


def _of_env(source: EnvSource, env: Any, experiment: Experiment) -> list[Finding]:
    no_env = _no_env(source, env)
    if no_env is not None:
        return [no_env]
    space = to_space(experiment)
    way, findings = way_of(source, env, experiment.env.apply, space.knobs)
    findings = [*findings, *_agents(env, experiment)]
    if findings:
        return findings
    found = probe_findings(Probe(source, env, way, space))
    # It imports Ray, which whoever merely builds an env can do without.
    from experiments.level_check import level_findings

    return found or level_findings(source, env, way, experiment)


def _no_env(source: EnvSource, env: Any) -> Finding | None:
    import gymnasium

    key = ("env", "id")
    hint: str | None = None
    kind = f"{type(env).__module__}.{type(env).__qualname__}"
    if isinstance(env, gymnasium.vector.VectorEnv):
        hint = "Name the single env; algorithm.env_runners.num_envs_per_env_runner says how many"
        return Finding(key, "must make one env, not several at once", kind, hint)
    if not isinstance(env, gymnasium.Env):
        if hasattr(env, "possible_agents"):
            hint = "PettingZoo's envs are wrapped by RLlib's ParallelPettingZooEnv"
        elif callable(getattr(env, "reset", None)):
            hint = "Derive it from gymnasium.Env (the package gym is no longer supported)"
        must = "must make a gymnasium.Env, or one of RLlib's MultiAgentEnv"
        return Finding(key, must, kind, hint)
    return None


def _agents(env: Any, experiment: Experiment) -> Iterator[Finding]:
    named = experiment.evaluation.agents
    if named is None:
        return
    key = ("evaluation", "agents")
    if not hasattr(env, "possible_agents"):
        must = "must be left out for an env of a single agent"
        yield Finding(key, must, show(list(named)))
        return
    known = [str(agent) for agent in env.possible_agents]
    for index, agent in enumerate(named):
        if agent not in known:
            must = f"must be one of the env's agents, {', '.join(known)}"
            yield Finding((*key, index), must, show(agent), nearest(agent, known))
