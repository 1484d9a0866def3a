//! What could not be shown or done, as a page.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::face::frame;
use crate::api::Problem;
use crate::report::escape::html;

/// A problem that is shown to people.
pub(super) struct Trouble(Problem);

pub(super) type Shown<T> = Result<T, Trouble>;

/// Shows `place`, once something is done.
pub(super) fn then<T>(done: Result<T, Problem>, place: &str) -> Shown<Redirect> {
    done.map(|_| Redirect::to(place)).map_err(Trouble::from)
}

impl<P: Into<Problem>> From<P> for Trouble {
    fn from(problem: P) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let hint = self.0.hint.as_deref().map(|hint| format!("<p>{}</p>\n", html(hint))).unwrap_or_default();
        let page = frame(
            &self.0.title,
            &format!(
                "<main id=\"content\" tabindex=\"-1\" class=\"alone\">\n<h1>{}</h1>\n<p role=\"alert\">{}</p>\n{hint}\
                 <p><a href=\"/ui\">To the overview</a></p>\n</main>\n",
                html(&self.0.title),
                html(&self.0.detail)
            ),
        );
        let mut response = (status, page).into_response();
        // How long to wait, and how to say who asks, are in the problem's own headers.
        for (name, value) in self.0.into_response().headers() {
            if name != axum::http::header::CONTENT_TYPE && name != axum::http::header::CONTENT_LENGTH {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response
    }
}
