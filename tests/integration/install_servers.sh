#!/bin/sh
# Install the real programs that the integration tests start on loopback: PostgreSQL,
# MediaWiki behind nginx, and Chromium. Nothing here starts one. Debian and its children
# only.
set -eu

missing=
[ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
[ -f /usr/share/mediawiki/api.php ] || missing="$missing mediawiki"
command -v php >/dev/null || missing="$missing php-cli"
command -v php-cgi >/dev/null || missing="$missing php-cgi"
php -r 'exit(extension_loaded("pdo_sqlite") ? 0 : 1);' 2>/dev/null \
  || missing="$missing php-sqlite3"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
browser=
command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null \
  || command -v chromium-browser >/dev/null || browser=chromium
missing="$missing${browser:+ $browser}"
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
  cat >&2 <<TEXT
The integration tests need programs that are not on this machine:$missing
Run this once as root (Debian), then try again:
    sudo sh tests/integration/install_servers.sh
TEXT
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=300 update -qq
# Without windows it starts sooner; not every child of Debian has it.
if [ -n "$browser" ] && apt-cache show chromium-headless-shell >/dev/null 2>&1; then
  browser=chromium-headless-shell
fi
# The package's own cluster and web server would start at once and stay: refuse both.
# A name that ends with "-" is one not to install.
mkdir -p /etc/postgresql-common
grep -qs '^create_main_cluster' /etc/postgresql-common/createcluster.conf \
  || echo 'create_main_cluster = false' >>/etc/postgresql-common/createcluster.conf
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
trap 'rm -f /usr/sbin/policy-rc.d' EXIT
apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends \
  $browser postgresql nginx-light mediawiki php-cgi php-cli php-sqlite3 php-mbstring php-xml \
  php-intl php-gd php-curl apache2- >/dev/null
