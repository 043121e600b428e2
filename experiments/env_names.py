"""Finding the env that an id names, and saying what was probably meant where there is none."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from experiments.envs import BUILT_IN
from experiments.findings import Finding
from experiments.hints import show
from experiments.importing import CannotImport, one_line

if TYPE_CHECKING:
    from experiments.env_source import EnvSource

_KEY = ("env", "id")


def name_findings(source: EnvSource) -> list[Finding]:
    """Why the id names no env that can be made; nothing if it does."""
    import gymnasium

    try:
        target = source.target
    except CannotImport as error:
        return [Finding(_KEY, error.must, error.found, error.hint)]
    except gymnasium.error.UnregisteredEnv:
        return [_unknown(source.id)]
    except gymnasium.error.DependencyNotInstalled as error:
        return [Finding(_KEY, "must be an env whose packages are installed", one_line(error))]
    except gymnasium.error.Error:
        return [_unknown(source.id)]
    except (Exception, SystemExit) as error:
        return [Finding(_KEY, "must be an env that can be imported", one_line(error))]
    found = _no_maker(source, target)
    return [] if found is None else [found]


def _unknown(name: str) -> Finding:
    must = "must be a built-in env, a gymnasium id or package.module:attribute"
    return Finding(_KEY, must, show(name), _meant(name))


def _meant(name: str) -> str:
    import gymnasium

    if re.fullmatch(r"[\w./\\-]+\.py(:\w+)?", name):
        file, _, attribute = name.partition(":")
        module = re.sub(r"[/\\\\]", ".", file.removeprefix("./").removesuffix(".py")).lstrip(".")
        return f'Did you mean "{module}:{attribute or "MyEnv"}"?'
    known = {each.lower(): each for each in [*gymnasium.registry, *BUILT_IN]}
    # Without its version a gymnasium id is nearest to the newest one.
    close = difflib.get_close_matches(name.lower(), known, 1, 0.6)
    close = close or [each for each in known if each.partition("-v")[0] == name.lower()]
    if close:
        return f'Did you mean "{known[close[0]]}"?'
    module, dot, attribute = name.rpartition(".")
    if dot and re.fullmatch(r"[\w.]+", name):
        return f'Did you mean "{module}:{attribute}"?'
    if "/" in name:
        package = name.partition("/")[0].lower()
        return f"If a package registers it, name that too: {package}:{name}"
    return f"Built-in: {', '.join(sorted(BUILT_IN))}. Your own: package.module:attribute"


def _no_maker(source: EnvSource, target: Any) -> Finding | None:
    import gymnasium

    if target is None:
        return Finding(
            _KEY, "must be an env of its own", f"{source.id}, which exists only vectorized"
        )
    if isinstance(target, gymnasium.Env):
        return Finding(_KEY, "must be a class or function that makes an env", "an env",
                       "Every member needs many; name what makes one")  # fmt: skip
    if not callable(target):
        return Finding(_KEY, "must be a class or function that makes an env", type(target).__name__)
    if isinstance(target, type):
        if issubclass(target, gymnasium.vector.VectorEnv):
            hint = (
                "Name the single env; algorithm.env_runners.num_envs_per_env_runner says how many"
            )
            return Finding(_KEY, "must make one env, not several at once", target.__name__, hint)
        missing = [each for each in ("reset", "step") if not callable(getattr(target, each, None))]
        if missing:
            found = f"{target.__name__}, which has no {' and no '.join(missing)}"
            return Finding(_KEY, "must be an env's class", found, "It has to be a gymnasium.Env")
    return None
