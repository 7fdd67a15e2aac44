//! The archive of WordPress that was fetched: brought by the courier, compared with what its publisher says, kept for a day.
//!
//! Invariant: an archive that is not as its publisher says is not kept; nothing here looks into one, for that is a site's worker's part.

use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::domain::archive::{ArchiveUrl, FetchedArchive};
use crate::domain::fault::{Code, Fault};
use crate::domain::path::HostPath;
use crate::domain::secret::hex;
use crate::domain::time::Timestamp;
use crate::domain::wordpress::{ArchiveDigest, archives};
use crate::host::{Host, HostError, Mode, Node, Owner};
use crate::rpc::courier::{Fetch, Fetched};
use crate::system::courier;

/// As much as is fetched; WordPress has 30 MB.
const MOST: u64 = 100 << 20;
/// So much of an archive is in memory at a time.
const PART: usize = 1 << 20;
/// What is written down about it is no longer.
const RECORD: usize = 16 * 1024;

/// Where to fetch from, and whom to trust there.
#[derive(Debug, Clone)]
pub struct Source {
    /// The address.
    pub url: ArchiveUrl,
    /// Roots beside the usual ones, as PEM.
    pub roots: Option<String>,
}

/// The checksums of a file, and its size.
pub(super) struct Sums {
    pub(super) sha256: String,
    sha1: String,
    bytes: u64,
}

/// The one that was fetched from there and is fresh; otherwise it is fetched now, which takes a while.
pub fn fetch(host: &dyn Host, source: Source) -> Result<FetchedArchive, Fault> {
    if let Some(found) = at_hand(host, &source.url)? {
        return Ok(found);
    }
    forget(host)?;
    host.make_dir(&archives(), Owner::ROOT, Mode(0o700))?;
    let brought = bring(host, source);
    if brought.is_err() {
        // What was wrong with the archive matters more than what is wrong with the disk.
        let _ = host.remove(&half());
        let _ = forget(host);
        close(host);
    }
    brought
}

/// The one that was fetched from there, while it is fresh and still here.
pub fn at_hand(host: &dyn Host, url: &ArchiveUrl) -> Result<Option<FetchedArchive>, Fault> {
    let Some(found) = record(host)? else {
        return Ok(None);
    };
    let wanted = Node::File { size: found.bytes };
    let is_there = host
        .stat(&found.archive.file())?
        .is_some_and(|meta| meta.node == wanted && meta.owner == Owner::ROOT);
    let is_good = is_there && found.url == *url && found.is_fresh(host.now());
    Ok(is_good.then_some(found))
}

/// What is written down about the one that was fetched last; none where that cannot be understood.
pub(super) fn record(host: &dyn Host) -> Result<Option<FetchedArchive>, Fault> {
    match host.read(&FetchedArchive::record(), RECORD) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(HostError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes every archive but a fresh one from there: those that whoever brought them did not take away again, since it was
/// killed, and those that are too old. To be called when the agent starts: nothing is being installed then.
pub fn sweep(host: &dyn Host, url: &ArchiveUrl) -> Result<(), Fault> {
    let kept = at_hand(host, url)?;
    let kept = kept.map(|kept| [FetchedArchive::record(), kept.archive.file()]);
    for name in host.list(&archives())? {
        let path = archives().join(&name);
        if !kept.iter().flatten().any(|kept| *kept == path) {
            host.remove(&path)?;
        }
    }
    if kept.is_none() {
        host.remove(&archives())?;
    }
    Ok(())
}

/// The archive while it is not known to be good.
fn half() -> HostPath {
    archives().join("fetching")
}

/// First what is written down, so that it never tells of an archive that is not here.
fn forget(host: &dyn Host) -> Result<(), Fault> {
    let old = record(host)?;
    host.remove(&FetchedArchive::record())?;
    if let Some(old) = old {
        host.remove(&old.archive.file())?;
    }
    Ok(())
}

/// Others may have put an archive there: then it stays.
fn close(host: &dyn Host) {
    let _ = host.remove(&archives());
}

fn bring(host: &dyn Host, source: Source) -> Result<FetchedArchive, Fault> {
    let url = source.url;
    let errand = Fetch {
        url: url.clone(),
        roots: source.roots,
        most: MOST,
    };
    let fetched = courier::fetch(host, errand, &half())?;
    let sums = sums(host, &half())?;
    let archive = compared(&url, &fetched, &sums)?;
    // One that somebody brought by hand has the same bytes.
    host.remove(&archive.file())?;
    host.rename(&half(), &archive.file())?;
    let made = FetchedArchive {
        url,
        archive,
        published: fetched.published,
        version: fetched.version,
        bytes: sums.bytes,
        // For people, and for a day: no fractions.
        fetched: Timestamp::from_millis(host.now().millis() / 1000 * 1000),
    };
    let text = serde_json::to_vec_pretty(&made).map_err(|error| {
        Fault::new(
            Code::HostFailed,
            "what is known of the archive cannot be written down",
            "report it with the version of the panel",
        )
        .detail(error.to_string())
    })?;
    let written = host.write(&FetchedArchive::record(), &text, Owner::ROOT, Mode(0o600));
    if let Err(error) = written {
        let _ = host.remove(&made.archive.file());
        return Err(error.into());
    }
    Ok(made)
}

fn compared(url: &ArchiveUrl, fetched: &Fetched, sums: &Sums) -> Result<ArchiveDigest, Fault> {
    let published = &fetched.published;
    let own = if published.is_sha256() {
        &sums.sha256
    } else {
        &sums.sha1
    };
    if published.as_str() != own || sums.bytes != fetched.bytes {
        let kind = published.kind();
        return Err(Fault::new(
            Code::WordpressArchive,
            format!("The archive from `{url}` is not the one its checksum is of"),
            "it came damaged, or somebody changed it: try again later, or give the archive with `--archive FILE`",
        )
        .detail(format!(
            "its {kind} is {own}, and the publisher says {published}"
        )));
    }
    ArchiveDigest::parse(&sums.sha256).map_err(|bad| {
        let hint = "report it with the version of the panel";
        Fault::new(Code::HostFailed, bad.to_string(), hint)
    })
}

/// Reads a file of root's once, for all of it.
pub(super) fn sums(host: &dyn Host, file: &HostPath) -> Result<Sums, Fault> {
    let (mut sha256, mut sha1, mut bytes) = (Sha256::new(), Sha1::new(), 0_u64);
    loop {
        let part = host.read_part(file, bytes, PART)?;
        if part.bytes.is_empty() {
            return Ok(Sums {
                sha256: hex(&sha256.finalize()),
                sha1: hex(&sha1.finalize()),
                bytes,
            });
        }
        sha256.update(&part.bytes);
        sha1.update(&part.bytes);
        bytes = bytes.saturating_add(part.bytes.len() as u64);
    }
}
