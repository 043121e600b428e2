"""What a population decides at its boundaries, as records; nothing is applied here.

Decisions draw from generators derived from (seed, arm, purpose, iteration, member), so deciding
again gives the same.
"""

from __future__ import annotations

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


def decide(population: Population, members: Sequence[int]) -> list[records.Record]:
    """The scheduler's decisions about ``members``: exploits, mutations, and that it decided."""
    scores = {
        member: state.score
        for member, state in population.members.items()
        if state.score is not None and not state.failed
    }
    donors = {member: _donor(population, member, scores) for member in members}
    decided: list[records.Record] = []
    # What the others go on with: explorers are told of it as running.
    running = [_interval(population, m, scores) for m, donor in donors.items() if donor is None]
    for member, donor in donors.items():
        if donor is not None:
            entry = _exploit(population, member, donor, running)
            decided += entry
            for exploit in entry:
                if isinstance(exploit, records.Exploit):
                    before = scores[donor]
                    running.append(Interval(member, exploit.iteration, exploit.after, before))
    # One record for each iteration: asynchronous members may be due at different ones.
    ranked = tuple((member, records.finite(score)) for member, score in ranking(scores))
    for iteration in sorted({population.members[member].iteration for member in members}):
        together = [m for m in members if population.members[m].iteration == iteration]
        decided.append(
            records.Boundary(
                arm=population.arm,
                seed=population.seed,
                iteration=iteration,
                members=tuple(together),
                ranking=ranked,
                next_moves=tuple(population.next_move(member) for member in together),
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


def moves(population: Population) -> list[records.Record]:
    """The callback's decisions: where curricula of the driver move at decided boundaries."""
    if population.runs_in_members:
        return []
    found: list[records.Record] = []
    curriculum = population.rules.curriculum
    for member in population.live():
        state = population.members[member]
        if member == population.rules.reference or state.decided_at != state.iteration:
            continue
        if state.iteration == 0:
            continue
        move = curriculum.move(stand_of(state), _generator(population, "move", member))
        if move is not None and move.stand.distribution != state.distribution:
            stand = move.stand
            found.append(_mutation(state, stand.distribution, move.why, CALLBACK, stand.state))
    return found


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
    returns = [state.returns for state in population.members.values() if not state.failed]
    own = population.members[member].returns
    found = []
    for place, (level, value) in enumerate(zip(population.rules.select, own, strict=False)):
        others = [each[place] for each in returns if place < len(each)]
        if value is not None:
            found.append((level, max(each for each in others if each is not None) - value))
    return tuple(found)


def _exploit(
    population: Population, member: int, donor: int, running: Sequence[Interval]
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
        [*population.intervals.history(), *running],
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
