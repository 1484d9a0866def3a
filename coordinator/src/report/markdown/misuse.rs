//! The closing section: what these numbers must not be used for, and why.

/// Each warning with its reason. Activity as one of several dimensions is SPACE's (Forsgren and others, 2021), and no
/// comparison of unlike services is DORA's own advice.
const WARNINGS: [(&str, &str); 7] = [
    (
        "Do not rate, rank or pay people by them",
        "Commits and lines show habits: how finely somebody cuts a change, whether a branch is squashed, what a \
         formatter or a code generator wrote. They say nothing of what the work was worth.",
    ),
    (
        "Do not ask for one score of a developer",
        "There is none here, and there will be none. A composite adds unlike things with weights that somebody chose; it \
         cannot be checked against anything, it punishes review, mentoring and deleting code, and people learn to feed it.",
    ),
    (
        "Do not read activity alone",
        "It is one of several sides of productivity. Hold it beside at least two others, one of which you get by asking \
         people.",
    ),
    (
        "Do not make a number a target",
        "What is rewarded is produced. Use a number to begin a conversation, and look whether it moved afterwards.",
    ),
    (
        "Do not compare unlike teams and services",
        "The release metrics come from tags and not from deployments, and a library is not a service. Compare each with \
         its own past.",
    ),
    (
        "Do not use working hours to watch anybody",
        "In effect they are data about health. They are off unless asked for, are never shown of fewer than five people, \
         and belong before a works council first.",
    ),
    (
        "Do not take an estimate for a fact",
        "Kinds of work, truck factors and inferred requests come from rules that err. The method section and the \
         definitions (`gitfleet metrics show`) say how.",
    ),
];

pub(super) fn render() -> String {
    let items: String = WARNINGS.iter().map(|(what, why)| format!("- **{what}.** {why}\n")).collect();
    format!("## How not to use this\n\n{items}")
}
