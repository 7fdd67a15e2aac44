//! Makes the browser files ready to serve: a hash in every name, and each file compressed once, here, instead of at every request.
//!
//! Invariant: nothing here reaches the network, and the same bytes in `ui/assets` give the same bytes in the binary.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script is no part of the panel: it reads and writes the build directory"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest, Sha256};

/// The files the panel serves, by the constant that names them in templates. Everything else in `ui/assets` is for people.
const FILES: &[(&str, &str)] = &[
    ("STYLE", "app.css"),
    ("SCRIPT", "app.js"),
    ("ICONS", "icons.svg"),
    ("FAVICON", "favicon.svg"),
];

fn main() -> io::Result<()> {
    let from =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("ui/assets");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let to = out.join("assets");
    println!("cargo::rerun-if-changed=ui/assets");
    println!("cargo::rerun-if-changed=sailfish.toml");
    if to.exists() {
        fs::remove_dir_all(&to)?;
    }
    fs::create_dir_all(&to)?;
    let mut names = String::new();
    for (constant, file) in FILES {
        let served = place(&from.join(file), file, &to)?;
        let _ = writeln!(
            names,
            "/// Where `{file}` is served.\npub(super) const {constant}: &str = \"/a/{served}\";"
        );
    }
    fs::write(out.join("asset_names.rs"), names)
}

/// Writes one file plain, as brotli and as gzip under its hashed name, and returns that name.
fn place(source: &Path, file: &str, to: &Path) -> io::Result<String> {
    let bytes = fs::read(source)?;
    let hash: String =
        Sha256::digest(&bytes)
            .iter()
            .take(5)
            .fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
    let (stem, ending) = file.rsplit_once('.').unwrap_or((file, "bin"));
    let served = format!("{stem}.{hash}.{ending}");
    fs::write(to.join(&served), &bytes)?;
    fs::write(to.join(format!("{served}.br")), brotli(&bytes)?)?;
    fs::write(to.join(format!("{served}.gz")), gzip(&bytes)?)?;
    Ok(served)
}

fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    brotli::CompressorWriter::new(&mut packed, 4096, 11, 22).write_all(bytes)?;
    Ok(packed)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packer = flate2::GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes)?;
    packer.finish()
}
