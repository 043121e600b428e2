"""Levels at the ends of each knob's range, tried on a live env before anything is trained."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.findings import Finding
from experiments.hints import show
from experiments.importing import one_line
from orchestrator import apply
from orchestrator.env_space import EnvSpace
from orchestrator.knobs import Cells, Choice, Knob, Numeric, Simplex

if TYPE_CHECKING:
    from experiments.env_source import EnvSource

Key = tuple[str | int, ...]
_SEED = 0
_MOST_CHOICES = 16


class _Refused(Exception):
    """What is wrong with an env on one level: what must hold, and what was found."""

    def __init__(
        self, must: str, found: str, hint: str | None = None, knob: str | None = None
    ) -> None:
        super().__init__(must)
        self.must, self.found, self.hint, self.knob = must, found, hint, knob


@dataclass(frozen=True)
class Probe:
    """A live env, how levels reach it, and where they come from."""

    source: EnvSource
    env: Any
    way: apply.ApplyKind
    space: EnvSpace


def probe_findings(probe: Probe) -> list[Finding]:
    """What goes wrong without a level, on a drawn one, and at the ends of each knob."""
    try:
        _play(probe.env, None)
    except _Refused as refused:
        return [Finding(("env", "id"), refused.must, refused.found, refused.hint)]
    except Exception as error:
        # An env may well need a level first; without knobs it will never get one.
        if not probe.space.knobs:
            must = "must be an env that can be reset and stepped"
            return [Finding(("env", "id"), must, one_line(error))]
    if not probe.space.knobs:
        return []
    base = probe.space.full().sample(np.random.default_rng(_SEED))
    found = _try(probe, base, None)
    if found is not None:
        return [_alone(probe, base) or found]
    findings = []
    for name, knob in probe.space.knobs.items():
        for value in _ends(knob):
            found = _try(probe, base | {name: value}, name)
            if found is not None:
                findings.append(found)
                break
    return findings


def _alone(probe: Probe, base: Mapping[str, Any]) -> Finding | None:
    """What goes wrong with one knob moved and the others as the env has them, if that can be."""
    if probe.way in ("rebuild", "attributes") or len(base) == 1:
        for name, value in base.items():
            found = _try(probe, {name: value}, name)
            if found is not None:
                return found
    return None


def _ends(knob: Knob) -> list[Any]:
    if isinstance(knob, Numeric):
        return [knob.low, knob.high]
    if isinstance(knob, Choice):
        return list(knob.values[:_MOST_CHOICES])
    if isinstance(knob, Cells):
        return [list(range(knob.count.low)), list(range(knob.size - knob.count.high, knob.size))]
    assert isinstance(knob, Simplex)
    return [{term: float(term == heavy) for term in knob.terms} for heavy in knob.terms]


def _try(probe: Probe, level: Mapping[str, Any], moved: str | None) -> Finding | None:
    try:
        _apply_and_play(probe, level)
    except _Refused as refused:
        blamed = refused.knob or moved
        key: Key = ("env", "knobs") if blamed is None else ("env", "knobs", blamed)
        return Finding(key, refused.must, refused.found, refused.hint)
    except Exception as error:
        blamed = moved or _named_in(str(error), level)
        key = ("env", "knobs") if blamed is None else ("env", "knobs", blamed)
        value = show(level if blamed is None else level[blamed])
        must = f"must be values that {probe.source.id} takes"
        return Finding(key, must, f"{value}: {one_line(error)}")
    return None


def _named_in(text: str, level: Mapping[str, Any]) -> str | None:
    """The one knob that an env's complaint names."""
    named = [name for name in level if name in text]
    return named[0] if len(named) == 1 else None


def _apply_and_play(probe: Probe, level: Mapping[str, Any]) -> None:
    if probe.way == "rebuild":
        env, config = probe.source.build(level)
        try:
            _play(env, None)
            _same_spaces(probe.env, env)
        finally:
            with contextlib.suppress(Exception):
                env.close()
        if config is not None:
            _all_read(config, level, f"the constructor of {probe.source.id}")
        return
    before = _spaces(probe.env)
    options = None
    if probe.way == "options":
        options = apply.ReadKeys(level)
    elif probe.way == "attributes":
        apply.set_attributes(probe.env, level)
    else:
        apply.set_by_method(probe.env, level)
    _play(probe.env, options)
    if options is not None:
        _all_read(options, level, f"reset(options=...) of {probe.source.id}")
    _same(before, _spaces(probe.env))


def _all_read(config: apply.ReadKeys, level: Mapping[str, Any], where: str) -> None:
    ignored = config.ignored(level)
    if ignored:
        must = f"must be a key that {where} reads"
        raise _Refused(must, f"{show(ignored[0])}, which it never looked at", knob=ignored[0],
                       hint="A change of it would have no effect")  # fmt: skip


def _play(env: Any, options: dict[str, Any] | None) -> None:
    """One reset and one step, looked at closely.

    Raises:
        _Refused: if the env is not one of gymnasium's, or an observation is outside its space.
    """
    try:
        answer = env.reset(seed=_SEED, options=options)
    except TypeError as error:
        if "unexpected keyword" in str(error):
            must = "must have reset(*, seed=None, options=None), gymnasium's API"
            raise _Refused(must, one_line(error)) from None
        raise
    if not (isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], dict)):
        must = "must return an observation and an info dict from reset, gymnasium's API"
        raise _Refused(must, type(answer).__name__)
    _inside(env, answer[0], "reset")
    result = env.step(_action(env, answer[0]))
    if not (isinstance(result, tuple) and len(result) == 5):
        must = (
            "must return observation, reward, terminated, truncated and info from step, "
            "gymnasium's API"
        )
        given = f"{len(result)} values" if isinstance(result, tuple) else type(result).__name__
        raise _Refused(must, given)
    _inside(env, result[0], "step")


def _multi_agent(env: Any) -> bool:
    from ray.rllib.env.multi_agent_env import MultiAgentEnv

    return isinstance(env, MultiAgentEnv)


def _action(env: Any, observation: Any) -> Any:
    if not _multi_agent(env):
        env.action_space.seed(_SEED)
        return env.action_space.sample()
    actions = {}
    for agent in observation:
        space = env.get_action_space(agent)
        space.seed(_SEED)
        actions[agent] = space.sample()
    return actions


def _inside(env: Any, observation: Any, call: str) -> None:
    if not _multi_agent(env):
        _contained(env.observation_space, observation, f"from {call}")
        return
    if not isinstance(observation, dict):
        raise _Refused("must return a dict from agent to observation", type(observation).__name__)
    for agent, each in observation.items():
        if agent not in env.possible_agents:
            must = f"must list every agent in possible_agents, {list(env.possible_agents)}"
            raise _Refused(must, f"an observation of {agent!r}")
        _contained(env.get_observation_space(agent), each, f"of {agent!r} from {call}")


def _contained(space: Any, observation: Any, which: str) -> None:
    import gymnasium

    if space is None:
        raise _Refused("must have an observation and an action space", "None")
    given = observation
    if isinstance(space, gymnasium.spaces.Box) and not isinstance(observation, str):
        # RLlib casts; that a float64 stands where float32 is declared harms nothing.
        with contextlib.suppress(TypeError, ValueError):
            given = np.asarray(observation).astype(space.dtype)
    if not space.contains(given):
        raise _Refused(
            f"must give observations within its observation space, {short(space)}",
            f"{short(observation)} {which}",
        )


def short(value: Any) -> str:
    """A space or an observation, on one line that is not too long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 120 else text[:117] + "..."


def _spaces(env: Any) -> list[tuple[str, Any]]:
    if not _multi_agent(env):
        return [("observation", env.observation_space), ("action", env.action_space)]
    found: list[tuple[str, Any]] = []
    for agent in env.possible_agents:
        found.append((f"{agent}'s observation", env.get_observation_space(agent)))
        found.append((f"{agent}'s action", env.get_action_space(agent)))
    return found


def _same_spaces(one: Any, other: Any) -> None:
    _same(_spaces(one), _spaces(other))


def _same(before: list[tuple[str, Any]], after: list[tuple[str, Any]]) -> None:
    for (what, one), (_, other) in zip(before, after, strict=True):
        if one != other:
            raise _Refused(
                f"must leave the {what} space as it is, because an agent's spaces are fixed",
                f"{short(other)} instead of {short(one)}",
            )
