"""What a runner's policy does, without the episodes and batches that RLlib takes it through.

RLlib's pipelines are made for training: each step puts observations into episodes, looks them up
there, and takes apart by env whatever the module said of them. That is most of what sampling takes.
Where they are RLlib's defaults, they come to a few calls, which are these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete
from ray.rllib.connectors.env_to_module import (
    AddObservationsFromEpisodesToBatch,
    AddStatesFromEpisodesToBatch,
    AddTimeDimToBatchAndZeroPad,
    BatchIndividualItems,
    NumpyToTensor,
)
from ray.rllib.connectors.module_to_env import (
    GetActions,
    ListifyDataForVectorEnv,
    NormalizeAndClipActions,
    RemoveSingleTsTimeRankFromBatch,
    TensorToNumpy,
    UnBatchToIndividualItems,
)
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModule
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner
from ray.rllib.utils.numpy import convert_to_numpy
from ray.rllib.utils.spaces.space_utils import clip_action, unsquash_action
from ray.rllib.utils.torch_utils import convert_to_torch_tensor

from orchestrator.rllib.processes import RunnerCallbacks

Act = Callable[[Any], Sequence[Any]]
"""From an array of observations, one for each env, to an action for each env."""

_TO_MODULE = (
    AddObservationsFromEpisodesToBatch,
    AddTimeDimToBatchAndZeroPad,
    AddStatesFromEpisodesToBatch,
    BatchIndividualItems,
    NumpyToTensor,
)
_TO_ENV = (
    GetActions,
    TensorToNumpy,
    UnBatchToIndividualItems,
    RemoveSingleTsTimeRankFromBatch,
    NormalizeAndClipActions,
    ListifyDataForVectorEnv,
)
_ARRAYS = (Box, Discrete, MultiBinary, MultiDiscrete)


def acting(runner: Any) -> Act | None:
    """The runner's deterministic policy, as its pipelines have it act.

    None where they do more than RLlib's defaults: of several agents, with a state, with pieces or
    callbacks of the user's, or on spaces that are not arrays.
    """
    if type(runner) is not SingleAgentEnvRunner or _watched(runner):
        return None
    module = runner.module
    if isinstance(module, MultiRLModule) or module.is_stateful():
        return None
    spaces = (runner.env.single_observation_space, runner.env.single_action_space)
    if not all(isinstance(space, _ARRAYS) for space in spaces):
        return None
    if _kinds(runner._env_to_module) != _TO_MODULE or _kinds(runner._module_to_env) != _TO_ENV:
        return None
    fitted = _fitting(runner._module_to_env.connectors[_TO_ENV.index(NormalizeAndClipActions)])
    device = runner._device

    def act(observations: Any) -> Sequence[Any]:
        batch = convert_to_torch_tensor({Columns.OBS: observations}, device=device)
        with torch.no_grad():
            said = module.forward_inference(batch)
            actions = said.get(Columns.ACTIONS)
            if actions is None:
                kind = module.get_inference_action_dist_cls()
                chosen = kind.from_logits(said[Columns.ACTION_DIST_INPUTS]).to_deterministic()
                actions = chosen.sample()
        return [fitted(action) for action in convert_to_numpy(actions)]

    return act


def _watched(runner: Any) -> bool:
    """Whether somebody but us is called back while it samples."""
    if any(type(each) is not RunnerCallbacks for each in runner._callbacks):
        return True
    functions = (name for name in vars(runner.config) if name.startswith("callbacks_on_"))
    return any(getattr(runner.config, name) for name in functions)


def _kinds(pipeline: Any) -> tuple[type[Any], ...]:
    return tuple(type(piece) for piece in pipeline.connectors)


def _fitting(piece: Any) -> Callable[[Any], Any]:
    """What the piece does to one action so that it lies in the env's space."""
    space = piece._action_space_struct
    if piece.normalize_actions:
        return lambda action: unsquash_action(action, space)
    if piece.clip_actions:
        return lambda action: clip_action(action, space)
    return lambda action: action
