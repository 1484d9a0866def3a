//! No message breaks a reader, and what readers return is in order.

use std::collections::BTreeSet;

use gitfleet_shared::words::kind::{FileEvidence, Kind, Rules};
use gitfleet_shared::words::points::Points;
use gitfleet_shared::words::tickets::{Forge, Tickets, TicketsConfig};
use gitfleet_shared::words::{Message, agents, conventional, requests, reverts, trailers};
use proptest::prelude::*;

/// Pieces that mean something, noise, and bytes that are no UTF-8.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "fix",
            "(#12)",
            "!7",
            "KEY-12",
            "AB#",
            "Revert \"",
            "\"",
            "`",
            "```",
            "\n",
            "\n\n",
            ": ",
            "Co-authored-by: Ann <",
            ">",
            "This reverts commit ",
            "abcdef1",
            "https://github.com/o/r/issues/1",
            "SP: 99999999999",
            "Merge #",
            "é",
            "\0",
            "feat(",
            ")!: ",
            "#",
            "&",
            "'",
            "Merge branch '",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        "\\PC{0,8}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_message_can_be_read(bytes in message(), parents in 0usize..4) {
        let message = Message::read(&bytes);
        let config = TicketsConfig { jira_keys: vec!["KEY".into()], ..TicketsConfig::default() };
        let tickets = Tickets::compile(&config).unwrap();
        for forge in [Forge::GitHub, Forge::GitLab, Forge::Other] {
            let found = tickets.of(&message, parents, forge);
            let sorted: BTreeSet<_> = found.tickets.iter().cloned().collect();
            prop_assert_eq!(sorted.into_iter().collect::<Vec<_>>(), found.tickets.clone());
            prop_assert!(found.closing.iter().all(|one| found.tickets.contains(one)));
        }
        let found = Rules::default().classify(&message, Some(FileEvidence::default()));
        prop_assert!(found.confidence_permille <= 1000);
        prop_assert_eq!(found.kind == Kind::Unknown, found.confidence_permille == 0);
        let _ = Points::compile(&[]).unwrap().find(&message.text());
        let _ = (reverts::read(&message), requests::arrival(&message, parents), agents::assistance(&message));
        let _ = (conventional::read(&message, &BTreeSet::new()), trailers::credits(&message.trailers));
    }
}
