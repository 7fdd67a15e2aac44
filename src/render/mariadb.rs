//! Options of a MariaDB that this panel installed, sized by the machine's memory.
//!
//! Invariant: numbers come from one table; a MariaDB that was there before never gets this file.

use crate::domain::path::HostPath;

/// Where the file is: read after all of the distribution's own.
#[must_use]
pub fn file() -> HostPath {
    HostPath::fixed("/etc/mysql/mariadb.conf.d/99-lalapanel.cnf")
}

struct Size {
    up_to_mib: u64,
    buffer_pool: &'static str,
    log_file: &'static str,
    connections: u32,
    tables: u32,
    temporary: &'static str,
}

const SIZES: [Size; 5] = [
    Size {
        up_to_mib: 1536,
        buffer_pool: "128M",
        log_file: "96M",
        connections: 50,
        tables: 800,
        temporary: "16M",
    },
    Size {
        up_to_mib: 3072,
        buffer_pool: "384M",
        log_file: "128M",
        connections: 80,
        tables: 1500,
        temporary: "32M",
    },
    Size {
        up_to_mib: 6144,
        buffer_pool: "1G",
        log_file: "256M",
        connections: 120,
        tables: 2000,
        temporary: "32M",
    },
    Size {
        up_to_mib: 12_288,
        buffer_pool: "2560M",
        log_file: "512M",
        connections: 200,
        tables: 4000,
        temporary: "64M",
    },
    // A third of 16 GB; more is for a person to decide, PHP needs the rest.
    Size {
        up_to_mib: u64::MAX,
        buffer_pool: "5G",
        log_file: "1G",
        connections: 300,
        tables: 4000,
        temporary: "64M",
    },
];

/// The file for a machine with so many bytes of memory.
#[must_use]
pub fn options(memory: u64) -> String {
    let mib = memory / (1024 * 1024);
    let [.., largest] = &SIZES;
    let size = SIZES
        .iter()
        .find(|size| mib <= size.up_to_mib)
        .unwrap_or(largest);
    format!(
        "# {owned}\n\
         [mariadbd]\n\
         # The Unix socket only; `localhost` means it to every client. Names of addresses are never looked up.\n\
         skip_networking = 1\n\
         skip_name_resolve = 1\n\
         # No file of the server through SQL.\n\
         local_infile = 0\n\
         secure_file_priv = /var/lib/mysql-files\n\
         character_set_server = utf8mb4\n\
         performance_schema = OFF\n\
         query_cache_type = 0\n\
         query_cache_size = 0\n\
         key_buffer_size = 8M\n\
         aria_pagecache_buffer_size = 16M\n\
         max_allowed_packet = 64M\n\
         wait_timeout = 600\n\
         innodb_flush_log_at_trx_commit = 1\n\
         innodb_buffer_pool_size = {pool}\n\
         innodb_log_file_size = {log}\n\
         max_connections = {connections}\n\
         table_open_cache = {tables}\n\
         tmp_table_size = {temporary}\n\
         max_heap_table_size = {temporary}\n",
        owned = super::OWNED,
        pool = size.buffer_pool,
        log = size.log_file,
        connections = size.connections,
        tables = size.tables,
        temporary = size.temporary,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_the_golden_one() {
        crate::render::golden::check("mariadb-2g.cnf", &options(2 * 1024 * 1024 * 1024));
    }

    #[test]
    fn memory_decides_the_size() {
        for (gib, pool) in [
            (0, "128M"),
            (1, "128M"),
            (2, "384M"),
            (4, "1G"),
            (8, "2560M"),
            (64, "5G"),
        ] {
            let text = options(gib * 1024 * 1024 * 1024);
            assert!(
                text.contains(&format!("innodb_buffer_pool_size = {pool}\n")),
                "{gib} GiB"
            );
        }
    }
}
