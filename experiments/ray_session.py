"""Starting Ray so that its workers import our packages and the user's env, in that order."""

from __future__ import annotations

import gc
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.importing import importable_from

USER_DIR = "ENVOLVE_USER_DIR"


def collect_seldom() -> None:
    """Have Python look for garbage after every 10,000 new objects, not after every 700.

    Torch and RLlib make hundreds of thousands that stay, and going over them again and again is
    a quarter of what it takes to import them.
    """
    gc.set_threshold(10_000)


def prepare_worker() -> None:
    """Runs in every worker: the user's directory is importable, after everything else."""
    collect_seldom()
    directory = os.environ.get(USER_DIR)
    if directory:
        importable_from(directory)


def loopback() -> dict[str, str]:
    """Environment in which a Ray that is started listens on this machine's loopback alone.

    Ray reads it when it is first imported. It is the switch by which Ray keeps to itself on
    Windows and macOS; where there is a cluster to join it must not be set.
    """
    started = Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp", "ray")
    joins = os.environ.get("RAY_ADDRESS") or (started / "ray_current_cluster").exists()
    return {} if joins else {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


@contextmanager
def ray_session(user_dir: Path) -> Iterator[None]:
    """Ray for the time of the block, started from a neutral directory.

    Ray puts the driver's working directory first on every worker's ``sys.path``; a user's
    folder called ``analysis`` or ``callbacks`` would then hide ours.
    """
    os.environ.update(loopback())
    os.environ[USER_DIR] = str(user_dir)
    # Tune's own handler saves nothing and exits with 0; ours saves every member.
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"
    # Resuming needs the journal alone, so Tune need not write its state every few seconds.
    os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", "3600")
    os.environ.setdefault("TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S", "0")
    # They would show seats in the place of members, and nobody reads what they write.
    os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    # A member's failure is a fault in the journal and on the screen, not a traceback.
    os.environ.setdefault("TUNE_PRINT_ALL_TRIAL_ERRORS", "0")
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Workers started in advance lack the environment that ours are given: Ray would wait for
    # one for each CPU, and use none of them.
    os.environ.setdefault("RAY_prestart_worker_first_driver", "0")
    # Nobody reads Tune's own state files, so it is no news when the disk does not take them.
    logging.getLogger("ray.tune.execution.experiment_state").setLevel(logging.CRITICAL)
    import ray

    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="envolve-") as neutral:
        os.chdir(neutral)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ray.init(
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    runtime_env={
                        "worker_process_setup_hook": prepare_worker,
                        "env_vars": {
                            USER_DIR: str(user_dir),
                            "PYTHONWARNINGS": "ignore",
                            # RLlib goes through sets of agents' names: in another order in every
                            # process, a batch would be, and so would what is learnt from it.
                            "PYTHONHASHSEED": "0",
                        },
                    },
                )
        finally:
            os.chdir(before)
        try:
            yield
        finally:
            ray.shutdown()
