//! The frame of a section: a landmark with its heading and a line that says how to read it.

/// Returns the section; the lead and the body are HTML.
pub(super) fn section(id: &str, title: &str, lead: &str, body: &str) -> String {
    let lead = if lead.is_empty() { String::new() } else { format!("<p class=\"lead\">{lead}</p>\n") };
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n{lead}{body}\
         </section>\n"
    )
}

/// Returns what stands in the place of a list without entries.
pub(super) fn nothing(text: &str) -> String {
    format!("<p class=\"nothing\">{text}</p>\n")
}
