"""The text of ``act.py`` in an exported folder: how the policy's own env is made and stepped."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Literal

from experiments.env_source import EnvSource
from experiments.envs import BUILT_IN
from experiments.spaces import space_of
from experiments.spec import Env
from orchestrator import apply

_TEXT = '''\
"""Plays one episode with the exported policy; no Ray cluster is started.

Needs ray[rllib], torch, gymnasium and the env's own package. It unpickles, and so runs code.
"""

{imports}from policy import Policy

policy = Policy()  # Verifies every file of this folder, then loads them.
config = policy.facts["env"]["config"]
play = policy.facts["plays"][0]
level = play["level"]
env = {env}
{apply}policy.begin(*env.reset(seed=play["seed"]{options}){observed})
while not policy.done and policy.steps < policy.facts["max_steps"]:
    policy.saw(*env.step(policy.act()))
env.close()
print(f"return {{policy.total:g}} on {{level}}, seed {{play['seed']}}; scored {{play['return']}}")
'''

_UNKNOWN = 'raise SystemExit("Make your env here, on the level above: env = ...")'
_BY: Mapping[str, str] = {
    "method": 'env.get_wrapper_attr("set_level")(level)\n',
    "attributes": "for name, value in level.items():\n    setattr(env.unwrapped, name, value)\n",
}


def act_example(env: Env) -> str:
    """An example that plays one level of the select suite, as it was played to be scored.

    Where the env cannot be made here, the example says where to make it.
    """
    source = EnvSource.of(env)
    observed = ", level=level" if env.condition else ""
    try:
        way = _way(source, env)
        imports, made = _made(source, every_knob=way == "rebuild")
    except Exception:
        # Whatever it is: what is exported is the policy, and that is whole without its env.
        made = f"None\n{_UNKNOWN}"
        return _TEXT.format(imports="", env=made, apply="", options="", observed=observed)
    knobs = bool(env.knobs)
    return _TEXT.format(
        imports=imports,
        env=made,
        apply=_BY.get(way, "") if knobs else "",
        options=", options=level" if knobs and way == "options" else "",
        observed=observed,
    )


def _way(source: EnvSource, env: Env) -> Literal["method", "options", "attributes", "rebuild"]:
    if env.apply != "auto":
        return env.apply
    made = source({})
    try:
        way = apply.choose(made, source, space_of(env).knobs)
    finally:
        made.close()
    assert way != "auto"
    return way


def _made(source: EnvSource, *, every_knob: bool) -> tuple[str, str]:
    """Import lines, and the expression that makes the env, as `EnvSource` would make it."""
    values = "**config, **level" if every_knob else "**config"
    if source.kind == "gymnasium":
        unchecked = f'**{{"disable_env_checker": True, {values}}}'
        return "import gymnasium\n", f"gymnasium.make({source.id!r}, {unchecked})"
    module, _, attribute = BUILT_IN.get(source.id, source.id).partition(":")
    head, _, rest = attribute.partition(".")
    imports = f"from {module} import {head}\n"
    target = f"{head}.{rest}" if rest else head
    if source.config_name is not None:
        # Of a config dict it takes what it knows.
        made = f"{target}({{**config, **level}})"
    else:
        needed = [] if every_knob else _required(source)
        given = "".join(f", {name}=level[{name!r}]" for name in needed)
        made = f"{target}({values}{given})"
    if source.kind == "built_in" and hasattr(source.target, "max_episode_steps"):
        imports = f"from gymnasium.wrappers import TimeLimit\n{imports}"
        made = f"TimeLimit({made}, {source.target.max_episode_steps})"
    return imports, made


def _required(source: EnvSource) -> list[str]:
    """Knobs that the constructor cannot do without."""
    parameters = inspect.signature(source.target).parameters.values()
    left = [each.name for each in parameters if each.default is each.empty]
    return [name for name in left if name in source.spare and name not in source.config]
