"""When a member has had enough."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stop:
    """Limits for each member; whichever comes first. None: no such limit.

    Attributes:
        iterations: training iterations.
        env_steps: env steps, those spent on scoring included.
        minutes: time spent in the member's own iterations.
        score: score on the select suite.
    """

    iterations: int | None = None
    env_steps: int | None = None
    minutes: float | None = None
    score: float | None = None

    def spent(self, iterations: int, env_steps: int, minutes: float) -> bool:
        """Whether one of the budgets is used up."""
        return (
            (self.iterations is not None and iterations >= self.iterations)
            or (self.env_steps is not None and env_steps >= self.env_steps)
            or (self.minutes is not None and minutes >= self.minutes)
        )

    def reached(self, score: float | None) -> bool:
        """Whether the score that ends the member's training is there."""
        return self.score is not None and score is not None and score >= self.score
