"""How the file writes a curriculum: one section for each kind, with the published defaults.

Presets are kinds of their own: ``plr``, ``plr_robust`` and ``accel`` are one rule with different
defaults, all of whose parameters can be given. `experiments.curricula` makes the rules of them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from experiments.fields import (
    TAG,
    Count,
    CountOrZero,
    Free,
    Name,
    Number,
    Positive,
    PositiveShare,
    Section,
    Share,
    Text,
    TrueOrFalse,
    says,
    says_of_container,
    tagged_by_kind,
)
from experiments.knob_spec import BlendStart, RangeStart, SearchKnob, WeightsStart

_Operator = Annotated[
    Literal["shift", "widen", "narrow", "reweight", "resample"],
    says("must be one of shift, widen, narrow, reweight and resample"),
]
_Operators = Annotated[
    tuple[_Operator, ...],
    Field(strict=False, min_length=1),
    says_of_container("must be a list of at least one operator"),
]
_StageMeasure = Annotated[
    Literal["score", "return", "success", "env_steps", "iterations"],
    says("must be one of score, return, success, env_steps and iterations"),
]
_Measure = Annotated[Literal["return", "success"], says("must be return or success")]
_Score = Annotated[
    Literal["l1", "pvl", "maxmc", "learnability"],
    says("must be one of l1, pvl, maxmc and learnability"),
]
_Fresh = Annotated[Literal["full", "start"], says("must be full or start")]


def _draw_tag(value: Any) -> str:
    """How a stage draws a knob: told apart by the keys, as knobs themselves are."""
    if isinstance(value, list | WeightsStart) or (isinstance(value, dict) and "weights" in value):
        return TAG + "weights"
    blend = isinstance(value, BlendStart) or (isinstance(value, dict) and "center" in value)
    return TAG + ("blend" if blend else "range")


Draw = Annotated[
    Annotated[RangeStart, Tag(TAG + "range")]
    | Annotated[WeightsStart, Tag(TAG + "weights")]
    | Annotated[BlendStart, Tag(TAG + "blend")],
    Discriminator(_draw_tag),
]


class FixedCurriculum(Section):
    """Trains on the knobs' start distribution throughout."""

    kind: Literal["fixed"] = "fixed"


class DomainRandomization(Section):
    """Trains on the whole legal range, drawn uniformly, throughout."""

    kind: Literal["domain_randomization"] = "domain_randomization"


class Widen(Section):
    """Widens a member's distribution once its mean return on it passes a threshold."""

    above: Number
    """Mean training return that must be passed."""
    by: PositiveShare = 0.1
    """How far each end moves outward, as a share of the legal width."""
    min_episodes: Count = 20
    """Episodes on the present distribution before it may widen."""


class PopulationCurriculum(Section):
    """Mutates the env distribution of a member that copies a better one."""

    kind: Literal["population"] = "population"
    widen: Widen | None = None
    operators: _Operators = ("shift", "widen", "narrow", "reweight", "resample")
    """Which mutations are drawn from."""
    amount: PositiveShare = 0.1
    """The size of a mutation, as a share of the legal width."""


class PopulationRegret(Section):
    """Moves each member to levels on which another member of the population does better."""

    kind: Literal["population_regret"] = "population_regret"
    uniform: Share = 0.2
    """Share of the training that stays on the whole legal range."""
    reach: PositiveShare = 0.1
    """How far around such a level is trained, as a share of the legal width."""
    parts: Count = 8
    """How many of these levels count, those with the highest regret."""


class Until(Section):
    """When a stage ends."""

    measure: _StageMeasure
    above: Number
    """What the measure must reach; env steps and iterations count from the stage's beginning."""
    min_episodes: Count = 20
    """Episodes that a mean return or a share of successes must be over."""


class Stage(Section):
    """Some knobs are drawn in another way for a while."""

    name: Name
    knobs: dict[str, Draw] = Field(default_factory=dict)
    """How these knobs are drawn; the others as at the start."""
    until: Until | None = None


class Stages(Section):
    """A list of distributions, one after the other, each until a threshold is reached."""

    kind: Literal["stages"] = "stages"
    stages: Annotated[
        tuple[Stage, ...],
        Field(strict=False, min_length=1),
        says_of_container("must be a list of at least one stage"),
    ]


class _Searchable(Section):
    """A rule that each member runs by itself, so that members may have different parameters."""

    kind: str
    search: dict[str, SearchKnob] = Field(default_factory=dict)
    """Parameters of this curriculum that the population searches."""


class ADR(_Searchable):
    """Moves each end of each range by how well the agent does on that very end (OpenAI 2019)."""

    kind: Literal["adr"] = "adr"
    above: Number
    """A bound moves outward where the mean of its queue is at least this."""
    below: Number
    """A bound moves inward where the mean of its queue is at most this."""
    measure: _Measure = "return"
    boundary: PositiveShare = 0.5
    """Share of the levels that have a knob at one of its bounds."""
    queue: Count = 10
    """Episodes at a bound that decide whether it moves."""
    step: PositiveShare = 0.1
    """How far a bound moves, as a share of the legal width."""


class ALPGMM(_Searchable):
    """Draws from where the return changes fastest (Portelas et al. 2019)."""

    kind: Literal["alp_gmm"] = "alp_gmm"
    fit_every: Count = 250
    """Episodes between two fits of the mixture, which they are made of."""
    random_share: PositiveShare = 0.2
    """Share of the levels that is drawn from the whole legal range."""
    most_gaussians: Count = 10
    """Gaussians in the mixture at most."""
    history: Count = 2000
    """Episodes that are looked back on for the nearest level."""


class _LevelBuffer(_Searchable):
    """What the kinds of level buffer share; the defaults are those of robust PLR."""

    score: _Score = "maxmc"
    """How much there is to learn from a level."""
    capacity: Count = 4000
    """Levels that are kept at most."""
    temperature: Positive = 0.3
    """How flat the replay is over the ranks of the scores."""
    staleness: Share = 0.3
    """Share of the replay that goes to levels which were not played for long."""
    replay: PositiveShare = 0.5
    """Share of the episodes that are replays, once the buffer is filled."""
    fill: PositiveShare = 0.5
    """Share of the buffer that must be full before anything is replayed."""
    train_on_new: TrueOrFalse = False
    """Whether new levels are trained on, or rolled out without gradient."""
    fresh: _Fresh = "full"
    """Where new levels come from: the whole legal range, or the knobs' starts."""
    edits: CountOrZero = 0
    """Edited copies of each parent, rolled out without gradient."""
    parents: Count = 4
    """Levels just replayed that are edited, the easiest."""
    edit_steps: Count = 5
    """Moves of one knob in each edited copy."""


class PLR(_LevelBuffer):
    """Replays levels with much to learn; new ones are trained on too (Jiang et al. 2021)."""

    kind: Literal["plr"] = "plr"
    train_on_new: TrueOrFalse = True


class RobustPLR(_LevelBuffer):
    """As plr, but only replayed levels are trained on (Jiang et al. 2021)."""

    kind: Literal["plr_robust"] = "plr_robust"


class ACCEL(_LevelBuffer):
    """As plr_robust, with edited copies of replayed levels (Parker-Holder et al. 2022)."""

    kind: Literal["accel"] = "accel"
    score: _Score = "pvl"
    replay: PositiveShare = 0.8
    fresh: _Fresh = "start"
    edits: CountOrZero = 4


class SFL(_Searchable):
    """Now and then rolls out many levels, and trains on those solved half of the time
    (Rutherford et al. 2024).
    """

    kind: Literal["sfl"] = "sfl"
    candidates: Count = 128
    """Random levels that are rolled out each time."""
    rollouts: Count = 4
    """Episodes on each of them."""
    keep: Count = 32
    """Levels that are kept at most."""
    every: Count = 16
    """Iterations from one time to the next."""
    share: PositiveShare = 0.5
    """Share of the training that is on kept levels."""


class Scenario(Section):
    """A policy, `generator`, acts in the first step and decides the level; the env's agents act
    from the second step on.
    """

    kind: Literal["scenario"] = "scenario"
    reward: Text = "minimax"
    """What the generator is paid: minimax, regret, flexible, or package.module:function."""
    noise: CountOrZero = 8
    """Random numbers that the generator observes, so that it can answer with various levels."""
    recent: Count = 20
    """Episodes over which a team's return is averaged that the generator observes."""
    entropy: Annotated[float, Field(ge=0), says("must be a number of at least 0")] = 0.05
    """Entropy bonus of the generator's policy."""


class Minimax(Scenario):
    """The generator is paid what the agents lose (Dennis et al. 2020)."""

    kind: Literal["minimax"] = "minimax"  # type: ignore[assignment]


class Paired(Scenario):
    """Protagonist and antagonist each play the level; the generator is paid the difference
    (Dennis et al. 2020).
    """

    kind: Literal["paired"] = "paired"  # type: ignore[assignment]
    reward: Text = "regret"


class FlexiblePaired(Scenario):
    """As paired, with whichever of the two did better for an antagonist."""

    kind: Literal["flexible_paired"] = "flexible_paired"  # type: ignore[assignment]
    reward: Text = "flexible"


class ScheduledChange(Section):
    """What changes after an iteration; what is not named stays as it is."""

    iteration: CountOrZero
    """Iterations that were trained before it."""
    distribution: Free | None = None
    """The env distribution from then on, as a journal writes it."""
    hyperparameters: Free = Field(default_factory=dict)
    """Keys of `algorithm.training`, as policy.NAME.KEY those of a single policy."""


class Replay(Section):
    """Trains one fresh agent on the env distributions and by the hyperparameters of a schedule.

    `envolve replay` writes it of what the weights of a run's member saw.
    """

    kind: Literal["replay"] = "replay"
    schedule: Annotated[
        tuple[ScheduledChange, ...],
        Field(strict=False, min_length=1),
        says_of_container("must be a list of at least one change"),
    ]


Curriculum = Annotated[
    Annotated[FixedCurriculum, Tag(TAG + "fixed")]
    | Annotated[DomainRandomization, Tag(TAG + "domain_randomization")]
    | Annotated[Stages, Tag(TAG + "stages")]
    | Annotated[ADR, Tag(TAG + "adr")]
    | Annotated[ALPGMM, Tag(TAG + "alp_gmm")]
    | Annotated[PLR, Tag(TAG + "plr")]
    | Annotated[RobustPLR, Tag(TAG + "plr_robust")]
    | Annotated[ACCEL, Tag(TAG + "accel")]
    | Annotated[SFL, Tag(TAG + "sfl")]
    | Annotated[PopulationCurriculum, Tag(TAG + "population")]
    | Annotated[PopulationRegret, Tag(TAG + "population_regret")]
    | Annotated[Scenario, Tag(TAG + "scenario")]
    | Annotated[Minimax, Tag(TAG + "minimax")]
    | Annotated[Paired, Tag(TAG + "paired")]
    | Annotated[FlexiblePaired, Tag(TAG + "flexible_paired")]
    | Annotated[Replay, Tag(TAG + "replay")],
    Discriminator(tagged_by_kind),
]
