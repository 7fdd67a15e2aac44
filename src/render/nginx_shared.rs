//! Variables, zones and the page cache that the files of all sites use.
//!
//! Invariant: names begin with `lalapanel`, and a zone's name holds its parameters: nginx refuses to change a zone that
//! exists, and says so in its log only.

use crate::domain::path::HostPath;
use crate::render::block::Block;

/// Where nginx keeps finished pages.
#[must_use]
pub fn cache_directory() -> HostPath {
    HostPath::fixed("/var/cache/lalapanel")
}

/// The zone of the page cache.
pub(super) const CACHE_ZONE: &str = "lalapanel_pages_16m_512m";
/// The zone that counts sign-ins.
pub(super) const LOGIN_ZONE: &str = "lalapanel_login_10r_m";

/// At the level of `http`: defined once, used by the files of sites only.
pub(super) fn variables(file: Block) -> Block {
    let file = file
        .comment("Websockets: the application hears of an upgrade, and of nothing otherwise.")
        .block("map", ["$http_upgrade", "$lalapanel_connection"], |map| {
            map.line("default", ["upgrade"]).line("\"\"", ["\"\""])
        });
    let file = file
        .comment("What Lala asks over its own socket is nobody's visit, and not in a site's log.")
        .block("map", ["$remote_addr", "$lalapanel_is_visit"], |map| {
            map.line("default", ["1"]).line("unix:", ["0"])
        });
    let file = file
        .comment(
            "Where links lead to, found once a request: nginx itself looks again at every use.",
        )
        .block("map", ["\"\"", "$lalapanel_root"], |map| {
            map.line("default", ["$realpath_root"])
        });
    cache(sign_ins(file))
}

/// Only what is sent to a known login page counts; everything else has an empty key, which nginx does not limit.
fn sign_ins(file: Block) -> Block {
    file.comment("Who signs in counts, by address; pages that are only looked at do not.")
        .block("map", ["$request_method:$uri", "$lalapanel_login"], |map| {
            map.line("default", ["\"\""]).line(
                r#""~*^POST:/(?:wp-login\.php|login|user/login|admin/login|administrator/(?:index\.php)?)$""#,
                ["$binary_remote_addr"],
            )
        })
        .line(
            "limit_req_zone",
            ["$lalapanel_login", "zone=lalapanel_login_10r_m:10m", "rate=10r/m"],
        )
}

fn cache(file: Block) -> Block {
    file.comment("Finished pages. Kept for nobody who is signed in, has a cart or left a comment.")
        .line(
            "fastcgi_cache_path",
            [
                "/var/cache/lalapanel",
                "levels=1:2",
                "keys_zone=lalapanel_pages_16m_512m:16m",
                "max_size=512m",
                "inactive=60m",
                "use_temp_path=off",
            ],
        )
        .block("map", ["$http_cookie", "$lalapanel_any_cookie"], |map| {
            map.line("default", ["1"]).line("\"\"", ["0"])
        })
        .block("map", ["$http_cookie", "$lalapanel_wp_cookie"], |map| {
            map.line("default", ["0"]).line(
                r#""~*(?:wordpress_logged_in|wordpress_sec|wp-postpass|comment_author|woocommerce_items_in_cart|woocommerce_cart_hash|wp_woocommerce_session|edd_items_in_cart|PHPSESSID)""#,
                ["1"],
            )
        })
        .block("map", ["$request_uri", "$lalapanel_wp_page"], |map| {
            map.line("default", ["0"])
                .line(
                    r#""~*^/(?:wp-admin|wp-login\.php|wp-cron\.php|wp-json|xmlrpc\.php|cart|checkout|my-account|feed)""#,
                    ["1"],
                )
                .line(r#""~*[?&](?:preview|add-to-cart|s|customize_changeset_uuid)=""#, ["1"])
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zones_used_by_sites_are_the_ones_defined() {
        let text = variables(Block::default()).finish();
        assert!(text.contains(&format!("keys_zone={CACHE_ZONE}:")));
        assert!(text.contains(&format!("zone={LOGIN_ZONE}:")));
        assert!(text.contains(&format!("fastcgi_cache_path {} ", cache_directory())));
    }
}
