//! The manual page and what completes commands in a shell, both made from the definitions that read what is typed.
//!
//! Invariant: no verb, option or sentence is written here a second time; what people do not type (`agent`, `web`) is left out.

use clap::{Command, CommandFactory as _, ValueEnum};
use clap_complete::Generator;
use clap_complete::shells::{Bash, Fish, Zsh};
use clap_mangen::Man;

use crate::cli::Cli;
use crate::cli::output::{Exit, Output};
use crate::render::handbook;
use crate::render::panel::PanelFile;

/// What the definitions do not say.
const BEFORE: &str = include_str!("../../packaging/man/before.roff");
const AFTER: &str = include_str!("../../packaging/man/after.roff");

/// The shells there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// Debian's, for which `lalapanel install` puts it in place
    Bash,
    /// For a directory of its `fpath`, as `_lalapanel`
    Zsh,
    /// For `~/.config/fish/completions/lalapanel.fish`
    Fish,
}

/// What `lalapanel install` puts in place.
#[must_use]
pub fn files() -> Vec<PanelFile> {
    handbook::files(manual(), completions(Shell::Bash))
}

/// The script for a shell.
#[must_use]
pub fn completions(shell: Shell) -> String {
    let mut command = typed();
    command.build();
    let generator: &dyn Generator = match shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
    };
    written(|to| generator.try_generate(&command, to))
}

/// The manual page, one for all verbs, so that a search in it finds everything.
#[must_use]
pub fn manual() -> String {
    let mut command = typed();
    command.build();
    let man = Man::new(command.clone())
        .title("LALAPANEL")
        .section("8")
        .manual("Lala Panel");
    let mut page = written(|to| man.render_title(to));
    page.push_str(&body(|to| man.render_name_section(to)));
    page.push_str(".SH SYNOPSIS\n.B lalapanel\n.I verb\n[\\fIarguments\\fR] [\\fB\\-\\-plan\\fR] [\\fB\\-\\-json\\fR]\n");
    page.push_str(BEFORE);
    page.push_str(".SH VERBS\n");
    describe(&command, &mut page);
    page.push_str(AFTER);
    page
}

/// Prints one of them.
pub fn print(text: &str, output: &mut Output) -> Exit {
    output.document(&text);
    for line in text.lines() {
        output.line(line);
    }
    Exit::Done
}

/// Everything that people type.
fn typed() -> Command {
    let all = Cli::command();
    let verbs = all.get_subcommands().filter(|verb| !verb.is_hide_set());
    let about = all.get_about().cloned().unwrap_or_default();
    Command::new("lalapanel")
        .bin_name("lalapanel")
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .disable_help_subcommand(true)
        .args(all.get_arguments().cloned())
        .subcommands(verbs.cloned())
}

/// Every verb below a command, in the order of the help.
fn describe(command: &Command, page: &mut String) {
    for verb in command.get_subcommands() {
        if verb.has_subcommands() {
            describe(verb, page);
            continue;
        }
        let name = verb.get_bin_name().unwrap_or_default();
        // Said once, at the top.
        let quiet = ["help", "json"].iter().fold(verb.clone(), |verb, common| {
            let has = verb.get_arguments().any(|own| own.get_id() == *common);
            if has {
                verb.mut_arg(common, |own| own.hide(true))
            } else {
                verb
            }
        });
        let man = Man::new(quiet);
        let name = name.strip_prefix("lalapanel ").unwrap_or(name);
        page.extend([".SS \"", name, "\"\n"]);
        page.push_str(&text(|to| man.render_synopsis_section(to)));
        page.push_str(".PP\n");
        page.push_str(&text(|to| man.render_description_section(to)));
        page.push_str(&text(|to| man.render_options_section(to)));
    }
}

/// A section without its heading.
fn text(render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let section = body(render);
    section
        .split_once('\n')
        .map(|(_, text)| text.to_owned())
        .unwrap_or_default()
}

/// A section without what a file of its own would begin with.
fn body(render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let whole = written(render);
    let start = whole.find(".SH ").unwrap_or(whole.len());
    whole.get(start..).unwrap_or_default().to_owned()
}

/// What is written into memory, where writing does not fail.
fn written(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut bytes = Vec::new();
    let result = write(&mut bytes);
    debug_assert!(result.is_ok(), "{result:?}");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every verb with its options, as `site create --plan`.
    fn options(command: &Command, found: &mut Vec<(String, String)>) {
        for verb in command.get_subcommands() {
            options(verb, found);
            let name = verb.get_bin_name().unwrap_or_default();
            let own = verb.get_arguments().filter_map(|own| own.get_long());
            found.extend(own.map(|long| (name.to_owned(), long.to_owned())));
        }
    }

    #[test]
    fn the_manual_names_every_verb_and_option_once_and_no_process_of_the_panel() {
        let page = manual();
        let mut command = typed();
        command.build();
        let mut found = Vec::new();
        options(&command, &mut found);
        assert!(found.len() > 200, "{}", found.len());
        for (verb, option) in found {
            let verb = verb.trim_start_matches("lalapanel ");
            let escaped = option.replace('-', "\\-");
            let heading = format!(".SS \"{verb}\"\n");
            let Some((_, rest)) = page.split_once(&heading) else {
                assert!(page.contains(&format!(".SS \"{verb} ")), "{verb}");
                continue;
            };
            let own = rest.split(".SS ").next().unwrap_or_default();
            let is_common = ["json", "help", "version"].contains(&option.as_str());
            assert_eq!(!is_common, own.contains(&escaped), "{verb} --{option}");
        }
        for hidden in ["worker", "courier", "handshake", "agent", "web"] {
            assert!(!page.contains(&format!(".SS \"{hidden}\"")), "{hidden}");
        }
        assert_eq!(page.matches(".TH ").count(), 1);
        assert!(page.contains(".SH EXIT STATUS"));
    }

    #[test]
    fn each_shell_gets_a_script_of_its_own_that_knows_the_verbs() {
        let shells = [
            (Shell::Bash, "complete -F _lalapanel"),
            (Shell::Zsh, "#compdef lalapanel"),
            (Shell::Fish, "complete -c lalapanel"),
        ];
        for (shell, words) in shells {
            let script = completions(shell);
            assert!(script.contains(words), "{shell:?}");
            assert!(script.contains("snippet") && script.contains("admin-password-file"));
            assert!(
                !script.contains("handshake") && !script.contains("courier"),
                "{shell:?}"
            );
        }
    }
}
