//! The packages that apt of a fresh Debian 12 knows here, with what of them our code meets.
//!
//! Invariant: files, links and services are those of the real packages; content nobody reads is left empty.

use std::collections::BTreeMap;

use crate::host::memory::packages::{Package, Stage};

/// The packages a fresh Debian 12 with fresh lists knows.
pub(super) fn known() -> BTreeMap<String, Package> {
    let bare = |version| Package {
        version,
        stage: Stage::Available,
        files: Vec::new(),
        links: Vec::new(),
        directories: Vec::new(),
        services: Vec::new(),
    };
    let php = "8.2.29-1~deb12u1";
    BTreeMap::from([
        ("nginx".to_owned(), nginx()),
        ("php8.2-fpm".to_owned(), php_fpm(php)),
        ("php8.4-fpm".to_owned(), newer_php_fpm()),
        (
            "php8.4-cli".to_owned(),
            Package {
                files: vec![("/usr/bin/php8.4", "")],
                ..bare(NEWER)
            },
        ),
        ("php8.4-mysql".to_owned(), bare(NEWER)),
        (
            "php8.2-cli".to_owned(),
            Package {
                files: vec![("/usr/bin/php8.2", "")],
                ..bare(php)
            },
        ),
        ("mariadb-server".to_owned(), mariadb()),
        ("mariadb-client".to_owned(), bare("1:10.11.14-0+deb12u2")),
        ("php8.2-mysql".to_owned(), bare(php)),
        ("php8.2-xml".to_owned(), bare(php)),
        ("php8.2-mbstring".to_owned(), bare(php)),
        ("php8.2-curl".to_owned(), bare(php)),
        ("php8.2-gd".to_owned(), bare(php)),
        ("php8.2-intl".to_owned(), bare(php)),
        ("php8.2-zip".to_owned(), bare(php)),
        (
            "php8.2-redis".to_owned(),
            Package {
                files: vec![("/usr/lib/php/20220829/redis.so", "")],
                ..bare(php)
            },
        ),
        ("logrotate".to_owned(), bare("3.21.0-1")),
    ])
}

fn nginx() -> Package {
    Package {
        version: "1.22.1-9+deb12u2",
        stage: Stage::Available,
        files: vec![
            ("/usr/sbin/nginx", "\0nginx/1.22.1\0"),
            (
                "/usr/lib/systemd/system/nginx.service",
                "[Service]\nType=forking\nExecStart=/usr/sbin/nginx\n[Install]\nWantedBy=multi-user.target\n",
            ),
            ("/etc/init.d/nginx", "#!/bin/sh\n"),
            (
                "/etc/nginx/nginx.conf",
                "user www-data;\nworker_processes auto;\ninclude /etc/nginx/modules-enabled/*.conf;\nevents { worker_connections 768; }\nhttp {\n\tinclude /etc/nginx/mime.types;\n\taccess_log /var/log/nginx/access.log;\n\terror_log /var/log/nginx/error.log;\n\tinclude /etc/nginx/conf.d/*.conf;\n\tinclude /etc/nginx/sites-enabled/*;\n}\n",
            ),
            ("/etc/nginx/mime.types", "types { text/html html; }\n"),
            (
                "/etc/nginx/fastcgi_params",
                "fastcgi_param QUERY_STRING $query_string;\n",
            ),
            (
                "/etc/nginx/sites-available/default",
                "server {\n\tlisten 80 default_server;\n\tlisten [::]:80 default_server;\n\troot /var/www/html;\n\tserver_name _;\n}\n",
            ),
            (
                "/var/www/html/index.nginx-debian.html",
                "<h1>Welcome to nginx!</h1>\n",
            ),
        ],
        links: vec![(
            "/etc/nginx/sites-enabled/default",
            "/etc/nginx/sites-available/default",
        )],
        directories: vec![
            "/etc/nginx/conf.d",
            "/etc/nginx/modules-enabled",
            "/var/log/nginx",
        ],
        services: vec!["nginx.service"],
    }
}

fn php_fpm(version: &'static str) -> Package {
    Package {
        version,
        stage: Stage::Available,
        files: vec![
            ("/usr/sbin/php-fpm8.2", ""),
            (
                "/usr/lib/systemd/system/php8.2-fpm.service",
                "[Service]\nType=notify\nExecStart=/usr/sbin/php-fpm8.2 --nodaemonize\n[Install]\nWantedBy=multi-user.target\n",
            ),
            ("/etc/init.d/php8.2-fpm", "#!/bin/sh\n"),
            ("/etc/php/8.2/fpm/php.ini", "[PHP]\n"),
            (
                "/etc/php/8.2/fpm/pool.d/www.conf",
                "[www]\nuser = www-data\nlisten = /run/php/php8.2-fpm.sock\n",
            ),
        ],
        links: Vec::new(),
        directories: vec!["/run/php"],
        services: vec!["php8.2-fpm.service"],
    }
}

/// A version that Debian 12 does not have, as an extra repository brings it.
const NEWER: &str = "8.4.11-1";

fn newer_php_fpm() -> Package {
    Package {
        files: vec![
            ("/usr/sbin/php-fpm8.4", ""),
            (
                "/usr/lib/systemd/system/php8.4-fpm.service",
                "[Service]\nType=notify\nExecStart=/usr/sbin/php-fpm8.4 --nodaemonize\n[Install]\nWantedBy=multi-user.target\n",
            ),
            ("/etc/init.d/php8.4-fpm", "#!/bin/sh\n"),
            ("/etc/php/8.4/fpm/php.ini", "[PHP]\n"),
            (
                "/etc/php/8.4/fpm/pool.d/www.conf",
                "[www]\nuser = www-data\nlisten = /run/php/php8.4-fpm.sock\n",
            ),
        ],
        directories: vec!["/run/php", "/etc/php/8.4/fpm/conf.d"],
        services: vec!["php8.4-fpm.service"],
        ..php_fpm(NEWER)
    }
}

fn mariadb() -> Package {
    Package {
        version: "1:10.11.14-0+deb12u2",
        stage: Stage::Available,
        files: vec![
            ("/usr/sbin/mariadbd", ""),
            (
                "/usr/lib/systemd/system/mariadb.service",
                "[Service]\nType=notify\nExecStart=/usr/sbin/mariadbd\n[Install]\nWantedBy=multi-user.target\n",
            ),
            ("/etc/init.d/mariadb", "#!/bin/sh\n"),
            ("/etc/mysql/mariadb.cnf", "[client-server]\n"),
        ],
        links: Vec::new(),
        directories: vec!["/etc/mysql/mariadb.conf.d", "/run/mysqld", "/var/lib/mysql"],
        services: vec!["mariadb.service"],
    }
}
