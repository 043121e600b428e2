"""Rewards and observations that are no numbers, found in the episodes that env runners sampled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from ray.rllib.env.multi_agent_episode import MultiAgentEpisode
from ray.rllib.env.single_agent_episode import SingleAgentEpisode


class NotFinite(ValueError):
    """An env paid or showed something that is not a number, or infinite."""


def flaw_of(episode: SingleAgentEpisode | MultiAgentEpisode) -> str | None:
    """The first reward or observation of an episode, or of a chunk, that is not finite, in words.

    Observations may be nested; whatever is no floating-point number in them is passed over.
    """
    if isinstance(episode, MultiAgentEpisode):
        for agent, chunk in episode.agent_episodes.items():
            flaw = _flaw(chunk, f" of {agent}")
            if flaw is not None:
                return flaw
        return None
    return _flaw(episode, "")


def flaw_of_step(step: int, reward: Any, observation: Any) -> str | None:
    """As `flaw_of`, of what one env step brought; step 0 is the reset."""
    for what, value in (("reward", reward), ("observation", observation)):
        found = _first_of_list((value,))
        if found is not None:
            return _in_words(what, step, found[1])
    return None


def _flaw(chunk: SingleAgentEpisode, whose: str) -> str | None:
    # A chunk begins with the observation that the one before it ended with.
    for what, values, first in (
        ("reward", chunk.get_rewards(), chunk.t_started + 1),
        ("observation", chunk.get_observations(), chunk.t_started),
    ):
        found = _first(values) if chunk.is_numpy else _first_of_list(values)
        if found is not None:
            index, value = found
            return _in_words(what + whose, index + first, value)
    return None


def _in_words(what: str, step: int, value: float) -> str:
    when = "at the reset" if step == 0 else f"at step {step}"
    return f"the {what} {when} is {value}"


def _first(values: Any) -> tuple[int, float] | None:
    """Where along the first axis of the arrays the first value lies that is not finite; it."""
    found = [place for leaf in _leaves(values) for place in _bad(np.asarray(leaf))]
    return min(found, default=None, key=lambda place: place[0])


def _first_of_list(values: Any) -> tuple[int, float] | None:
    """As `_first`, of an episode under way, which has an entry for each step."""
    for index, value in enumerate(values):
        for leaf in _leaves(value):
            for _, bad in _bad(np.atleast_1d(np.asarray(leaf))):
                return index, bad
    return None


def _leaves(values: Any) -> Iterator[Any]:
    if isinstance(values, Mapping):
        values = tuple(values.values())
    if isinstance(values, tuple):
        for value in values:
            yield from _leaves(value)
    else:
        yield values


def _bad(array: np.ndarray[Any, Any]) -> Iterator[tuple[int, float]]:
    if array.dtype.kind != "f":
        return
    finite = np.isfinite(array)
    if not finite.all():
        place = np.argwhere(~finite)[0]
        yield int(place[0]), float(array[tuple(place)])
