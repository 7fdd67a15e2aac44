// Every page that the looks are taken of: light, dark, on phones, with forced colours.
//
// Invariant: what the router serves to people is here, or among the exceptions of `tests/web/browser_pages.rs`; that test reads
// the addresses of this file as text, so each is written out, with ${…} for what only a run knows.

// `drifted` is a site with a file that somebody edited, `trashed` one in the trash; `operation` and `secret` are ids.
export const pages = ({ site, drifted, trashed, operation, secret, version, loaded }) => ({
  home: '/', menu: '/menu', missing: '/nothing-here',
  sites: '/sites', 'new-site': '/sites/new', 'new-site-plan': `/sites/new?hostname=axe-${site}&type=php`,
  'new-site-proxy': '/sites/new?hostname=proxy.example&type=proxy&address=127.0.0.1:3000',
  site: `/sites/${site}`, danger: `/sites/${site}/danger`, delete: `/sites/${site}/delete`,
  enable: `/sites/${site}/enable`, disable: `/sites/${site}/disable`, purge: `/sites/${site}/purge`,
  clone: `/sites/${site}/clone?name=axe-clone.example`, rename: `/sites/${site}/rename?name=axe-rename.example`,
  logs: `/sites/${site}/logs`, 'restore-logs': `/sites/${site}/restore-logs`,
  'settings-names': `/sites/${site}/settings/names`, 'settings-web': `/sites/${site}/settings/web`,
  'settings-access': `/sites/${site}/settings/access`, 'settings-limits': `/sites/${site}/settings/limits`,
  'settings-php': `/sites/${site}/settings/php?php.memory_limit=banana`,
  visitors: `/sites/${site}/visitors`, 'visitor-remove': `/sites/${site}/visitors/eve/remove`,
  nginx: `/sites/${site}/nginx`, 'site-php': `/sites/${site}/php`,
  'site-drifted': `/sites/${drifted}`, 'drift-keep': `/sites/${drifted}/drift/keep`,
  'drift-restore': `/sites/${drifted}/drift/restore`, 'drift-leave': `/sites/${drifted}/drift/leave`,
  'site-uptime': `/sites/${site}/uptime`, 'site-databases': `/sites/${site}/databases`,
  certificate: `/sites/${site}/certificate`, 'certificate-remove': `/sites/${site}/certificate/remove`,
  certificates: '/certificates', dns: '/certificates/dns', 'panel-certificate': '/certificates/panel',
  'trash-restore': `/trash/${trashed}/restore`, 'trash-delete': `/trash/${trashed}/delete`,
  databases: '/databases', 'new-database': '/databases/new-database', database: '/databases/axe_db',
  'database-password': '/databases/axe_db/password', 'database-delete': '/databases/axe_db/delete',
  'database-repair': '/databases/axe_db/repair', 'database-restore': '/databases/ui_db/restore',
  'database-import': '/databases/axe_db/import', 'database-loaded': `/databases/axe_db/import/${loaded}`,
  'database-user-new': '/databases/axe_db/users', 'database-user': '/databases/axe_db/users/axe_db',
  'database-user-password': '/databases/axe_db/users/axe_db/password', 'database-user-remove': '/databases/axe_db/users/axe_db/remove',
  operation: `/operations/${operation}`, secret: `/operations/${secret}`, activity: '/activity', audit: '/activity/audit',
  services: '/services', 'service-restart': '/services/nginx/restart', system: '/system', 'system-year': '/system?range=year', uptime: '/uptime',
  php: '/php', 'php-install': '/php/8.1/install', 'php-remove': `/php/${version}/remove`, extensions: `/php/${version}/extensions`,
  extension: `/php/${version}/extensions/redis/install`, 'php-repository': '/php/repository/enable', 'php-repository-off': '/php/repository/disable',
  users: '/users', settings: '/settings', notifications: '/settings/notifications', account: '/account',
});
