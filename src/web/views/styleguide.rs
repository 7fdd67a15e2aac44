//! Every component on one page: what accessibility checks and screenshots run on. In debug builds only.
//!
//! Invariant: shows the same partials the pages use, so what is checked here is what people see.

use poem::Response;
use sailfish::Template;

use crate::domain::setting::Serving;
use crate::rpc::view::{OperationState, StepState};
use crate::web::page::{ICONS, Problem, Section};
use crate::web::visit::{Visit, show as respond};
use crate::web::words::{self, Pill};

#[derive(Template)]
#[template(path = "pages/styleguide.html.stpl")]
struct Styleguide {
    pills: Vec<Pill>,
    problems: Vec<Problem>,
}

pub(super) fn page(visit: &Visit) -> Response {
    let frame = visit.bare_frame("Styleguide", Section::None);
    let states = [
        OperationState::Working,
        OperationState::Done,
        OperationState::Undone,
        OperationState::Stuck,
    ];
    let steps = [StepState::Waiting, StepState::Failed];
    let body = Styleguide {
        pills: states
            .into_iter()
            .map(words::operation_pill)
            .chain(steps.into_iter().map(words::step_pill))
            .chain([
                words::site_pill(true, Serving::Live),
                words::site_pill(true, Serving::Maintenance),
                words::site_pill(true, Serving::Suspended),
                words::site_pill(false, Serving::Live),
            ])
            .collect(),
        problems: vec![Problem {
            field: "sample",
            text: "Type a domain name. For example: shop.example".to_owned(),
        }],
    };
    respond(&frame, &body)
}
