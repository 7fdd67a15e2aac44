//! The page a new site shows until its owner puts something better there.
//!
//! Invariant: it tells the site's name and the PHP version, and nothing else about the machine; no outside request.

use crate::domain::path::SitePath;
use crate::domain::site::{Site, SiteKind};

const PAGE: &str = include_str!("welcome.html");

/// Where the page goes below the site's directory.
#[must_use]
pub fn path(site: &Site) -> &'static str {
    match site.kind {
        SiteKind::Php { .. } | SiteKind::Wordpress { .. } => "htdocs/index.php",
        SiteKind::Laravel { .. } => "htdocs/public/index.php",
        SiteKind::Static { .. } | SiteKind::Proxy { .. } | SiteKind::Redirect { .. } => {
            "htdocs/index.html"
        }
    }
}

/// The same as a checked path.
pub fn site_path(site: &Site) -> Result<SitePath, crate::domain::path::BadPath> {
    SitePath::parse(path(site))
}

/// The page.
#[must_use]
pub fn page(site: &Site) -> String {
    let runs = if site.kind.php().is_some() {
        "PHP <?= PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION ?> runs here"
    } else {
        "This site is online"
    };
    PAGE.replace("{name}", site.hostname.as_str())
        .replace("{runs}", runs)
        .replace("{file}", path(site))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::golden::{self, php_site, static_site};

    #[test]
    fn the_pages_are_the_golden_ones() {
        golden::check("welcome.php", &page(&php_site()));
        golden::check("welcome.html", &page(&static_site()));
        assert!(site_path(&php_site()).is_ok());
    }
}
