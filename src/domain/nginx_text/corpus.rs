//! Snippets that are taken and snippets that are not.
//!
//! Invariant: test code only; other readers of nginx text are held against the taken ones.

use super::allow;
use super::snippet::Snippet;

/// Every form that is taken, nearly.
pub(crate) const TAKEN: &[&str] = &[
    "",
    "# only a comment { ; \" }",
    "add_header X-Robots-Tag noindex always;",
    "add_header X-Id \"r-${request_id}\";\nadd_header Cache-Control 'public, max-age=60';",
    "location = /old { return 301 https://$host/new; }",
    "location /shop/ { return 308 https://shop.example$request_uri; }",
    "location = /a { return 302 /b; }\nlocation /c { return 200 \"it; is { fine }\\n\"; }",
    "location ^~ /closed/ { deny all; }",
    "location ~* \\.(?:css|js|woff2?)$ {\n\texpires 30d;\n\tadd_header Cache-Control public;\n\ttry_files $uri =404;\n}",
    "location ~ \"^/\\d{4}/\" { location ~ \\.php$ { return 404; } autoindex on; }",
    "location /files/ { autoindex on; autoindex_localtime on; autoindex_exact_size off; index index.html; charset utf-8; access_log off; }",
    "location /office/ { allow 192.0.2.0/24; allow 2001:db8::/32; deny all; satisfy any; }",
    "location /form { if ($request_method = POST) { return 405; } limit_except GET POST { deny all; } }",
    "location /bots { if ($http_user_agent ~* bot) { return 403; } }",
    "error_page 404 /404.html;\nerror_page 500 502 =503 /busy.html;\nlocation = /404.html { internal; }",
    "limit_rate 200k; limit_rate_after 1m; expires off; etag off; max_ranges 0; log_not_found off;",
    "location /big/ { client_max_body_size 200m; gzip off; gzip_types text/css application/json; gzip_comp_level 5; gzip_min_length 256; gzip_vary off; }",
    "location /app/ { try_files $uri $uri/ /app/index.php$is_args$args; auth_basic off; default_type text/plain; }",
    "location /flag { set $my_flag on; add_header X-Flag $my_flag; if ($my_flag != off) { return 204; } }",
    "location /deep/ { location /deep/er/ { location /deep/er/still/ { location = /deep/er/still/x { return 204; } } } }",
    "location /q { return 200 'a\\'b \"c\" \\\\ d'; }",
    "if_modified_since before; chunked_transfer_encoding off; default_type text/html; gzip_static off;",
    "location /umlaut { return 200 \"Grüße, 世界\"; } # Grüße",
];

/// What is refused, with the line it is refused at and a word of the reason.
const REFUSED: &[(&str, u32, &str)] = &[
    ("}\nserver { listen 80; root /; }", 1, "not open"),
    ("location /a { return 404; } }", 1, "not open"),
    ("location /a {\n return 404;\n", 1, "not closed"),
    ("add_header X \"a;\n", 1, "quote"),
    ("add_header X 'a", 1, "quote"),
    ("expires 1d", 1, "`;` is missing"),
    ("expires 1d;\n;", 2, "no name"),
    ("location /a { return 404 }", 1, "missing before"),
    ("add_header X \"a\"b;", 1, "space"),
    ("add_header X a\"b\";", 1, "quote within"),
    ("add_header X a}b;", 1, "brace within"),
    ("add_header X a${b;", 1, "brace within"),
    ("location /a\\{ { return 404; }", 1, "brace within"),
    ("add_header X é;", 1, "ASCII"),
    ("add_header X \"a\nb\";", 1, "line break"),
    ("add_header X \"a\\nb\";", 1, "control"),
    ("expires 1d;\0", 1, "U+0000"),
    ("expires 1d;\rinclude /etc/passwd;", 1, "U+000D"),
    ("# \u{202e}evil\nexpires 1d;", 1, "U+202E"),
    ("# a\u{2028}include /etc/passwd;", 1, "U+2028"),
    ("expires 1d;\u{85}", 1, "U+0085"),
    ("\u{feff}expires 1d;", 1, "U+FEFF"),
    ("expires\u{a0}1d;", 1, "ASCII"),
    (
        "expires 1d;\ninclude /etc/nginx/nginx.conf;",
        2,
        "another file",
    ),
    ("'include' /etc/passwd;", 1, "another file"),
    ("incl\\ude /etc/passwd;", 1, "not in the list"),
    ("listen 8080;", 1, "opens a port"),
    ("server { listen 80; }", 1, "another server"),
    ("server_name other.example;", 1, "names"),
    (
        "location /a { fastcgi_pass unix:/run/lalapanel/php/s1002.sock; }",
        1,
        "another site's PHP",
    ),
    (
        "location /a { proxy_pass http://unix:/run/lalapanel/agent.sock; }",
        1,
        "other programs",
    ),
    (
        "location /a { fastcgi_param PHP_ADMIN_VALUE \"open_basedir=/\"; }",
        1,
        "lift the limits",
    ),
    ("location /a { root /etc; }", 1, "place of its own choice"),
    ("location /a { alias /etc/; }", 1, "place of its own choice"),
    ("rewrite ^ https://$host$uri;", 1, "splits headers"),
    ("access_log /var/www/x.php;", 1, "directly in the server"),
    (
        "location /a { access_log /var/www/x.php; }",
        1,
        "root would open",
    ),
    ("error_log /etc/cron.d/x;", 1, "root would open"),
    ("ssl_certificate_key /etc/shadow;", 1, "TLS"),
    ("load_module modules/x.so;", 1, "whole server"),
    ("env X;", 1, "whole server"),
    (
        "location /a { content_by_lua_block { os.execute(1); } }",
        1,
        "runs a program",
    ),
    ("location /a { js_content x; }", 1, "runs a program"),
    (
        "limit_req_zone $binary_remote_addr zone=a:1m rate=1r/s;",
        1,
        "all sites share",
    ),
    ("auth_basic_user_file /etc/shadow;", 1, "file of passwords"),
    ("location /a { auth_basic \"Secret\"; }", 1, "no password"),
    ("set_real_ip_from 0.0.0.0/0;", 1, "choose an address"),
    ("disable_symlinks off;", 1, "links"),
    ("location /a { dav_methods PUT; }", 1, "write files"),
    ("return 200 a;", 1, "directly in the server"),
    ("try_files /x =404;", 1, "directly in the server"),
    (
        "if ($host = a) { return 404; }",
        1,
        "directly in the server",
    ),
    (
        "location /a { if ($uri ~ (a)) { return 404; } }",
        1,
        "tests `$uri`",
    ),
    (
        "location /a { if ($args ~ (a)) { return 404; } }",
        1,
        "group",
    ),
    (
        "location /a { if ($args ~ \"(a)\") { return 404; } }",
        1,
        "group",
    ),
    (
        "location /a { if (-f /etc/shadow) { return 404; } }",
        1,
        "arguments",
    ),
    (
        "location /a { if ($host = a) { expires 1d; } }",
        1,
        "in an `if`",
    ),
    (
        "location /a { return 301 https://a.example$uri; }",
        1,
        "$uri",
    ),
    ("location /a { return 301 https://a.example$1; }", 1, "$1"),
    (
        "location /a { return 301 $request_uri; }",
        1,
        "visitor could choose",
    ),
    (
        "location /a { return 301 //$host; }",
        1,
        "visitor could choose",
    ),
    (
        "location /a { return 301 https://$args; }",
        1,
        "visitor could choose",
    ),
    (
        "location /a { return 301 https://$host.evil.example/; }",
        1,
        "visitor could choose",
    ),
    (
        "location /a { return 301 https://a.example$args; }",
        1,
        "visitor could choose",
    ),
    (
        "location /a { return 301 javascript:1; }",
        1,
        "visitor could choose",
    ),
    ("location /a { return 99; }", 1, "arguments"),
    ("location /a { add_header Location $arg_x; }", 1, "$arg_x"),
    ("location /a { add_header X $cookie_a; }", 1, "$cookie_a"),
    ("add_header Transfer-Encoding chunked;", 1, "nginx's own"),
    ("add_header X-Accel-Redirect /a;", 1, "nginx's own"),
    ("add_header \"X: a\" b;", 1, "name of a header"),
    ("add_header X \"$\";", 1, "begins no variable"),
    ("set $document_root /etc;", 1, "not yours"),
    ("set $my_x $uri;", 1, "another one"),
    ("set $lala_nocache 1;", 1, "not yours"),
    (
        "location /a { try_files /../../etc/passwd =404; }",
        1,
        "arguments",
    ),
    (
        "location /a { try_files $document_root$uri =404; }",
        1,
        "arguments",
    ),
    ("error_page 404 $uri;", 1, "arguments"),
    ("error_page 404 https://$http_host/;", 1, "$http_host"),
    ("location / { expires 1d; }", 1, "Lala's own place"),
    ("location /a/../b { expires 1d; }", 1, "plain path"),
    (
        "location ^~ /.well-known/acme-challenge/ { return 404; }",
        1,
        "certificates",
    ),
    (
        "location = /.well-known/acme-challenge/x { return 200 y; }",
        1,
        "certificates",
    ),
    (
        "location /.well-known/acme-challenge { return 404; }",
        1,
        "certificates",
    ),
    ("location /.git/ { autoindex on; }", 1, "hidden"),
    ("location ^~ /assets/ { expires 1d; }", 1, "hidden files"),
    (
        "location ^~ /a/ { allow 192.0.2.1; deny all; }",
        1,
        "hidden files",
    ),
    ("location ~ ^/a/ { expires 1d; }", 1, "PHP files as text"),
    ("location ~ \\.php$ { expires 1d; }", 1, "PHP files as text"),
    (
        "location = /index.php { expires 1d; }",
        1,
        "PHP files as text",
    ),
    (
        "location ~ (a+)+$ { return 404; }",
        1,
        "repeats a repetition",
    ),
    ("location @x { return 404; }", 1, "plain path"),
    ("location ~^/a { return 404; }", 1, "plain path"),
    ("location /a { gzip maybe; }", 1, "arguments"),
    ("gzip off;", 1, "directly in the server"),
    ("client_max_body_size 9m;", 1, "directly in the server"),
    (
        "location /a { client_max_body_size $args; }",
        1,
        "arguments",
    ),
    ("location /a;", 1, "needs `{"),
    ("expires 1d { }", 1, "takes no `{`"),
    (
        "location /a { location /a/b { location /a/b/c { location /a/b/c/d { location /a/b/c/d/e { return 404; } } } } }",
        1,
        "nests deeper",
    ),
    ("frobnicate on;", 1, "not in the list"),
];

#[test]
fn what_is_useful_is_taken_and_survives_the_wire() {
    for text in TAKEN {
        let snippet = Snippet::parse(text).unwrap_or_else(|refused| panic!("{text}\n{refused}"));
        let wire = serde_json::to_string(&snippet).unwrap();
        assert_eq!(serde_json::from_str::<Snippet>(&wire).unwrap(), snippet);
        assert_eq!(Snippet::parse(snippet.as_str()).unwrap(), snippet, "{text}");
    }
}

#[test]
fn every_directive_of_the_list_is_taken_somewhere() {
    let all: String = TAKEN.concat();
    for name in allow::names() {
        assert!(
            all.contains(&format!("{name} ")) || all.contains(&format!("{name};")),
            "{name}"
        );
    }
}

#[test]
fn the_document_for_owners_names_every_directive_of_the_list() {
    let document = include_str!("../../../docs/snippets.md");
    for name in allow::names() {
        let named = [format!("`{name}`"), format!("`{name} off`")];
        assert!(named.iter().any(|name| document.contains(name)), "{name}");
    }
}

#[test]
fn what_reaches_beyond_the_site_is_refused_with_line_reason_and_way_out() {
    for (text, line, word) in REFUSED {
        let refused = Snippet::parse(text).expect_err(text);
        let first = refused.first().unwrap();
        assert_eq!(first.line, *line, "{text}: {first}");
        assert!(refused.to_string().contains(word), "{text}: {refused}");
        assert!(!first.why.is_empty() && !first.instead.is_empty(), "{text}");
        assert!(
            serde_json::from_value::<Snippet>((*text).into()).is_err(),
            "{text}"
        );
    }
}

#[test]
fn limits_hold() {
    let one = "expires 1d;\n";
    assert!(Snippet::parse(&one.repeat(500)).is_ok());
    let many = Snippet::parse(&one.repeat(501)).unwrap_err();
    assert_eq!((many.0.len(), many.first().unwrap().line), (1, 501));
    assert!(Snippet::parse(&format!("#{}", "a".repeat(64 * 1024 - 1))).is_ok());
    assert!(Snippet::parse(&format!("#{}", "a".repeat(64 * 1024))).is_err());
    assert!(Snippet::parse(&"location /a {".repeat(5_000)).is_err());
}

#[test]
fn every_reason_is_named_at_once() {
    let refused = Snippet::parse("listen 80;\nexpires 1d;\nroot /;\n").unwrap_err();
    let lines: Vec<u32> = refused.0.iter().map(|refusal| refusal.line).collect();
    assert_eq!(lines, [1, 3]);
    assert_eq!(
        refused.to_string().lines().next(),
        Some(
            "line 1: `listen` opens a port; leave ports to Lala: it listens on 80 and 443 for every site"
        )
    );
}

#[test]
fn line_ends_of_browsers_are_taken_and_others_are_not() {
    let snippet = Snippet::parse("expires 1d;\r\netag off;\r\n\r\n").unwrap();
    assert_eq!(snippet.as_str(), "expires 1d;\netag off;\n");
    assert!(Snippet::parse("expires 1d;\retag off;").is_err());
}

#[test]
fn owners_are_told_what_a_place_does_not_cover() {
    let notes = Snippet::parse("location /a/ { deny all; add_header X y; }")
        .unwrap()
        .notes(true);
    assert!(
        notes.len() == 2 && notes.concat().contains("PHP") && notes.concat().contains("repeat")
    );
    assert_eq!(
        Snippet::parse("expires 1d;").unwrap().notes(true),
        Vec::<String>::new()
    );
}
