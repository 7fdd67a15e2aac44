//! Questions to DNS servers and signed updates, over the wire (RFC 1035, RFC 2136, RFC 8945).
//!
//! Invariant: an answer counts only where it is to our question; an update counts only where the server's answer is signed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::rdata::tsig::{TsigAlgorithm as Wire, TsigError};
use hickory_proto::rr::{Name, RecordType, TSigner};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::domain::dns::{RecordName, TsigAlgorithm, UpdateServer};

/// For one datagram and its answer, and for a connection with question and answer.
const DATAGRAM: Duration = Duration::from_secs(2);
const CONNECTION: Duration = Duration::from_secs(6);
const DATAGRAMS: usize = 2;
/// Our clock and the server's may differ by so many seconds.
const FUDGE: u16 = 300;

/// A name as the wire has it.
pub(super) fn wire_name(name: &RecordName) -> Result<Name, String> {
    let mut name = Name::from_ascii(name.as_str()).map_err(|error| error.to_string())?;
    name.set_fqdn(true);
    Ok(name)
}

/// A name from the wire.
pub(super) fn plain_name(name: &Name) -> Option<RecordName> {
    RecordName::parse(&name.to_ascii()).ok()
}

/// Asks one server one question; `why` it got no answer is words for people.
pub(super) async fn ask(
    server: SocketAddr,
    name: &RecordName,
    kind: RecordType,
    recursive: bool,
) -> Result<Message, String> {
    let mut question = Message::query();
    question.metadata.recursion_desired = recursive;
    question.add_query(Query::query(wire_name(name)?, kind));
    let bytes = question.to_vec().map_err(|error| error.to_string())?;
    for _ in 0..DATAGRAMS {
        match timeout(DATAGRAM, by_datagram(server, &bytes)).await {
            Ok(Ok(answer)) => match understood(&question, &answer) {
                Some(answer) if !answer.truncation => return Ok(answer),
                _ => break,
            },
            // Nobody is there, or there is no way.
            Ok(Err(_)) => break,
            Err(_) => {}
        }
    }
    let answer = by_connection(server, &bytes).await?;
    understood(&question, &answer).ok_or_else(|| "its answer is to another question".to_owned())
}

fn understood(question: &Message, answer: &[u8]) -> Option<Message> {
    let answer = Message::from_vec(answer).ok()?;
    let is_ours = answer.id == question.id && answer.queries == question.queries;
    is_ours.then_some(answer)
}

async fn by_datagram(server: SocketAddr, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    socket.send(bytes).await?;
    let mut answer = vec![0; 4096];
    let length = socket.recv(&mut answer).await?;
    answer.truncate(length);
    Ok(answer)
}

async fn by_connection(server: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let talk = async {
        let length = u16::try_from(bytes.len()).map_err(std::io::Error::other)?;
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(bytes).await?;
        let length = stream.read_u16().await?;
        let mut answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    match timeout(CONNECTION, talk).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err("it does not answer".to_owned()),
    }
}

/// Sends an update, signed, and sees that the server did it; `now` is in seconds.
pub(super) async fn update(
    address: SocketAddr,
    server: &UpdateServer,
    mut message: Message,
    now: u64,
) -> Result<(), String> {
    let verifier = message
        .finalize(&signer(server)?, now)
        .map_err(|error| error.to_string())?;
    let bytes = message.to_vec().map_err(|error| error.to_string())?;
    let answer = by_connection(address, &bytes).await?;
    let read = Message::from_vec(&answer).map_err(|error| error.to_string())?;
    if read.id != message.id {
        return Err("its answer is to another question".to_owned());
    }
    if read.response_code != ResponseCode::NoError {
        let error = read.signature().and_then(|record| record.data.error);
        return Err(refusal(read.response_code, error, server));
    }
    let Some(mut verifier) = verifier else {
        return Err("the update could not be signed".to_owned());
    };
    match verifier.verify(&answer) {
        Ok(_) => Ok(()),
        Err(_) => Err("its answer is not signed with our key".to_owned()),
    }
}

fn signer(server: &UpdateServer) -> Result<TSigner, String> {
    let secret = openssl::base64::decode_block(server.secret.reveal());
    let secret = secret.map_err(|_| "the secret of the key is not base64".to_owned())?;
    let algorithm = match server.key.algorithm {
        TsigAlgorithm::Sha256 => Wire::HmacSha256,
        TsigAlgorithm::Sha512 => Wire::HmacSha512,
    };
    let name = wire_name(&server.key.name)?;
    TSigner::new(secret, algorithm, name, FUDGE).map_err(|error| error.to_string())
}

/// What a server means by its number.
fn refusal(code: ResponseCode, error: Option<TsigError>, server: &UpdateServer) -> String {
    let (key, word) = (&server.key.name, server.key.algorithm.word());
    match (code, error) {
        (_, Some(TsigError::BadKey)) => {
            format!("it knows no key `{key}` for {word} (BADKEY): compare name and algorithm")
        }
        (_, Some(TsigError::BadSig)) => {
            format!("the secret of the key `{key}` is another one there (BADSIG): add it anew")
        }
        (_, Some(TsigError::BadTime)) => {
            "its clock and ours differ by more than 5 minutes (BADTIME): see `date`".to_owned()
        }
        (ResponseCode::Refused, _) => {
            format!(
                "it does not let the key `{key}` change this TXT record (REFUSED): see its update policy"
            )
        }
        (ResponseCode::NotAuth, _) => {
            format!(
                "it does not take this update from the key `{key}` (NOTAUTH): see its rules for updates, and whether it is the primary"
            )
        }
        (ResponseCode::NotImp, _) => "it takes no updates at all (NOTIMP)".to_owned(),
        (ResponseCode::ServFail, _) => {
            "it could not do it (SERVFAIL): see its log, and whether it may write its zone file"
                .to_owned()
        }
        (code, _) => format!("it refuses the update: {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::authority::KeyText;
    use crate::domain::dns::{DnsServer, UpdateKey};

    fn server(secret: &str) -> UpdateServer {
        UpdateServer {
            server: DnsServer::parse("192.0.2.1").unwrap(),
            key: UpdateKey {
                name: RecordName::parse("lala-key").unwrap(),
                algorithm: TsigAlgorithm::Sha256,
            },
            secret: KeyText::new(secret.to_owned()),
        }
    }

    #[test]
    fn a_refusal_says_what_to_compare_and_never_the_secret() {
        let server = server("c2VjcmV0LXNlY3JldC1zZWNyZXQ=");
        let told = |code, error| refusal(code, error, &server);
        assert!(told(ResponseCode::NotAuth, Some(TsigError::BadSig)).contains("secret"));
        assert!(told(ResponseCode::NotAuth, Some(TsigError::BadKey)).contains("`lala-key`"));
        assert!(told(ResponseCode::Refused, None).contains("update policy"));
        assert!(!told(ResponseCode::FormErr, None).contains("c2VjcmV0"));
        assert!(signer(&server).is_ok() && signer(&self::server("!")).is_err());
    }

    #[tokio::test]
    async fn an_answer_to_another_question_does_not_count() {
        let name = RecordName::parse("a.example").unwrap();
        let mut question = Message::query();
        question.add_query(Query::query(wire_name(&name).unwrap(), RecordType::TXT));
        let mut answer = question.clone();
        assert!(understood(&question, &answer.to_vec().unwrap()).is_some());
        answer.metadata.id = answer.metadata.id.wrapping_add(1);
        assert!(understood(&question, &answer.to_vec().unwrap()).is_none());
        assert!(understood(&question, b"no dns").is_none());
        let nobody = "127.0.0.1:1".parse().unwrap();
        assert!(ask(nobody, &name, RecordType::TXT, true).await.is_err());
    }
}
