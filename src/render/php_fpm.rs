//! PHP-FPM's configuration of a site, in the two layouts: a master per site (systemd), or a pool in the shared master (init scripts).
//!
//! Invariant: names in these files are numbers we mint, hostnames and versions; limits agree with the site's nginx file, since both come from one setting.

use std::fmt::Write as _;

use crate::domain::log::LogFile;
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::domain::setting::{FunctionPreset, PoolMode};
use crate::domain::site::Site;

/// The file of a site's own master.
#[must_use]
pub fn master_file(site: &Site) -> HostPath {
    HostPath::fixed("/etc/lalapanel/php").join(&format!("{}.conf", site.id))
}

/// The file of a site's pool in the shared master of a version.
#[must_use]
pub fn pool_file(site: &Site, php: PhpVersion) -> HostPath {
    pool_directory(php).join(&format!("lalapanel-{}.conf", site.id))
}

/// Where the shared master of a version looks for pools.
#[must_use]
pub fn pool_directory(php: PhpVersion) -> HostPath {
    fpm_directory(php).join("pool.d")
}

/// Settings for every pool of a version's shared master.
#[must_use]
pub fn shared_ini_file(php: PhpVersion) -> HostPath {
    fpm_directory(php).join("conf.d").join("99-lalapanel.ini")
}

fn fpm_directory(php: PhpVersion) -> HostPath {
    HostPath::fixed("/etc/php")
        .join(&php.to_string())
        .join("fpm")
}

/// The file of a master that is only tried.
#[must_use]
pub fn trial_file(site: &Site) -> HostPath {
    HostPath::fixed("/etc/lalapanel/php").join(&format!("{}-trial.conf", site.id))
}

/// One unprivileged master with one pool, for a site of its own; the socket is handed in by systemd.
#[must_use]
pub fn master(site: &Site) -> String {
    master_at(site, &site.php_socket(), &own_words(site))
}

/// Into the site's own log, beside what its PHP says, and not into the journal: that keeps a file of 8 MB for each user who
/// ever said a word, and each site is one.
fn own_words(site: &Site) -> String {
    let log = site.log_file(LogFile::Php);
    format!(
        "error_log = {log}\n; that it starts and ends is nobody's complaint\nlog_level = warning\n"
    )
}

/// The same behind the socket where another version is tried. What PHP has to say goes to whoever asks, and not to the
/// site's log.
#[must_use]
pub fn trial(site: &Site) -> String {
    let words = format!(
        "error_log = syslog\nsyslog.ident = lalapanel-php-{}\n",
        site.id
    );
    let text = master_at(site, &site.php_trial_socket(), &words);
    let lines = text.lines();
    let own = lines.filter(|line| !line.starts_with("php_admin_value[error_log]"));
    own.flat_map(|line| [line, "\n"]).collect()
}

fn master_at(site: &Site, socket: &HostPath, words: &str) -> String {
    format!(
        "; {owned}\n\
         [global]\n\
         {words}\
         ; 0, the default, drops running requests at a reload\n\
         process_control_timeout = 10s\n\
         emergency_restart_threshold = 10\n\
         emergency_restart_interval = 1m\n\
         daemonize = no\n\
         \n\
         [{id}]\n\
         listen = {socket}\n\
         {limits}",
        owned = super::OWNED,
        id = site.id,
        limits = limits(site),
    )
}

/// One pool for the shared master, which is root and changes to the site's user.
#[must_use]
pub fn pool(site: &Site) -> String {
    format!(
        "; {owned}\n\
         [{id}]\n\
         user = {user}\n\
         group = {user}\n\
         listen = {socket}\n\
         ; nginx alone may connect: who talks to the socket can set any limit anew\n\
         listen.owner = root\n\
         listen.group = www-data\n\
         listen.mode = 0660\n\
         {limits}",
        owned = super::OWNED,
        id = site.id,
        user = site.user(),
        socket = site.shared_php_socket(),
        limits = limits(site),
    )
}

/// Settings of a version's shared master itself.
#[must_use]
pub fn shared_master_file(php: PhpVersion) -> HostPath {
    pool_directory(php).join("lalapanel-master.conf")
}

/// A reload lets running requests end, as far as they end soon: 0, the default, drops them.
#[must_use]
pub fn shared_master() -> String {
    format!(
        "; {}\n[global]\nprocess_control_timeout = 10s\n",
        super::OWNED
    )
}

/// Closes what one pool of a shared master could read of another through OPcache.
#[must_use]
pub fn shared_ini() -> String {
    format!(
        "; {}\n\
         ; Without it, a site includes the cached code of another that it may not read.\n\
         opcache.validate_permission = 1\n\
         opcache.restrict_api = /nonexistent\n",
        super::OWNED
    )
}

fn limits(site: &Site) -> String {
    let (php, web) = (&site.settings.php, &site.settings.web);
    let on = |flag: bool| if flag { "on" } else { "off" };
    let mut text = processes(site);
    let _ = write!(
        text,
        "pm.status_path = /-/status\n\
         ping.path = /-/ping\n\
         ; wall clock: max_execution_time does not count waiting\n\
         request_terminate_timeout = {seconds}s\n\
         ; both logs lie in a directory of root's: the site fills them and can put no link in their place\n\
         request_slowlog_timeout = 5s\n\
         slowlog = {slow}\n\
         catch_workers_output = no\n\
         security.limit_extensions = .php\n\
         php_admin_flag[expose_php] = off\n\
         php_admin_flag[log_errors] = on\n\
         php_admin_value[error_log] = \"{errors}\"\n\
         php_admin_flag[allow_url_include] = off\n\
         php_admin_flag[enable_dl] = off\n\
         php_admin_value[cgi.fix_pathinfo] = 0\n",
        seconds = php.max_execution_time,
        slow = site.log_file(LogFile::Slow),
        errors = site.log_file(LogFile::Php),
    );
    if php.open_basedir {
        let _ = writeln!(
            text,
            "php_admin_value[open_basedir] = \"{}:/usr/share/php\"",
            site.root()
        );
    }
    let _ = write!(
        text,
        "php_admin_value[upload_tmp_dir] = \"{tmp}\"\n\
         php_admin_value[sys_temp_dir] = \"{tmp}\"\n\
         php_admin_value[session.save_path] = \"{tmp}/sessions\"\n\
         ; Debian leaves the cleaning to a cron job that does not know this directory\n\
         php_admin_value[session.gc_probability] = 1\n\
         php_admin_value[session.gc_divisor] = 1000\n\
         php_admin_value[session.gc_maxlifetime] = {session}\n\
         php_value[memory_limit] = {memory}M\n\
         php_value[max_execution_time] = {seconds}\n\
         php_admin_value[max_input_time] = {input}\n\
         php_admin_value[max_input_vars] = {vars}\n\
         php_flag[display_errors] = {errors}\n\
         php_admin_flag[allow_url_fopen] = {fopen}\n\
         php_admin_flag[opcache.enable] = {opcache}\n\
         php_admin_flag[opcache.validate_timestamps] = {validate}\n\
         ; one limit in three places: client_max_body_size is post_max_size\n\
         php_admin_value[upload_max_filesize] = {upload}M\n\
         php_admin_value[post_max_size] = {post}M\n",
        tmp = site.tmp(),
        session = php.session_lifetime,
        memory = php.memory_limit,
        seconds = php.max_execution_time,
        input = php.max_input_time,
        vars = php.max_input_vars,
        errors = on(php.display_errors),
        fopen = on(php.allow_url_fopen),
        opcache = on(php.opcache),
        validate = on(php.opcache_validate),
        upload = web.upload_max,
        post = web.upload_max.saturating_add(8),
    );
    if !php.timezone.is_empty() {
        let _ = writeln!(text, "php_admin_value[date.timezone] = {}", php.timezone);
    }
    if let Some(functions) = forbidden(php.functions) {
        let _ = writeln!(text, "php_admin_value[disable_functions] = \"{functions}\"");
    }
    text
}

fn processes(site: &Site) -> String {
    let php = &site.settings.php;
    let spare = (php.children / 4).max(1);
    let mut text = match php.mode {
        PoolMode::Ondemand => format!(
            "pm = ondemand\npm.max_children = {}\npm.process_idle_timeout = {}s\n",
            php.children, php.idle_timeout
        ),
        PoolMode::Dynamic => format!(
            "pm = dynamic\npm.max_children = {children}\npm.start_servers = {spare}\npm.min_spare_servers = {spare}\npm.max_spare_servers = {most}\n",
            children = php.children,
            most = (spare * 2).min(php.children),
        ),
        PoolMode::Static => format!("pm = static\npm.max_children = {}\n", php.children),
    };
    let _ = write!(
        text,
        "; leaks in extensions\npm.max_requests = {}\n",
        php.max_requests
    );
    text
}

const SHELL: &str = "exec,passthru,shell_exec,system,proc_open,popen,pcntl_exec,pcntl_fork,dl";

fn forbidden(preset: FunctionPreset) -> Option<String> {
    match preset {
        FunctionPreset::None => None,
        FunctionPreset::Shell => Some(SHELL.to_owned()),
        FunctionPreset::Strict => Some(format!(
            "{SHELL},phpinfo,php_uname,getmypid,getmyuid,get_current_user,posix_getpwuid,posix_getpwnam,posix_kill,disk_free_space,disk_total_space,sys_getloadavg,symlink,link"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::golden::{self, php_site};
    use proptest::prelude::*;

    #[test]
    fn the_files_are_the_golden_ones() {
        golden::check("php-master.conf", &master(&php_site()));
        golden::check("php-pool.conf", &pool(&php_site()));
        golden::check("php-trial.conf", &trial(&php_site()));
        golden::check("php-shared.ini", &shared_ini());
        golden::check("php-shared-master.conf", &shared_master());
    }

    #[test]
    fn a_site_may_not_set_its_own_paths() {
        for line in master(&php_site()).lines() {
            assert!(
                !line.starts_with("php_value[")
                    || line.contains("memory_limit")
                    || line.contains("max_execution_time"),
                "{line}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn every_pool_holds_one_value_a_line(made in golden::any_site()) {
            for text in [master(&made), pool(&made)] {
                prop_assert!(!golden::has_strange_characters(&text));
                for line in text.lines() {
                    let plain = line.is_empty() || line.starts_with(';') || line.starts_with('[') || line.contains(" = ");
                    prop_assert!(plain, "{}", line);
                    prop_assert!(line.starts_with(';') || !line.contains(';'), "{}", line);
                }
            }
        }
    }
}
