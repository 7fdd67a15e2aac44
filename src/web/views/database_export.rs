//! `POST /databases/{name}/export`: a database as a file to download, packed here on its way.
//!
//! Invariant: the browser gets an ordinary end only after the agent said that the whole database has come; otherwise the
//! connection breaks, and the download counts as failed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use poem::http::{StatusCode, header};
use poem::{Body, Response};
use tokio::io::{AsyncRead, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::domain::dump_format::DumpFormat;
use crate::rpc::packer::Packer;
use crate::rpc::protocol::{Answer, Call, Reply, Request};
use crate::web::clock;
use crate::web::refusal::Refusal;
use crate::web::stream;
use crate::web::views::databases;
use crate::web::visit::{Visit, unexpected};

/// Bytes that wait for a slow browser.
const WAITING: usize = 64 * 1024;

/// Downloads it.
pub(in crate::web) async fn export(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let name = databases::find(&visit).await?.name;
    let format = DumpFormat::of_word(visit.form.text("format")).ok_or(Refusal::BAD_REQUEST)?;
    let place = stream::place(&visit)?;
    let call = Call {
        session: visit.session.clone(),
        bearer: None,
        from: visit.from,
        request: Request::DatabaseExport { name: name.clone() },
    };
    let (to, mut pieces) = mpsc::channel(2);
    let agent = Arc::clone(&visit.shared.agent);
    let asking = tokio::spawn(async move { agent.pour(call, to).await });
    // A refusal comes instead of the first piece, while there is still a page to say it on.
    let Some(first) = pieces.recv().await else {
        return Err(refusal(asking.await));
    };
    let (ours, theirs) = tokio::io::duplex(WAITING);
    let whole = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&whole);
    tokio::spawn(async move {
        let _place = place;
        // An error here is a browser that has gone, or a database that did not come whole.
        let _ = pour(format, first, pieces, asking, ours, &told).await;
    });
    let day = clock::now().to_string();
    let day = day.get(..10).unwrap_or_default();
    let file = format!("attachment; filename=\"{name}-{day}{}\"", format.ending());
    Ok(Response::builder()
        .status(StatusCode::OK)
        .header(header::CONTENT_TYPE, format.media_type())
        .header(header::CONTENT_DISPOSITION, file)
        .body(Body::from_async_read(Checked { theirs, whole })))
}

fn refusal(asked: Result<Answer, tokio::task::JoinError>) -> Refusal {
    match asked {
        Ok(Err(fault)) => fault.into(),
        Ok(Ok(_)) | Err(_) => unexpected(),
    }
}

async fn pour(
    format: DumpFormat,
    first: Vec<u8>,
    mut pieces: mpsc::Receiver<Vec<u8>>,
    asking: JoinHandle<Answer>,
    mut to: DuplexStream,
    whole: &AtomicBool,
) -> io::Result<()> {
    let mut packer = Packer::new(format, Vec::new())?;
    let mut next = Some(first);
    while let Some(piece) = next {
        io::Write::write_all(&mut packer, &piece)?;
        to.write_all(&std::mem::take(packer.inside())).await?;
        next = pieces.recv().await;
    }
    let answer = asking.await.map_err(io::Error::other)?;
    if !matches!(answer, Ok(Reply::Exported(_))) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    to.write_all(&packer.finish()?).await?;
    whole.store(true, Ordering::Release);
    to.shutdown().await
}

/// What is poured; its end is an error where it is not whole.
struct Checked {
    theirs: DuplexStream,
    whole: Arc<AtomicBool>,
}

impl AsyncRead for Checked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = Pin::new(&mut self.theirs).poll_read(context, into);
        let is_end = matches!(polled, Poll::Ready(Ok(()))) && into.filled().len() == before;
        if is_end && !self.whole.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        polled
    }
}
