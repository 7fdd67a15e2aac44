//! Every way a request is turned down, as a page a person can act on.
//!
//! Invariant: these texts are fixed or come from a `Fault`; no path, type name or foreign message reaches a browser.

use poem::http::StatusCode;

use crate::domain::fault::{Code, Fault, Kind};

/// Why there is no answer of the usual kind.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The request never reached the agent.
    Notice(&'static Notice),
    /// The agent refused or failed.
    Fault(Box<Fault>),
    /// Nobody is signed in, or not any more.
    SignedOut,
}

/// A fixed page.
#[derive(Debug)]
pub(super) struct Notice {
    pub(super) status: StatusCode,
    pub(super) title: &'static str,
    pub(super) hint: &'static str,
}

macro_rules! notices {
    ($($name:ident $status:ident $title:literal $hint:literal),* $(,)?) => {
        impl Refusal {
            $(pub(super) const $name: Self = Self::Notice(&Notice {
                status: StatusCode::$status,
                title: $title,
                hint: $hint,
            });)*
        }
    };
}

notices! {
    BAD_REQUEST BAD_REQUEST
        "This address or form cannot be read"
        "Nothing was changed. Go to the first page and try again from there.",
    FORBIDDEN_ORIGIN FORBIDDEN
        "This request did not come from a page of this panel"
        "Nothing was changed. Open the panel itself and press the button there.",
    STALE_FORM FORBIDDEN
        "This form belongs to an earlier sign-in"
        "Nothing was changed. Go back, reload the page and press the button again.",
    NOT_FOUND NOT_FOUND
        "There is nothing at this address"
        "Check the address for typing mistakes, or go to the first page.",
    METHOD_NOT_ALLOWED METHOD_NOT_ALLOWED
        "This address does not take that kind of request"
        "Nothing was changed. Open the page and use its buttons.",
    LENGTH_REQUIRED LENGTH_REQUIRED
        "This panel takes forms in one piece only"
        "Nothing was changed. Send the request with a Content-Length and without Transfer-Encoding.",
    TIMED_OUT REQUEST_TIMEOUT
        "The form took too long to arrive"
        "Nothing was changed. Check your connection and send it again.",
    TOO_LARGE PAYLOAD_TOO_LARGE
        "That is more than this form takes"
        "Nothing was changed. Shorten what you typed and send it again.",
    HEADERS_TOO_LARGE REQUEST_HEADER_FIELDS_TOO_LARGE
        "Your browser sent more than this panel reads"
        "Clear the cookies of this address and try again.",
    MISDIRECTED MISDIRECTED_REQUEST
        "This panel does not answer to that name"
        "Open it by the address it was installed with. On the server, run: lalapanel admin link",
    BUSY SERVICE_UNAVAILABLE
        "Too many pages are being watched at once"
        "Close a few tabs and reload this one.",
    UPLOADS SERVICE_UNAVAILABLE
        "Two files are arriving already"
        "Nothing was changed. Wait until one of them is here, then send yours again.",
    INTERNAL INTERNAL_SERVER_ERROR
        "This page could not be made"
        "Your sites keep running. Try again; if it stays like this, run on the server: lalapanel doctor",
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        if fault.code == Code::Unauthenticated {
            Self::SignedOut
        } else {
            Self::Fault(Box::new(fault))
        }
    }
}

impl Refusal {
    /// The status of the response.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Notice(notice) => notice.status,
            Self::Fault(fault) => status_of(fault),
            Self::SignedOut => StatusCode::UNAUTHORIZED,
        }
    }
}

/// The status that says to a program what the fault says to a person.
pub(super) fn status_of(fault: &Fault) -> StatusCode {
    match fault.kind() {
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Missing => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Limited => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable | Kind::Stuck => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// True for faults about what was asked, which belong beside the form; false for those that leave no page to show.
pub(super) fn belongs_to_the_form(fault: &Fault) -> bool {
    fault.code != Code::AgentUnreachable
        && !matches!(
            fault.kind(),
            Kind::Unauthenticated | Kind::Forbidden | Kind::Missing
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_that_is_an_error() {
        for code in Code::ALL {
            let status = status_of(&Fault::new(*code, "a", "b"));
            assert!(
                status.is_client_error() || status.is_server_error(),
                "{code:?}"
            );
        }
    }

    #[test]
    fn an_ended_session_is_not_shown_as_a_fault() {
        let fault = Fault::new(Code::Unauthenticated, "a", "b");
        assert!(matches!(Refusal::from(fault), Refusal::SignedOut));
    }
}
