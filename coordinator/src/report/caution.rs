//! The warning that goes with every report people read: numbers about people are easily misused.

pub(super) const CAUTION: &str = "Commits and lines measure habits of working, not the worth of anyone's work: they \
depend on the task, on review customs, on generated code and on how finely a change is cut. Read them as questions \
to ask a team. Do not use them to evaluate, rank or pay people.";
