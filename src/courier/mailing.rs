//! Hands a letter to a mail server.
//!
//! Invariant: without TLS nothing is said but to this machine itself; the password is in no word that comes back.

use std::error::Error as _;
use std::time::Duration;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{AsyncSmtpTransport, Error};
use lettre::{Address, AsyncTransport as _, Tokio1Executor};
use tokio::time::timeout;

use crate::acme::transport;
use crate::domain::fault::{Code, Fault};
use crate::domain::notify::{MailAddress, MailSecurity};
use crate::domain::text::shown;
use crate::rpc::courier::{Mail, Report, Return};

/// For one answer of the server's, and for all of it.
const ANSWER: Duration = Duration::from_secs(10);
const WITHIN: Duration = Duration::from_secs(22);
/// RFC 5321: the name or the password is wrong.
const LOGIN_REFUSED: u16 = 535;

/// Hands it over.
pub(super) async fn send(mail: &Mail) -> Return {
    let letter = letter(mail)?;
    let server = server(mail)?;
    let sending = timeout(WITHIN, server.send(letter)).await;
    let answer = match sending {
        Err(_) => return Err(unreached(mail, "it does not answer")),
        Ok(Err(error)) => return Err(refused(mail, &error)),
        Ok(Ok(answer)) => answer,
    };
    let words: Vec<&str> = answer.message().collect();
    let answer = format!("{} {}", answer.code(), words.join(" "));
    Ok(Report::Delivered {
        answer: clean(mail, &answer),
    })
}

fn letter(mail: &Mail) -> Result<Message, Fault> {
    let domain = mail.from.as_str().rsplit('@').next().unwrap_or_default();
    let mut letter = Message::builder()
        .from(mailbox(&mail.from)?)
        .subject(shown(&mail.subject, 200))
        .message_id(Some(format!("<{}@{domain}>", mail.id)))
        .header(ContentType::TEXT_PLAIN)
        // RFC 3834: nobody's answering machine has to thank for it.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    for to in mail.to.all() {
        letter = letter.to(mailbox(to)?);
    }
    let letter = letter.body(mail.text.clone());
    letter.map_err(|error| unmade(&error.to_string()))
}

fn mailbox(address: &MailAddress) -> Result<Mailbox, Fault> {
    let address = address.as_str().parse::<Address>();
    let address = address.map_err(|error| unmade(&error.to_string()))?;
    Ok(Mailbox::new(None, address))
}

fn server(mail: &Mail) -> Result<AsyncSmtpTransport<Tokio1Executor>, Fault> {
    let tls = match mail.security {
        MailSecurity::None if mail.server.is_this_machine() => Tls::None,
        MailSecurity::None => return Err(unmade("`smtp_security = \"none\"` is for this machine")),
        MailSecurity::Starttls => Tls::Required(parameters(mail)?),
        MailSecurity::Tls => Tls::Wrapper(parameters(mail)?),
    };
    let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(mail.server.as_str())
        .port(mail.port)
        .tls(tls)
        .timeout(Some(ANSWER))
        .hello_name(ClientId::Domain(mail.name.clone()));
    if let Some((user, password)) = &mail.login {
        let password = password.reveal().to_owned();
        server = server.credentials(Credentials::new(user.clone(), password));
    }
    Ok(server.build())
}

/// The built-in roots, this server's, and those of the settings.
fn parameters(mail: &Mail) -> Result<TlsParameters, Fault> {
    let own = transport::certificates(mail.roots.as_deref(), "notify.smtp_ca_file");
    let own = own.map_err(|problem| unmade(&problem.detail))?;
    let mut tls = TlsParameters::builder(mail.server.as_str().to_owned())
        .certificate_store(CertificateStore::WebpkiRoots);
    for certificate in own {
        let certificate = Certificate::from_der(certificate.to_vec());
        tls = tls.add_root_certificate(certificate.map_err(|error| unmade(&error.to_string()))?);
    }
    tls.build_rustls()
        .map_err(|error| unmade(&error.to_string()))
}

fn refused(mail: &Mail, error: &Error) -> Fault {
    let server = &mail.server;
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    let is_untrusted = causes.iter().any(|cause| cause.contains("certificate"));
    let detail = causes.last().cloned();
    let detail = detail.unwrap_or_else(|| error.to_string());
    let detail = clean(mail, &detail);
    let code = error.status().map(u16::from);
    let (title, hint) = if is_untrusted {
        (
            format!("The certificate of the mail server `{server}` is not trusted"),
            "where it is of an authority of your own, name that in `smtp_ca_file`",
        )
    } else if code == Some(LOGIN_REFUSED) {
        (
            format!("The mail server `{server}` refuses the user name or the password"),
            "see `smtp_user` and `smtp_password` in section `[notify]` of `/etc/lalapanel/config.toml`",
        )
    } else if let Some(code) = code {
        (
            format!("The mail server `{server}` refuses the letter ({code})"),
            "its own words say why; see section `[notify]` of `/etc/lalapanel/config.toml`",
        )
    } else if error.is_client() {
        (
            format!("The mail server `{server}` does not offer what the settings ask for"),
            "see `smtp_security` and `smtp_port` in section `[notify]` of `/etc/lalapanel/config.toml`",
        )
    } else {
        return unreached(mail, &detail);
    };
    Fault::new(Code::NotifyUnsent, title, hint).detail(detail)
}

fn unreached(mail: &Mail, why: &str) -> Fault {
    let title = format!(
        "The mail server `{}` cannot be reached at port {}",
        mail.server, mail.port
    );
    let hint = "see whether it is the right port, and whether this server may send mail at all: many networks close port 25";
    Fault::new(Code::NotifyUnsent, title, hint).detail(clean(mail, why))
}

fn unmade(why: &str) -> Fault {
    Fault::new(
        Code::NotifyUnsent,
        "The letter could not be made",
        "see section `[notify]` of `/etc/lalapanel/config.toml`",
    )
    .detail(shown(why, 300))
}

/// Words of the server's, of bounded length, without our password.
fn clean(mail: &Mail, words: &str) -> String {
    let words = match &mail.login {
        Some((_, password)) if !password.reveal().is_empty() => {
            words.replace(password.reveal(), "(hidden)")
        }
        _ => words.to_owned(),
    };
    shown(words.trim(), 300)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::authority::KeyText;
    use crate::domain::notify::{MailHost, Recipients};

    fn mail(subject: &str, text: &str) -> Mail {
        Mail {
            server: MailHost::parse("smtp.shop.example").unwrap(),
            port: 587,
            security: MailSecurity::Starttls,
            roots: None,
            login: Some(("ops".to_owned(), KeyText::new("hunter2hunter2".to_owned()))),
            name: "panel.example".to_owned(),
            from: MailAddress::parse("lala@shop.example").unwrap(),
            to: Recipients::parse("ops@shop.example, o'neil@shop.example").unwrap(),
            id: "00ff".to_owned(),
            subject: subject.to_owned(),
            text: text.to_owned(),
        }
    }

    fn written(mail: &Mail) -> String {
        String::from_utf8(letter(mail).unwrap().formatted()).unwrap()
    }

    #[test]
    fn what_is_told_adds_no_header_and_ends_no_letter() {
        let text = written(&mail(
            "disk\r\nBcc: eve@evil.example\r\n\r\nx",
            "a line\n.\nBcc: eve@evil.example\n",
        ));
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        let names: Vec<&str> = head
            .lines()
            .filter(|line| !line.starts_with(' '))
            .filter_map(|line| line.split(':').next())
            .collect();
        for name in [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Auto-Submitted",
        ] {
            assert!(names.contains(&name), "{name} of {names:?}");
        }
        assert!(head.contains("ops@shop.example") && head.contains("o'neil@shop.example"));
    }

    #[test]
    fn words_of_every_script_arrive() {
        let text = written(&mail("Grüße, 世界", "Plattenplatz für 世界\n"));
        assert!(text.is_ascii() && text.contains("=?utf-8?"), "{text}");
    }

    #[test]
    fn plain_text_is_for_this_machine_alone() {
        let other = Mail {
            security: MailSecurity::None,
            ..mail("a", "b")
        };
        assert!(server(&other).is_err());
        let here = Mail {
            server: MailHost::parse("127.0.0.1").unwrap(),
            ..other
        };
        assert!(server(&here).is_ok());
        assert!(server(&mail("a", "b")).is_ok());
    }

    #[test]
    fn the_password_is_in_no_word_of_the_servers() {
        let mail = mail("a", "b");
        assert_eq!(clean(&mail, "no: hunter2hunter2\r\n"), "no: (hidden)");
    }
}
