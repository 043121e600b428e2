"""What the finished episodes of an env runner were: level, revision, return, length, success."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.env.multi_agent_episode import MultiAgentEpisode

from orchestrator.env_faults import LastWords, in_one_line, speak
from orchestrator.flaws import NotFinite, flaw_of
from orchestrator.levels import LevelInfo

_KEY = "level"
_LOG = "envolve_episodes"
_WORDS = "envolve_words"


@dataclass(frozen=True)
class Episode:
    """One finished episode.

    Attributes:
        level: the knob values that it was played on.
        revision: revision of the distribution that they were drawn from.
        play: place in the suite, or None in training (and for fillers).
        returns: undiscounted return of each agent (one entry, ``""``, for a single agent).
        length: env steps.
        success: ``info["is_success"]`` of the last step (of several agents: of each one's last),
            or None where the env has none.
        id: RLlib's id of it, drawn from the system; two runs that are alike differ in it alone.
        scores: what the value function says of it, where that was asked for: ``l1`` (mean of
            |GAE| over its steps, of all agents), ``pvl`` (of GAE's positive part), ``value``
            (of V(s)).
    """

    level: Mapping[str, Any]
    revision: int
    play: int | None
    returns: Mapping[str, float]
    length: int
    success: bool | None
    id: str = field(default="", compare=False)
    scores: Mapping[str, float] = field(default_factory=dict)

    def total(self, agents: Sequence[str] | None = None) -> float:
        """Sum of the returns, of all agents or of those named."""
        if agents is None:
            return sum(self.returns.values())
        return sum(self.returns.get(agent, 0.0) for agent in agents)


class EpisodeLog(RLlibCallback):  # type: ignore[misc]
    """Keeps a list of finished episodes on each env runner, to be drained between iterations.

    The level is copied into ``custom_data`` as soon as an ``info`` tells it: that ``info`` is
    in the first chunk alone, and episodes are cut into chunks at every ``sample()``.

    Nothing is trained on, and no member ranked by, rewards or observations that are not finite:
    `sample` raises `NotFinite` instead. They are looked at by the chunk, and not at every step.
    """

    def on_episode_start(self, *, episode: Any, **kwargs: Any) -> None:
        infos = episode.get_infos(0)
        info = next(iter(infos.values()), {}) if _multi_agent(episode) else infos
        if _KEY in info:
            _note(episode, info[_KEY])

    def on_episode_step(self, *, episode: Any, **kwargs: Any) -> None:
        # Where a generator's first action sets it, the level is known one step after the reset.
        if _KEY not in episode.custom_data:
            _note(episode, next(iter(episode.get_infos(-1).values()))[_KEY])

    def on_episode_end(
        self,
        *,
        episode: Any,
        env_runner: Any,
        env: Any,
        env_index: int,
        prev_episode_chunks: Any = (),
        **kwargs: Any,
    ) -> None:
        level, revision, play = episode.custom_data[_KEY]
        if _multi_agent(episode):
            # It is reset at the vector env's next step only.
            played = env.envs[env_index].unwrapped
            returns, successes = played.returns, list(played.successes.values())
            length = played.length
            # What an agent is paid while it waits for its turn is in no chunk.
            for agent, value in returns.items():
                if not math.isfinite(value):
                    _refuse(env_runner, episode, f"the return of {agent} is {value}")
        else:
            chunks = [*prev_episode_chunks, episode]
            returns = {"": sum(float(chunk.get_return()) for chunk in chunks)}
            info = episode.get_infos(-1)
            successes = [bool(info["is_success"])] if "is_success" in info else []
            # Not the sum of the chunks: RLlib's learner lengthens those that it has seen.
            length = int(episode.t)
        entry = Episode(
            level=level,
            revision=revision,
            play=play,
            returns=returns,
            length=length,
            success=all(successes) if successes else None,
            id=episode.id_,
        )
        log_of(env_runner).append(entry)

    def on_sample_end(self, *, env_runner: Any, samples: Any, **kwargs: Any) -> None:
        for chunk in samples:
            flaw = flaw_of(chunk)
            if flaw is not None:
                _refuse(env_runner, chunk, flaw)


def log_of(env_runner: Any) -> list[Episode]:
    """The runner's list of episodes that were not drained yet."""
    log: list[Episode] | None = getattr(env_runner, _LOG, None)
    if log is None:
        log = []
        setattr(env_runner, _LOG, log)
    return log


def drain(env_runner: Any) -> list[Episode]:
    """Take the finished episodes off a runner (called in the runner's own process)."""
    log = log_of(env_runner)
    episodes = list(log)
    log.clear()
    return episodes


def keep_words(env_runner: Any, folder: Path) -> None:
    """Leave last words about episodes of this runner in ``folder``."""
    setattr(env_runner, _WORDS, folder)


def words_about(episode: Any, flaw: str) -> LastWords:
    """Last words about an episode, or a chunk of one, that went on with this flaw."""
    level, revision, _ = episode.custom_data.get(_KEY, (None, None, None))
    return words_on(level, revision, flaw)


def words_on(level: Mapping[str, Any] | None, revision: int | None, flaw: str) -> LastWords:
    """Last words about an episode on this level that went on with this flaw."""
    return LastWords("step", in_one_line(NotFinite(flaw)), level, revision)


def refuse(env_runner: Any, flaw: str, words: LastWords) -> NoReturn:
    """Go no further with an episode that has a flaw, and leave last words about it.

    Raises:
        NotFinite: always.
    """
    folder: Path | None = getattr(env_runner, _WORDS, None)
    if folder is not None:
        speak(folder, words)
    raise NotFinite(flaw)


def _refuse(env_runner: Any, episode: Any, flaw: str) -> NoReturn:
    refuse(env_runner, flaw, words_about(episode, flaw))


def _note(episode: Any, level: LevelInfo) -> None:
    episode.custom_data[_KEY] = (level.plain(), level.revision, level.play)


def _multi_agent(episode: Any) -> bool:
    return isinstance(episode, MultiAgentEpisode)
