"""What a population decides at its boundaries, as records; nothing is applied here.

Decisions draw from generators derived from (seed, arm, purpose, iteration, member), so deciding
again gives the same.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from orchestrator import records, seeding
from orchestrator.curricula import Seen, Stand, State
from orchestrator.distributions import Distribution, Level
from orchestrator.exploit import ranking
from orchestrator.explore import Interval, Now
from orchestrator.frozen import text

if TYPE_CHECKING:
    import numpy as np

    from orchestrator.member_state import MemberState
    from orchestrator.population import Population
    from orchestrator.sketch import Journalled

SCHEDULER, CALLBACK, CURRICULUM = "scheduler", "callback", "curriculum"

# Boundaries without a move, after which a curriculum that waits for one is said to stall.
_PATIENCE = 3


def decide(population: Population, members: Sequence[int]) -> list[records.Record]:
    """The scheduler's decisions about ``members``: exploits, mutations, and that it decided."""
    scores = {
        member: state.score
        for member, state in population.members.items()
        if state.score is not None and not state.failed
    }
    donors = {member: _donor(population, member, scores) for member in members}
    decided: list[records.Record] = []
    history = population.intervals.history()
    # What the others go on with: explorers are told of it as running.
    running = [_interval(population, m, scores) for m, donor in donors.items() if donor is None]
    for member, donor in donors.items():
        if donor is not None:
            entry = _exploit(population, member, donor, [*history, *running])
            decided += entry
            for exploit in entry:
                if isinstance(exploit, records.Exploit):
                    before = scores[donor]
                    running.append(Interval(member, exploit.iteration, exploit.after, before))
    # One record for each iteration: asynchronous members may be due at different ones.
    ranked = tuple((member, records.finite(score)) for member, score in ranking(scores))
    together: dict[int, list[int]] = {}
    for member in members:
        together.setdefault(population.members[member].iteration, []).append(member)
    for iteration, those in sorted(together.items()):
        decided.append(
            records.Boundary(
                arm=population.arm,
                seed=population.seed,
                iteration=iteration,
                members=tuple(those),
                ranking=ranked,
                next_moves=tuple(population.next_move(member) for member in those),
            )
        )
    return decided


def _donor(population: Population, member: int, scores: Mapping[int, float]) -> int | None:
    if member == population.rules.reference:
        return None
    rng = _generator(population, "exploit", member)
    return population.rules.exploit.donor_for(member, scores, rng)


def _interval(population: Population, member: int, scores: Mapping[int, float]) -> Interval:
    state = population.members[member]
    before = scores.get(member, -math.inf)
    return Interval(member, state.iteration, state.hyperparameters, before)


def moves(population: Population, members: Sequence[int]) -> list[records.Mutation]:
    """The callback's decisions: where ``members``' curricula of the driver move, if they stand
    at decided boundaries.
    """
    if population.runs_in_members:
        return []
    found: list[records.Mutation] = []
    curriculum = population.rules.curriculum
    for member in members:
        state = population.members[member]
        if member == population.rules.reference or population.done(member):
            continue
        if state.iteration == 0 or state.decided_at != state.iteration:
            continue
        move = curriculum.move(stand_of(state), _generator(population, "move", member))
        if move is not None and move.stand.distribution != state.distribution:
            stand = move.stand
            found.append(_mutation(state, stand.distribution, move.why, CALLBACK, stand.state))
    return found


def next_move(population: Population, member: int) -> str:
    """One line: how far the member's curriculum is from its next move, and if it stalls."""
    state = population.members[member]
    outlook = state.outlook
    if not population.runs_in_members:
        if member == population.rules.reference:
            return "the reference stays as it is"
        waits = population.waiting(member)
        stand = compared(population, member) if waits else stand_of(state)
        outlook = population.rules.curriculum.outlook(stand)
    if outlook is None:
        return "begins"
    if outlook.waits and state.quiet >= _PATIENCE:
        return f"stalls for {state.quiet} boundaries: {outlook.text}"
    return outlook.text


def compared(population: Population, member: int) -> Stand:
    """Where the member stands in a curriculum of the driver that was told of its regrets.

    What others score later must not change what was decided here: to be asked once a boundary.
    """
    state, curriculum = population.members[member], population.rules.curriculum
    if "regret" not in curriculum.needs:
        return stand_of(state)
    seen = Seen(iteration=state.iteration, regrets=regrets(population, member))
    return curriculum.observe(stand_of(state), seen)


def stand_of(state: MemberState) -> Stand:
    """Where a member stands in a curriculum of the driver."""
    assert isinstance(state.distribution, Distribution)
    return Stand(state.distribution, state.curriculum)


def regrets(population: Population, member: int) -> tuple[tuple[Level, float], ...]:
    """Levels of the select suite, and how much better the best member did on each.

    The regret of PAIRED (Dennis et al. 2020), with the population for an antagonist. Levels on
    which someone's return is not known are left out.
    """
    own = population.members[member].returns
    best = population.best_returns()
    return tuple(
        (level, most - value)
        for level, value, most in zip(population.rules.select, own, best, strict=False)
        if value is not None and most is not None
    )


def best_returns(population: Population) -> tuple[float | None, ...]:
    """On each level of the select suite, the best return of the members that have not failed."""
    states = population.members.values()
    by_level = itertools.zip_longest(*(state.returns for state in states if not state.failed))
    return tuple(
        max((value for value in values if value is not None), default=None) for values in by_level
    )


def _exploit(
    population: Population, member: int, donor: int, history: Sequence[Interval]
) -> list[records.Record]:
    state, source = population.members[member], population.members[donor]
    if source.own is None or state.own is None:
        lacks = donor if source.own is None else member
        return [
            records.Fault(
                **state.who(),
                where="exploit",
                error=f"to copy m{donor}, m{lacks} must have a checkpoint, but has none",
                action=f"m{member} goes on as it is",
            )
        ]
    before = -math.inf if source.own.score is None else source.own.score
    explored = population.rules.explore.explore(
        source.hyperparameters,
        population.rules.search,
        _generator(population, "explore", member),
        history,
        Now(state.iteration, before),
    )
    after = {**source.hyperparameters, **explored}
    if member == donor and text(after) == text(state.hyperparameters):
        return []
    exploit = records.Exploit(
        **state.who(),
        donor=donor,
        checkpoint=source.own.path,
        digest=source.own.digest,
        saved=state.own.path,
        before=state.hyperparameters,
        after=after,
    )
    if population.runs_in_members:
        # The donor's curriculum comes with its checkpoint.
        moved, why = population.saved_with(donor).distribution, f"m{donor}'s"
        follows: State = {}
    else:
        rng = _generator(population, "mutate", member)
        move = population.rules.curriculum.copied(stand_of(source), rng)
        moved, why = move.stand.distribution, f"{move.why} of m{donor}'s"
        follows = move.stand.state
    if moved == state.distribution:
        return [exploit]
    return [exploit, _mutation(state, moved, why, SCHEDULER, follows)]


def _mutation(
    state: MemberState, after: Journalled, why: str, by: str, follows: State
) -> records.Mutation:
    return records.Mutation(
        **state.who(),
        revision=state.revision + 1,
        by=by,
        why=why,
        before=state.distribution.to_json(),
        after=after.to_json(),
        state=follows,
    )


def _generator(population: Population, purpose: str, member: int) -> np.random.Generator:
    iteration = population.members[member].iteration
    return seeding.generator(population.seed, population.arm, purpose, iteration, member)
