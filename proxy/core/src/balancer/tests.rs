//! Tests of target choice: fairness, order, and what retries get.

use proptest::prelude::*;

use super::*;

fn picks(balancer: &mut RoundRobin, count: usize) -> Vec<usize> {
    (0..count)
        .map(|_| balancer.next().expect("a target with a weight"))
        .collect()
}

fn counts(picks: &[usize], targets: usize) -> Vec<usize> {
    (0..targets)
        .map(|target| picks.iter().filter(|&&pick| pick == target).count())
        .collect()
}

#[test]
fn equal_weights_alternate() {
    assert_eq!(picks(&mut RoundRobin::new(&[1, 1], 0), 4), [0, 1, 0, 1]);
    assert_eq!(picks(&mut RoundRobin::new(&[100, 100], 0), 4), [0, 1, 0, 1]);
    assert_eq!(
        picks(&mut RoundRobin::new(&[7; 3], 0), 6),
        [0, 1, 2, 0, 1, 2]
    );
}

#[test]
fn weights_are_honoured_exactly_in_each_turn() {
    assert_eq!(
        counts(&picks(&mut RoundRobin::new(&[100, 50], 0), 30), 2),
        [20, 10]
    );
    assert_eq!(
        counts(&picks(&mut RoundRobin::new(&[10, 10, 5], 0), 100), 3),
        [40, 40, 20]
    );
}

#[test]
fn the_order_is_smooth() {
    assert_eq!(
        picks(&mut RoundRobin::new(&[5, 1, 1], 0), 7),
        [0, 0, 0, 1, 0, 0, 2]
    );
    let mut balancer = RoundRobin::new(&[2, 2, 1, 1], 0);
    let turn = picks(&mut balancer, 6);
    assert!(turn.windows(2).all(|pair| pair[0] != pair[1]), "{turn:?}");
}

#[test]
fn weight_zero_is_never_picked() {
    assert_eq!(picks(&mut RoundRobin::new(&[0, 100, 0], 0), 3), [1, 1, 1]);
}

#[test]
fn without_a_weight_there_is_no_target() {
    for weights in [&[][..], &[0], &[0, 0]] {
        let mut balancer = RoundRobin::new(weights, 3);
        assert_eq!(balancer.next(), None, "{weights:?}");
        assert_eq!(
            balancer.next_excluding(&Tried::default()),
            None,
            "{weights:?}"
        );
        assert_eq!(balancer.next_where(|_| true), None, "{weights:?}");
    }
}

#[test]
fn shards_start_at_different_places() {
    let first = |start| RoundRobin::new(&[1, 1, 1], start).next();
    assert_eq!(
        [first(0), first(1), first(2), first(3)],
        [Some(0), Some(1), Some(2), Some(0)]
    );
}

#[test]
fn a_retry_passes_over_targets_that_failed() {
    let mut balancer = RoundRobin::new(&[100, 1, 1], 0);
    let mut tried = Tried::default();
    let mut order = Vec::new();
    for _ in 0..3 {
        let target = balancer.next_excluding(&tried).expect("a target");
        tried.insert(target);
        order.push(target);
    }
    order.sort_unstable();
    assert_eq!(order, [0, 1, 2]);
}

#[test]
fn when_all_have_failed_a_retry_goes_on_in_turn() {
    let mut balancer = RoundRobin::new(&[1, 1], 0);
    let mut tried = Tried::default();
    tried.insert(0);
    tried.insert(1);
    let retries = [
        balancer.next_excluding(&tried),
        balancer.next_excluding(&tried),
    ];
    assert_eq!(retries, [Some(0), Some(1)]);
}

#[test]
fn a_turn_without_a_usable_target_moves_nothing() {
    let mut balancer = RoundRobin::new(&[1, 1, 1], 1);
    assert_eq!(balancer.next_where(|_| false), None);
    assert_eq!(balancer.next(), Some(1));
}

#[test]
fn unusable_targets_leave_their_share_to_the_others() {
    let mut balancer = RoundRobin::new(&[2, 1, 1], 0);
    let picks: Vec<_> = (0..100)
        .filter_map(|_| balancer.next_where(|t| t != 0))
        .collect();
    assert_eq!(counts(&picks, 3), [0, 50, 50]);
}

#[test]
fn the_wheel_is_bounded_and_keeps_light_targets() {
    let mut balancer = RoundRobin::new(&[65535, 65534, 1], 0);
    let most = usize::try_from(WHEEL_SLOTS_MAX).expect("small") + 3;
    let counts = counts(&picks(&mut balancer, most), 3);
    assert!(counts[2] >= 1 && counts[2] <= 2, "{counts:?}");
    assert!(counts[0].abs_diff(counts[1]) <= 2, "{counts:?}");
}

#[test]
fn thousands_of_targets_get_a_turn_each() {
    let weights = vec![100; 10_000];
    let mut turn = picks(&mut RoundRobin::new(&weights, 0), 10_000);
    turn.sort_unstable();
    assert!(turn.iter().copied().eq(0..10_000));
}

#[test]
fn the_oldest_of_too_many_failures_is_forgotten() {
    let mut tried = Tried::default();
    for target in 0..=TRIED_MAX {
        tried.insert(target);
        tried.insert(target);
    }
    assert!(!tried.contains(0));
    assert!((1..=TRIED_MAX).all(|target| tried.contains(target)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn shares_are_right_within_the_precision_of_the_wheel(
        weights in proptest::collection::vec(any::<u16>(), 1..30),
    ) {
        let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
        prop_assume!(total > 0.0);
        let mut balancer = RoundRobin::new(&weights, 0);
        let count = 20_000_u32;
        let picked = picks(&mut balancer, count as usize);
        for (weight, picks) in weights.iter().zip(counts(&picked, weights.len())) {
            let share = f64::from(u32::try_from(picks).expect("few")) / f64::from(count);
            let expected = f64::from(*weight) / total;
            prop_assert!((share - expected).abs() < 0.003, "{weight} of {total}: {share}");
        }
    }
}

proptest! {
    #[test]
    fn every_turn_honours_small_weights(
        weights in proptest::collection::vec(0_u16..20, 1..40),
        start in any::<usize>(),
    ) {
        let total: usize = weights.iter().map(|&weight| usize::from(weight)).sum();
        let mut balancer = RoundRobin::new(&weights, start);
        let turn: Vec<usize> = (0..total).filter_map(|_| balancer.next()).collect();
        let expected: Vec<usize> = weights.iter().map(|&weight| usize::from(weight)).collect();
        prop_assert_eq!(counts(&turn, weights.len()), expected);
    }

    #[test]
    fn a_usable_target_is_always_found(
        weights in proptest::collection::vec(0_u16..5, 1..20),
        failed in proptest::collection::vec(0_usize..20, 0..6),
    ) {
        let mut tried = Tried::default();
        failed.iter().for_each(|&target| tried.insert(target));
        let fresh = |target: &usize| weights[*target] > 0 && !tried.contains(*target);
        let has_fresh = (0..weights.len()).any(|target| fresh(&target));
        let picked = RoundRobin::new(&weights, 0).next_excluding(&tried);
        prop_assert_eq!(picked.is_some(), weights.iter().any(|&weight| weight > 0));
        prop_assert_eq!(picked.is_some_and(|target| fresh(&target)), has_fresh);
    }
}
