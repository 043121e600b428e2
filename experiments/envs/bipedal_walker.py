"""BipedalWalker whose ground may have roughness, pits, stumps and stairs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from gymnasium.utils import EzPickle

from experiments.envs.bipedal_terrain import STEP, Ground, Point, Recipe, laid
from experiments.envs.levels import Levelled, Settable, suggested

with warnings.catch_warnings():
    # Types made by SWIG lack a `__module__`; as an error that crashes the interpreter.
    warnings.filterwarnings("ignore", "builtin type .* has no __module__", DeprecationWarning)
    import Box2D
    from gymnasium.envs.box2d import bipedal_walker as gymnasiums

__all__ = ["GOAL", "BipedalWalker"]

#: Where the course ends, in metres from its left end.
GOAL = (gymnasiums.TERRAIN_LENGTH - gymnasiums.TERRAIN_GRASS) * STEP


class BipedalWalker(Levelled, gymnasiums.BipedalWalker):
    """gymnasium's BipedalWalker on the ground of POET and ACCEL: their 8 knobs, as in dcd.

    After each stretch of 5 to 9 points of grass stands an obstacle of a random kind, among those
    that the level has. A kind's low and high are the ends of the range from which each obstacle
    is drawn uniformly; they are taken in order, whichever is the greater. As in dcd, there are
    pits if the greater is at least 0.8, and stumps and stairs if it is at least 0.2. Stumps are
    1 wide, a stair's steps 4. A flight goes up or down, at even odds, by all its steps, where dcd
    draws their number and loses the first step up.

    Without obstacles and with a roughness of 1 this is gymnasium's own env, with a roughness of 0
    the ground is flat. An episode lasts 2000 steps at most, as in dcd and in gymnasium's hardcore
    variant, which gives time for obstacles. `info["is_success"]` says whether the walker has come
    to the end of the course without a fall.

    An episode depends on the level and the seed alone: Box2D's world is a new one at each reset,
    because a used one orders contacts, and so rounds, by what it held before.

    knob | unit | meaning
    --- | --- | ---
    ground_roughness | | factor of each change of height between two points of grass
    pit_gap_low, pit_gap_high | step | width of a pit; a step of the ground is 0.47 m
    stump_height_low, stump_height_high | step |
    stair_height_low, stair_height_high | step | rise of each step of a flight
    stair_steps | | steps of a flight, rounded
    """

    SETTABLE: ClassVar[Mapping[str, Settable]] = MappingProxyType(
        {
            "ground_roughness": Settable(1.0, (0.0, 10.0), (0.0, 10.0)),
            "pit_gap_low": Settable(0.0, (0.0, 10.0), (0.0, 10.0)),
            "pit_gap_high": Settable(0.0, (0.0, 10.0), (0.0, 10.0)),
            "stump_height_low": Settable(0.0, (0.0, 5.0), (0.0, 5.0)),
            "stump_height_high": Settable(0.0, (0.0, 5.0), (0.0, 5.0)),
            "stair_height_low": Settable(0.0, (0.0, 5.0), (0.0, 5.0)),
            "stair_height_high": Settable(0.0, (0.0, 5.0), (0.0, 5.0)),
            "stair_steps": Settable(1.0, (1.0, 9.0), (0.0, 9.0)),
        }
    )
    KNOBS: ClassVar[Mapping[str, tuple[float, float]]] = suggested(SETTABLE)
    max_episode_steps: ClassVar[int] = 2000

    #: The ground of this episode.
    ground: Ground

    def __init__(
        self, config: Mapping[str, Any] | None = None, render_mode: str | None = None
    ) -> None:
        """`config` fixes knobs; raises ValueError for an unknown knob or an illegal value."""
        super().__init__(render_mode=render_mode)
        # What pickles and copies are made from: a world of Box2D's cannot be copied.
        EzPickle.__init__(self, dict(config or {}), render_mode)
        self._fix(config)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode on new ground, in a new world."""
        self._destroy()  # type: ignore[no-untyped-call]
        self.world = Box2D.b2World()
        observation, info = super().reset(seed=seed, options=options)
        return observation, info

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Move the four motors for a fiftieth of a second."""
        observation, reward, terminated, truncated, info = super().step(action)
        assert self.hull is not None
        arrived = terminated and not self.game_over and self.hull.position.x > GOAL
        return observation, float(reward), terminated, truncated, {**info, "is_success": arrived}

    def _apply(self, values: Mapping[str, float]) -> None:
        def between(name: str) -> tuple[float, float]:
            low, high = sorted((values[f"{name}_low"], values[f"{name}_high"]))
            return low, high

        self._recipe = Recipe(
            roughness=values["ground_roughness"],
            pit=between("pit_gap"),
            stump=between("stump_height"),
            stair=between("stair_height"),
            stair_steps=round(values["stair_steps"]),
        )

    def _generate_terrain(self, hardcore: bool) -> None:
        # Bodies, colours and their order are gymnasium's; its drawing reads them too.
        self.ground = laid(self._recipe, self.np_random)
        self.terrain = [self._static(self.fd_polygon, corners) for corners in self.ground.blocks]
        self.terrain_poly = []
        for place, (start, end) in enumerate(pairwise(self.ground.line)):
            body = self._static(self.fd_edge, (start, end))
            body.color1 = body.color2 = (76, 204 if place % 2 else 255, 76)
            below = [start, end, (end[0], 0.0), (start[0], 0.0)]
            self.terrain.append(body)
            self.terrain_poly.append((below, (102, 153, 76)))
        self.terrain.reverse()

    def _static(self, fixture: Any, vertices: Sequence[Point]) -> Any:
        fixture.shape.vertices = vertices
        body = self.world.CreateStaticBody(fixtures=fixture)
        body.color1, body.color2 = (255, 255, 255), (153, 153, 153)
        return body

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "level": self.level}  # type: ignore[no-untyped-call]

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self.set_level(state["level"])
