"""By which way levels reach an env, and which knobs it has nothing for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from experiments.envs import BUILT_IN
from experiments.findings import Finding
from experiments.hints import nearest, show
from experiments.importing import one_line
from orchestrator import apply
from orchestrator.apply import ApplyKind, CannotApply
from orchestrator.knobs import Knob

if TYPE_CHECKING:
    from experiments.env_source import EnvSource

Knobs = Mapping[str, Knob]

# Attributes of gymnasium's own envs that are read once, when the env is built, with what would
# stay as it was if they were set later.
_SPACE = "the observation space"
_STALE: Mapping[str, Mapping[str, str]] = {
    "CartPole": {
        "masscart": "total_mass",
        "masspole": "total_mass and polemass_length",
        "length": "polemass_length",
        "theta_threshold_radians": _SPACE,
        "x_threshold": _SPACE,
    },
    "Pendulum": {"max_speed": _SPACE, "max_torque": "the action space"},
    "Acrobot": {
        "LINK_LENGTH_1": "LINK_COM_POS_1",
        "LINK_LENGTH_2": "LINK_COM_POS_2",
        "LINK_MASS_1": "LINK_MOI",
        "LINK_MASS_2": "LINK_MOI",
        "MAX_VEL_1": _SPACE,
        "MAX_VEL_2": _SPACE,
    },
    "MountainCarContinuous": {
        "min_position": _SPACE,
        "max_position": _SPACE,
        "max_speed": _SPACE,
        "min_action": "the action space",
        "max_action": "the action space",
    },
}


def way_of(
    source: EnvSource, env: Any, chosen: ApplyKind, knobs: Knobs
) -> tuple[ApplyKind, list[Finding]]:
    """The way that is meant, `auto` decided, and what stands against it."""
    if not knobs:
        return "method", []
    way = chosen
    findings: list[Finding] = []
    if chosen == "auto":
        way, findings = _auto(source, env, knobs)
    elif chosen == "method":
        findings = [*_method(source, env)]
    elif chosen == "options" and source.kind == "built_in":
        must = f"must be auto, method or rebuild for the built-in {source.id}"
        findings = [Finding(("env", "apply"), must, "options, which it does not read")]
    elif chosen == "attributes":
        findings = [*_attributes(env, knobs)]
    elif chosen == "rebuild":
        findings = [*_rebuild(source, knobs)]
    if not findings and source.kind == "built_in" and way in ("method", "rebuild"):
        findings = [*_built_in(source, knobs)]
    if not findings and way == "attributes":
        findings = [*_methods_set(env, knobs), *_stale(source, knobs)]
    return way, findings


def _auto(source: EnvSource, env: Any, knobs: Knobs) -> tuple[ApplyKind, list[Finding]]:
    try:
        return apply.choose(env, source, knobs), []
    except CannotApply:
        pass
    except Exception as error:
        must = f"must be values that {source.id} takes"
        return "auto", [Finding(("env", "knobs"), must, one_line(error))]
    known = sorted(_reachable(source, env))
    missing = [name for name in knobs if name not in known]
    hint = "Or give it a method set_level(level), or name the way: apply: options or rebuild"
    if missing:
        return "auto", [
            _no_knob(source, name, known, f"{_did_you_mean(name, known)}{hint}") for name in missing
        ]
    must = "must all reach the env by one way: its constructor, or its attributes"
    keys = apply.constructor_keys(source) or set()
    found = f"{_listed(name for name in knobs if name in keys)} for the constructor alone"
    return "auto", [Finding(("env", "knobs"), must, found, hint)]


def _reachable(source: EnvSource, env: Any) -> set[str]:
    attributes = {name for name in dir(env.unwrapped) if not name.startswith("_")}
    return attributes | (apply.constructor_keys(source) or set())


def _method(source: EnvSource, env: Any) -> Iterator[Finding]:
    if not apply.has_method(env):
        must = f"must be a way by which {source.id} can be reached"
        found = f"method, but it has no {apply.METHOD}(level)"
        yield Finding(("env", "apply"), must, found, "Give it that method, or write apply: auto")


def _attributes(env: Any, knobs: Knobs) -> Iterator[Finding]:
    inner = env.unwrapped
    if apply.has_method(env):
        must = f"must be auto or method: {type(inner).__name__} has a {apply.METHOD}(level)"
        hint = "Setting attributes would bypass the values that it derives from them"
        yield Finding(("env", "apply"), must, "attributes", hint)
        return
    known = sorted(name for name in dir(inner) if not name.startswith("_"))
    for name in knobs:
        if not hasattr(inner, name):
            must = f"must be an attribute of {type(inner).__name__}"
            yield Finding(("env", "knobs", name), must, show(name), nearest(name, known))


def _rebuild(source: EnvSource, knobs: Knobs) -> Iterator[Finding]:
    accepted = apply.constructor_keys(source)
    if accepted is None or apply.takes_any_key(source):
        return
    known = sorted(accepted)
    for name in knobs:
        if name not in accepted:
            hint = nearest(name, known) or f"It takes {', '.join(known) or 'none'}"
            must = f"must be an argument of the constructor of {source.id}"
            yield Finding(("env", "knobs", name), must, show(name), hint)


def _built_in(source: EnvSource, knobs: Knobs) -> Iterator[Finding]:
    known = list(source.target.SETTABLE)
    for name in knobs:
        if name not in known:
            yield _no_knob(
                source, name, known, nearest(name, known) or f"It has {', '.join(known)}"
            )


def _methods_set(env: Any, knobs: Knobs) -> Iterator[Finding]:
    for name in knobs:
        if callable(getattr(env.unwrapped, name)):
            must = "must be a value of the env"
            yield Finding(
                ("env", "knobs", name), must, f"{show(name)}, which is one of its methods"
            )


def _stale(source: EnvSource, knobs: Knobs) -> Iterator[Finding]:
    if source.kind != "gymnasium":
        return
    name = source.id.rpartition(":")[2].partition("-v")[0]
    stale = _STALE.get(name, {})
    for knob in knobs:
        if knob in stale:
            yield Finding(
                ("env", "knobs", knob),
                f"must not be an attribute that {source.id} reads only when it is built",
                f"{show(knob)}, on which {stale[knob]} depends",
                _twin(name, knob),
            )


def _twin(name: str, knob: str) -> str:
    known = _settable(name)
    close = {each.lower(): each for each in known}.get(knob.lower())
    if close is not None:
        return f"The built-in env derives it anew at every level: id: {name}, knob {close}"
    return f"An agent's spaces are the same on every level; the built-in {name} has the knobs " + (
        ", ".join(known)
    )


def _settable(name: str) -> list[str]:
    from experiments.importing import import_reference

    return list(import_reference(BUILT_IN[name]).SETTABLE)


def _no_knob(source: EnvSource, name: str, known: list[str], hint: str) -> Finding:
    must = f"must be something that can be set in {source.id}"
    return Finding(("env", "knobs", name), must, show(name), hint)


def _did_you_mean(name: str, known: list[str]) -> str:
    meant = nearest(name, known)
    return f"{meant} " if meant else ""


def _listed(names: Iterator[str]) -> str:
    return ", ".join(names)
