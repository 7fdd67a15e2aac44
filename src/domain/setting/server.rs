//! Fields: what a site may use of the machine.
//!
//! Invariant: limits hold for all processes of the site's PHP together (systemd.resource-control(5)).

use crate::domain::setting::field::{Control, Field, Section};

pub(super) const FIELDS: &[Field] = &[
    Field {
        key: "limits.memory",
        section: Section::Limits,
        label: "Memory",
        help: "Of all PHP processes together; above three quarters they are slowed down, above it one is ended.",
        control: Control::Number {
            least: 64,
            most: 65_536,
            unit: "MB",
            at: |site| &mut site.settings.limits.memory,
        },
        for_kind: |kind| kind.php().is_some(),
    },
    Field {
        key: "limits.cpu",
        section: Section::Limits,
        label: "Processor",
        help: "In hundredths of one processor: 100 is one whole, 50 a half, 0 means no limit.",
        control: Control::Number {
            least: 0,
            most: 12_800,
            unit: "%",
            at: |site| &mut site.settings.limits.cpu,
        },
        for_kind: |kind| kind.php().is_some(),
    },
    Field {
        key: "limits.tasks",
        section: Section::Limits,
        label: "Processes",
        help: "Processes and threads at once, whatever the site starts.",
        control: Control::Number {
            least: 8,
            most: 4096,
            unit: "",
            at: |site| &mut site.settings.limits.tasks,
        },
        for_kind: |kind| kind.php().is_some(),
    },
];
