"""Envs that pay or show what is no number; importable in Ray's workers too."""

from __future__ import annotations

from typing import Any

from rllib_catalogue import ByMethod, Pair, Turns

NAN = float("nan")


class PaysNothing(ByMethod):
    """Where it should pay more than 5, what it pays is no number."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, reward, *rest = super().step(action)
        return seen, NAN if reward > 5 else reward, *rest  # type: ignore[return-value]


class ShowsNothing(ByMethod):
    """Where it pays more than 5, the second thing that it shows is no number."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, reward, *rest = super().step(action)
        bad = reward > 5 and self._steps == 2
        return seen * NAN if bad else seen, reward, *rest  # type: ignore[return-value]


class PaysOneNothing(Turns):
    """Two agents in turn; the first's pay is no number where it should be more than 5."""

    def step(self, action_dict: Any) -> tuple[Any, Any, Any, Any, Any]:
        seen, rewards, *rest = super().step(action_dict)
        if rewards["a"] > 5:
            rewards["a"] = NAN
        return seen, rewards, *rest  # type: ignore[return-value]


class ShowsOneNothing(Pair):
    """Two agents; where the first gets more than 5, the second sees what is no number."""

    def step(self, action_dict: Any) -> tuple[Any, Any, Any, Any, Any]:
        seen, rewards, *rest = super().step(action_dict)
        if rewards["a"] > 5:
            seen["b"] = seen["b"] * NAN
        return seen, rewards, *rest  # type: ignore[return-value]
