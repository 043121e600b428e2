"""The experiment file: its sections, keys and defaults.

One class per section of the file, in the file's order. An `Experiment` is one arm, fully merged.
These classes say what a key may hold by itself; what must hold between keys is checked where
positions are known, in `experiments.crosschecks`. Use `experiments.loading.load` to read a file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from experiments.curriculum_spec import Curriculum, FixedCurriculum
from experiments.fields import (
    TAG,
    AboveOne,
    Count,
    CountOrNull,
    CountOrZero,
    Free,
    Half,
    Name,
    NonNegative,
    Number,
    Positive,
    PositiveOrAuto,
    PositiveShare,
    Section,
    Share,
    Text,
    TextOrNull,
    TrueOrFalse,
    Version,
    of_bare_kind,
    says,
    says_of_container,
    tagged_by_kind,
)
from experiments.knob_spec import Knob, SearchKnob

_Apply = Annotated[
    Literal["auto", "method", "options", "attributes", "rebuild"],
    says("must be one of auto, method, options, attributes and rebuild"),
]
_Timeout = Annotated[
    Annotated[float, Field(gt=0)] | None, says("must be a number of seconds above 0, or null")
]
_Mode = Annotated[Literal["sync", "async"], says("must be sync or async")]
_Asked = Annotated[Literal["tpe", "gp", "cmaes"], says("must be one of tpe, gp and cmaes")]
_Sampler = Annotated[Literal["qmc", "random", "tpe"], says("must be one of qmc, random and tpe")]
_Aggregate = Annotated[
    Literal["mean", "iqm", "cvar", "min"], says("must be one of mean, iqm, cvar and min")
]
_Agents = Annotated[
    Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False)] | None,
    says("must be a list of agents' names, or null"),
]
_Names = Annotated[
    tuple[Text, ...], Field(strict=False), says_of_container("must be a list of knobs' names")
]
_WandbMode = Annotated[
    Literal["online", "offline"] | None, says("must be online, or offline, or null")
]
_Seeds = Annotated[
    tuple[CountOrZero, ...],
    Field(strict=False, min_length=1),
    says_of_container("must be a list of at least one whole number of at least 0"),
]


class Env(Section):
    """The environment, and which entries of its config may vary."""

    id: Text
    """A built-in, a gymnasium id, or package.module:attribute."""
    config: Free = Field(default_factory=dict)
    """The part of the env config that never changes."""
    knobs: dict[str, Knob] = Field(default_factory=dict)
    """Entries of the env config that vary, each with its legal range."""
    apply: _Apply = "auto"
    """How a level reaches a live env."""
    condition: _Names = ()
    """Knobs whose values each agent observes, scaled to [-1, 1]."""
    success_above: Number | None = None
    """Return from which on an episode counts as solved, where info["is_success"] does not say."""
    timeout: _Timeout = 600.0
    """Seconds that one reset or step may take before its member fails; null: any time."""


class Algorithm(Section):
    """An RLlib algorithm, its settings by RLlib's own sections, and what is searched."""

    name: Text = "PPO"
    """Any RLlib algorithm of the new API stack."""
    training: Free = Field(default_factory=dict)
    env_runners: Free = Field(default_factory=dict)
    learners: Free = Field(default_factory=dict)
    rl_module: Free = Field(default_factory=dict)
    multi_agent: Free = Field(default_factory=dict)
    offline_data: Free = Field(default_factory=dict)
    framework: Free = Field(default_factory=dict)
    reporting: Free = Field(default_factory=dict)
    debugging: Free = Field(default_factory=dict)
    fault_tolerance: Free = Field(default_factory=dict)
    experimental: Free = Field(default_factory=dict)
    search: dict[str, SearchKnob] = Field(default_factory=dict)
    """Keys of `training` that the population searches."""
    policy_search: dict[str, dict[str, SearchKnob]] = Field(default_factory=dict)
    """As `search`, for single policies, by their names."""


class _Lead(Section):
    """How far ahead a donor must be."""

    kind: str
    min_gap: NonNegative = 0.0
    """Score by which a donor must be ahead."""
    min_gap_share: Share = 0.0
    """The same as a share of the larger of the two scores, without their signs."""


class Truncation(_Lead):
    """The worst share of the members copies members drawn from the best share."""

    kind: Literal["truncation"] = "truncation"
    fraction: Half = 0.25


class Tournament(_Lead):
    """Each member meets another one at random, and copies it if that is ahead."""

    kind: Literal["tournament"] = "tournament"


class NoExploit(Section):
    """Members never copy each other."""

    kind: Literal["none"] = "none"


Exploit = Annotated[
    Annotated[Truncation, Tag(TAG + "truncation")]
    | Annotated[Tournament, Tag(TAG + "tournament")]
    | Annotated[NoExploit, Tag(TAG + "none")],
    Discriminator(tagged_by_kind),
]


class Perturb(Section):
    """Each searched key is multiplied or divided by a factor, or now and then drawn anew."""

    kind: Literal["perturb"] = "perturb"
    factor: AboveOne = 1.2
    resample: Share = 0.25
    """Probability that a key is drawn anew."""


class Resample(Section):
    """Each searched key is drawn anew."""

    kind: Literal["resample"] = "resample"


class OptunaExplore(Section):
    """Asks an Optuna sampler, which is told what each interval has brought."""

    kind: Literal["optuna"] = "optuna"
    sampler: _Asked = "tpe"
    window: Count = 1000
    """The newest intervals that count."""


Explore = Annotated[
    Annotated[Perturb, Tag(TAG + "perturb")]
    | Annotated[Resample, Tag(TAG + "resample")]
    | Annotated[OptunaExplore, Tag(TAG + "optuna")],
    Discriminator(tagged_by_kind),
]


class RandomInitial(Section):
    """The members' first hyperparameters are drawn independently."""

    kind: Literal["random"] = "random"


class OptunaInitial(Section):
    """An Optuna sampler draws the members' first hyperparameters and distributions."""

    kind: Literal["optuna"] = "optuna"
    sampler: _Sampler = "qmc"


Initial = Annotated[
    Annotated[RandomInitial, Tag(TAG + "random")] | Annotated[OptunaInitial, Tag(TAG + "optuna")],
    Discriminator(tagged_by_kind),
]


class Population(Section):
    """The members that compete, and how."""

    size: Count = 4
    interval: Count = 4
    """Iterations between two boundaries."""
    mode: _Mode = "sync"
    exploit: Exploit = Truncation()
    explore: Explore = Perturb()
    initial: Initial = RandomInitial()
    reference: TrueOrFalse = False
    """Whether the last member is left as it begins, to compare the others with."""
    max_faults: CountOrZero = 3
    """How often a member may fail and go back to its last boundary before it is given up."""


class Evaluation(Section):
    """How members are scored: the select suite ranks them, the test suite is for reports."""

    levels: Count = 16
    """Levels of the select suite."""
    aggregate: _Aggregate = "mean"
    alpha: PositiveShare = 0.25
    """The worst share of the returns that CVaR averages."""
    test_levels: CountOrZero = 64
    agents: _Agents = None
    """Agents whose returns count; all of them if not given."""
    max_steps: Count = 10_000
    """Env steps after which an episode of a suite is cut off."""
    seed: CountOrZero = 0
    """Seeds the suites, the same for every arm and seed of the file."""


class Checkpoint(Section):
    """What is kept beyond each member's latest checkpoint."""

    keep_best: Count = 3


class Stop(Section):
    """When a member ends, whichever comes first; at least one is given."""

    iterations: Count | None = None
    env_steps: Count | None = None
    minutes: Positive | None = None
    score: Number | None = None


class Resources(Section):
    """What a member takes, and how many may be resident at once."""

    cpus_per_member: PositiveOrAuto = "auto"
    memory_per_member: PositiveOrAuto = "auto"
    """GiB."""
    gpus_per_member: NonNegative = 0.0
    max_resident: CountOrNull = None


class WandbLogger(Section):
    """Weights & Biases: a run for each member; takes the extra `wandb`."""

    kind: Literal["wandb"] = "wandb"
    project: TextOrNull = None
    """Null: the experiment's name."""
    entity: TextOrNull = None
    """A team or user; null: whoever is logged in."""
    group: TextOrNull = None
    """Null: each population is a group, by the names of run and arm."""
    mode: _WandbMode = None
    """Null: what WANDB_MODE says, else online."""


class MlflowLogger(Section):
    """MLflow: a run for each member; takes the extra `mlflow`."""

    kind: Literal["mlflow"] = "mlflow"
    tracking_uri: TextOrNull = None
    """Null: what MLFLOW_TRACKING_URI says, else MLflow's default in the working directory."""
    experiment: TextOrNull = None
    """Null: the experiment's name."""


Logger = Annotated[
    Annotated[WandbLogger, Tag(TAG + "wandb")] | Annotated[MlflowLogger, Tag(TAG + "mlflow")],
    Discriminator(tagged_by_kind),
]
_Loggers = Annotated[
    tuple[
        Annotated[
            Logger,
            BeforeValidator(
                of_bare_kind, json_schema_input_type=Literal["wandb", "mlflow"] | Logger
            ),
        ],
        ...,
    ],
    Field(strict=False),
    says_of_container("must be a list of loggers"),
]


class Experiment(Section):
    """One arm of an experiment file, with every default filled in."""

    envolve: Version
    """The version of this format."""
    name: Name
    env: Env
    algorithm: Algorithm = Algorithm()
    curriculum: Curriculum = FixedCurriculum()
    population: Population = Population()
    evaluation: Evaluation = Evaluation()
    checkpoint: Checkpoint = Checkpoint()
    stop: Stop
    resources: Resources = Resources()
    loggers: _Loggers = ()
    """What the run is logged to beside TensorBoard: kinds, or mappings with settings."""
    seeds: _Seeds = (0,)
