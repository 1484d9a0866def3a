//! The laws every partial holds: merging parts in any split and order equals observing everything at once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use gitfleet_shared::facts::{
    ChangeKind, ClaimedTime, CommitFacts, FileChange, Lines, Signature, UnknownReason,
};
use gitfleet_shared::metrics::brief::Brief;
use gitfleet_shared::metrics::language::Languages;
use gitfleet_shared::metrics::people::People;
use gitfleet_shared::metrics::quality::Quality;
use gitfleet_shared::metrics::sums::Sums;
use gitfleet_shared::metrics::weeks::Weeks;
use gitfleet_shared::metrics::{Observation, Partial, PersonId};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::window::Window;
use proptest::collection::vec;
use proptest::prelude::*;

/// A commit and its author.
type Authored = (Brief, PersonId);

fn lines() -> impl Strategy<Value = Lines> {
    prop_oneof![
        (0..20_000u32, 0..20_000u32).prop_map(|(added, deleted)| Lines::Counted { added, deleted }),
        (-5..5i32).prop_map(|net_text_lines| Lines::Binary { net_text_lines }),
        Just(Lines::Unknown(UnknownReason::MissingObject)),
        Just(Lines::Unknown(UnknownReason::TooLarge)),
    ]
}

fn file() -> impl Strategy<Value = FileChange> {
    let kind = prop_oneof![
        Just(ChangeKind::Added),
        Just(ChangeKind::Modified),
        (lines(), lines()).prop_map(|(whole_old, whole_new)| ChangeKind::Renamed {
            from: b"before.c".to_vec(),
            whole_old,
            whole_new
        }),
    ];
    ("[a-c]\\.(rs|py|txt)", kind, lines()).prop_map(|(path, kind, lines)| FileChange {
        path: path.into_bytes(),
        kind,
        lines,
        hunks: Vec::new(),
        content: [0; 8],
    })
}

fn time() -> impl Strategy<Value = ClaimedTime> {
    prop_oneof![
        8 => (1_600_000_000..1_610_000_000i64).prop_map(Some),
        1 => Just(None),
        1 => prop_oneof![Just(0), Just(i64::MAX), Just(-1)].prop_map(Some),
    ]
    .prop_map(|seconds| ClaimedTime { seconds, offset_minutes: 0 })
}

fn authored() -> impl Strategy<Value = Authored> {
    (any::<[u8; 20]>(), 0..3usize, time(), time(), vec(file(), 0..4), 0..4u32).prop_map(
        |(id, parents, authored, committed, files, author)| {
            let nobody = Signature { name: Vec::new(), email: Vec::new() };
            let facts = CommitFacts {
                id: ObjectId::try_from(&id[..]).unwrap(),
                parents: vec![ObjectId::try_from(&id[..]).unwrap(); parents],
                author: nobody.clone(),
                authored,
                committer: nobody,
                committed,
                message: Vec::new(),
                files: if parents > 1 { Vec::new() } else { files },
                merged: Vec::new(),
            };
            (Brief::of(&facts), author)
        },
    )
}

fn check<P: Partial + Clone + PartialEq + std::fmt::Debug>(
    parts: &[Vec<Authored>],
    observe: impl Fn(&mut P, &Observation),
) -> Result<(), TestCaseError> {
    let window = Window::all_history(chrono_tz::UTC);
    let of = |commits: &mut dyn Iterator<Item = &Authored>| {
        let mut partial = P::default();
        for (commit, author) in commits {
            observe(&mut partial, &Observation::in_window(commit, *author, &window).unwrap());
        }
        partial
    };
    let whole = of(&mut parts.iter().flatten());
    let states: Vec<P> = parts.iter().map(|part| of(&mut part.iter())).collect();

    let fold = |states: &mut dyn Iterator<Item = P>| {
        states.fold(P::default(), |mut sum, state| {
            sum.merge(state);
            sum
        })
    };
    prop_assert_eq!(&fold(&mut states.iter().cloned()), &whole, "in order");
    prop_assert_eq!(&fold(&mut states.iter().rev().cloned()), &whole, "in reverse");
    // Associative: the right ones first.
    let right_first = states.iter().rev().cloned().fold(P::default(), |sum, mut state| {
        state.merge(sum);
        state
    });
    prop_assert_eq!(&right_first, &whole, "right first");
    let backwards = of(&mut parts.iter().flatten().rev());
    prop_assert_eq!(&backwards, &whole, "observed backwards");
    Ok(())
}

proptest! {
    #[test]
    fn every_partial_holds_the_laws(parts in vec(vec(authored(), 0..8), 1..5)) {
        check::<Sums>(&parts, Sums::observe)?;
        check::<People>(&parts, People::observe)?;
        check::<Weeks>(&parts, Weeks::observe)?;
        check::<Languages>(&parts, Languages::observe)?;
        check::<Quality>(&parts, |quality, seen| quality.observe(seen, 1_605_000_000))?;
    }
}
