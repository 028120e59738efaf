//! A model of claims, leases, splits and wants, explored whole by machine within small bounds: two owners, two workers, two
//! renditions, every order of what they may do. `model.rs` does the same by chance on the store itself.
//!
//! Each transition names the statement whose rule it is; a rule that changes there changes here. `Fault` breaks one rule
//! each, and the checker finds what it costs.

use stateright::{Checker, HasDiscoveries, Model, Property};

const OWNERS: usize = 2;
const WORKERS: usize = 2;
/// Segments of each rendition of each owner's video.
const TOTAL: u8 = 3;
/// The renditions of a video, as bits of a set.
const RENDITIONS: [u8; 2] = [0b01, 0b10];
/// The bounds of a history: what goes wrong does so within a few steps, or not at all.
const CLAIMS: u8 = 4;
const WANTS: u8 = 2;
const FREEZES: u8 = 1;
/// How near an encoder must be to a segment to be left alone, as in `jobs/wants.rs`.
const NEAR: u8 = 1;

const NOTHING_LOST: &str = "each segment is published or in a run";
const IN_ONE_RUN: &str = "no segment is in two runs";
const ONE_LEASE: &str = "no run has two leases that last";
const NOBODY_STARVES: &str = "an owner who waits is passed over by as many claims as there are owners";
const ALL_THERE: &str = "all can be there in the end";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Class {
    Calm,
    Wanted,
}

/// A row of `jobs` that is a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Run {
    id: u8,
    owner: usize,
    renditions: u8,
    first: u8,
    last: u8,
    class: Class,
    /// `lease_owner`, also once the lease is over.
    lease: Option<usize>,
}

/// The run that a worker has in hand, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Hand {
    run: u8,
    /// Its lease lasts. A worker does not know when it is over.
    lasts: bool,
}

/// The rows of `service` of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Service {
    served: [u8; OWNERS],
    clock: u8,
    /// Claims of others since a run of the owner's could be claimed.
    passed: [u8; OWNERS],
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    runs: Vec<Run>,
    next_id: u8,
    /// Rows of `segments`, as a set of renditions for each number.
    published: [[u8; TOTAL as usize]; OWNERS],
    hands: [Option<Hand>; WORKERS],
    service: [Service; 2],
    claims: u8,
    wants: u8,
    freezes: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    Claims(usize),
    Publishes(usize),
    Finishes(usize),
    GivesBack(usize),
    /// A worker freezes, or dies: its lease runs out.
    Freezes(usize),
    Wants {
        owner: usize,
        rendition: u8,
        number: u8,
    },
}

/// A rule that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// A worker gives back what another has by now: `and lease_owner = $2` is missing in `release`.
    ReleaseWithoutLease,
    /// A want inserts its part and leaves the run as it was: `cut_off` is missing.
    WantWithoutCut,
    /// A want forgets what lies behind its part.
    WantWithoutRest,
    /// A claim takes a run whose lease lasts: `lease_until < $3` is missing.
    ClaimOfTheLeased,
    /// A claim takes the oldest row, whoever has been served.
    ClaimByArrival,
}

struct Queue {
    fault: Fault,
}

impl Queue {
    /// `claim!` of `jobs/claim.rs`: of the most urgent class the least served owner, then the run that comes first.
    fn claim(&self, world: &mut World, worker: usize) -> bool {
        let by_arrival = self.fault == Fault::ClaimByArrival;
        let takes_all = self.fault == Fault::ClaimOfTheLeased;
        let next = (0..world.runs.len())
            .filter(|at| takes_all || is_claimable(world, &world.runs[*at]))
            .min_by_key(|at| {
                let run = &world.runs[*at];
                let served = world.service[run.class as usize].served[run.owner];
                let turn = (run.owner, run.first, run.id);
                (std::cmp::Reverse(run.class), if by_arrival { 0 } else { served }, turn)
            });
        let Some(at) = next else { return false };
        let (class, owner) = (world.runs[at].class, world.runs[at].owner);
        for other in 0..OWNERS {
            let waits = world
                .runs
                .iter()
                .any(|run| run.owner == other && run.class == class && is_claimable(world, run));
            let passed = &mut world.service[class as usize].passed[other];
            *passed = if waits && other != owner { *passed + 1 } else { 0 };
        }
        world.runs[at].lease = Some(worker);
        world.hands[worker] = Some(Hand { run: world.runs[at].id, lasts: true });
        begin_service(&mut world.service[class as usize], owner);
        true
    }

    /// `want` of `jobs/wants.rs`: the segment is cut out of the run that has it, and raised.
    fn want(&self, world: &mut World, owner: usize, rendition: u8, number: u8) -> bool {
        let has = |run: &Run| run.owner == owner && run.renditions & rendition != 0;
        let found = world.runs.iter().position(|run| has(run) && (run.first..run.last).contains(&number));
        let Some(at) = found else { return false };
        let run = world.runs[at].clone();
        let is_published = |n: u8| world.published[owner][n as usize] & rendition != 0;
        if run.class == Class::Wanted || is_published(number) {
            return false;
        }
        let others = run.renditions & !rendition;
        let near = if others == 0 { NEAR } else { 0 };
        let encoder = (run.first..run.last).find(|n| !is_published(*n)).unwrap_or(run.last);
        let goes_on = !is_claimable(world, &run) && number <= encoder + near;
        // An encoder that is near goes on to the end of the segment.
        let cut = if goes_on { number + 1 } else { number };
        if goes_on {
            world.runs[at].class = Class::Wanted;
        }
        if self.fault != Fault::WantWithoutCut {
            if cut > run.first {
                world.runs[at].last = cut;
            } else {
                world.runs.remove(at);
            }
        }
        let mut insert = |renditions: u8, first: u8, last: u8, class: Class| {
            if renditions != 0 && first < last {
                world.runs.push(Run {
                    id: world.next_id,
                    renditions,
                    first,
                    last,
                    class,
                    lease: None,
                    ..run.clone()
                });
                world.next_id += 1;
            }
        };
        insert(rendition, cut, number + 1, Class::Wanted);
        insert(others, cut, number + 1, Class::Calm);
        if self.fault != Fault::WantWithoutRest {
            insert(run.renditions, number + 1, run.last, Class::Calm);
        }
        true
    }

    /// `release` of `jobs.rs`: the lease goes where it is still the worker's.
    fn release(&self, world: &mut World, worker: usize, id: u8) {
        let any = self.fault == Fault::ReleaseWithoutLease;
        let of_hand = world.runs.iter_mut().filter(|run| run.id == id);
        of_hand.filter(|run| any || is_leased_to(run, worker)).for_each(|run| run.lease = None);
        world.hands[worker] = None;
    }
}

/// The conditions of `claimable!`.
fn is_claimable(world: &World, run: &Run) -> bool {
    let lasts = |holder: usize| world.hands[holder].is_some_and(|hand| hand.run == run.id && hand.lasts);
    !run.lease.is_some_and(lasts)
}

/// `lease_owner = $2`: the owner decides and not the time, until another has claimed it.
fn is_leased_to(run: &Run, worker: usize) -> bool {
    run.lease == Some(worker)
}

/// `begin_service` of `jobs/service.rs`: what was idle begins at the clock, which is that of the last claim.
fn begin_service(service: &mut Service, owner: usize) {
    let start = service.served[owner].max(service.clock);
    (service.served[owner], service.clock) = (start + 1, start);
}

/// Returns the next segment that the run of a worker lacks, up to where its row ends by now: `standing` of `jobs/runs.rs`.
fn next_missing(world: &World, run: &Run) -> Option<u8> {
    (run.first..run.last).find(|n| run.renditions & !world.published[run.owner][*n as usize] != 0)
}

/// Returns the run that a worker has in hand, while its row is there.
fn in_hand(world: &World, worker: usize) -> Option<&Run> {
    let hand = world.hands[worker]?;
    world.runs.iter().find(|run| run.id == hand.run)
}

impl Model for Queue {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let run = |id, owner, first, last| Run {
            id,
            owner,
            renditions: if owner == 0 { 0b11 } else { 0b01 },
            first,
            last,
            class: Class::Calm,
            lease: None,
        };
        // The second owner's video has the one rendition.
        let published = [[0; TOTAL as usize], [0b10; TOTAL as usize]];
        let runs = vec![run(0, 0, 0, 2), run(1, 0, 2, TOTAL), run(2, 1, 0, TOTAL)];
        let service = [Service::default(), Service::default()];
        vec![World {
            runs,
            next_id: 3,
            published,
            hands: [None; WORKERS],
            service,
            claims: 0,
            wants: 0,
            freezes: 0,
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        for worker in 0..WORKERS {
            if world.hands[worker].is_none() {
                if world.claims < CLAIMS {
                    steps.push(Step::Claims(worker));
                }
                continue;
            }
            steps.extend([Step::Publishes(worker), Step::Finishes(worker), Step::GivesBack(worker)]);
            if world.freezes < FREEZES {
                steps.push(Step::Freezes(worker));
            }
        }
        if world.wants == WANTS {
            return;
        }
        for owner in 0..OWNERS {
            for rendition in RENDITIONS {
                // A want for the middle cuts a run in three; one for the end in two.
                steps.extend((1..TOTAL).map(|number| Step::Wants { owner, rendition, number }));
            }
        }
    }

    fn next_state(&self, last: &World, step: Step) -> Option<World> {
        let mut world = last.clone();
        match step {
            Step::Claims(worker) => {
                if !self.claim(&mut world, worker) {
                    return None;
                }
                world.claims += 1;
            }
            Step::Publishes(worker) => {
                // A worker that lost its lease may still publish: the same bytes, once (`on conflict do nothing`).
                let run = in_hand(last, worker)?;
                let number = next_missing(last, run)?;
                world.published[run.owner][number as usize] |= run.renditions;
            }
            Step::Finishes(worker) => {
                let hand = world.hands[worker]?;
                // Its segments are there, or its row is gone or cut off: it has nothing left to do.
                if in_hand(last, worker).is_some_and(|run| next_missing(last, run).is_some()) {
                    return None;
                }
                // `finish` of `jobs.rs`: the row goes where the lease is still the worker's.
                world.runs.retain(|run| run.id != hand.run || !is_leased_to(run, worker));
                world.hands[worker] = None;
            }
            Step::GivesBack(worker) => {
                let hand = world.hands[worker]?;
                self.release(&mut world, worker, hand.run);
            }
            Step::Freezes(worker) => {
                world.hands[worker].as_mut().filter(|hand| hand.lasts)?.lasts = false;
                world.freezes += 1;
            }
            Step::Wants { owner, rendition, number } => {
                if !self.want(&mut world, owner, rendition, number) {
                    return None;
                }
                world.wants += 1;
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NOTHING_LOST, |_, world: &World| {
                every_segment(|owner, rendition, number| {
                    world.published[owner][number as usize] & rendition != 0
                        || runs_of(world, owner, rendition, number) > 0
                })
            }),
            Property::always(IN_ONE_RUN, |_, world: &World| {
                every_segment(|owner, rendition, number| runs_of(world, owner, rendition, number) <= 1)
            }),
            Property::always(ONE_LEASE, |_, world: &World| {
                let held = world.hands.iter().flatten().filter(|hand| hand.lasts);
                let mut runs: Vec<u8> = held.map(|hand| hand.run).collect();
                runs.sort_unstable();
                runs.windows(2).all(|two| two[0] != two[1])
            }),
            Property::always(NOBODY_STARVES, |_, world: &World| {
                // Each other owner once, and once more at the clock that both begin at.
                world
                    .service
                    .iter()
                    .all(|service| service.passed.iter().all(|passed| *passed as usize <= OWNERS))
            }),
            Property::sometimes(ALL_THERE, |_, world: &World| world.runs.is_empty()),
        ]
    }
}

/// Returns how many runs have a segment.
fn runs_of(world: &World, owner: usize, rendition: u8, number: u8) -> usize {
    let has = |run: &&Run| {
        run.owner == owner && run.renditions & rendition != 0 && (run.first..run.last).contains(&number)
    };
    world.runs.iter().filter(has).count()
}

/// Returns whether `holds` holds of each segment of each rendition.
fn every_segment(holds: impl Fn(usize, u8, u8) -> bool) -> bool {
    (0..OWNERS)
        .all(|owner| RENDITIONS.iter().all(|rendition| (0..TOTAL).all(|n| holds(owner, *rendition, n))))
}

#[test]
fn whatever_workers_and_viewers_do_no_segment_is_lost_or_encoded_twice_and_nobody_starves() {
    let checker = Queue { fault: Fault::None }.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(
        checker.unique_state_count() > 10_000,
        "{} states are no exploration",
        checker.unique_state_count()
    );
}

#[test]
fn a_rule_that_is_broken_is_found_by_what_it_costs() {
    for (fault, cost) in [
        (Fault::ReleaseWithoutLease, ONE_LEASE),
        (Fault::WantWithoutRest, NOTHING_LOST),
        (Fault::WantWithoutCut, IN_ONE_RUN),
        (Fault::ClaimOfTheLeased, ONE_LEASE),
        (Fault::ClaimByArrival, NOBODY_STARVES),
    ] {
        let checker = Queue { fault }.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        assert!(checker.discovery(cost).is_some(), "{fault:?} goes unseen");
    }
}
