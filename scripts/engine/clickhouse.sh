# shellcheck shell=bash
# ClickHouse: the `clickhouse` of the PATH, or the server inside the npm package, run by our own binary. Sourced by
# scripts/engines.

CLICKHOUSE_PACKAGE_VERSION=26.7.3-stable.1
CLICKHOUSE_HOME=$CACHE/clickhouse-$CLICKHOUSE_PACKAGE_VERSION
# Older ones lack functions that the schema and the queries use.
CLICKHOUSE_OLDEST=25.8

GATETRAIL=$(absolute "${GATETRAIL_BIN:-target/debug/gatetrail}")

# True for a `clickhouse` that is recent enough; an older one is left alone and said so.
clickhouse_on_path() {
  local version
  command -v clickhouse >/dev/null || return 1
  version=$(clickhouse local --query 'SELECT version()' 2>/dev/null) || return 1
  if [ "$(printf '%s\n' "$CLICKHOUSE_OLDEST" "$version" | sort -V | head -n 1)" != "$CLICKHOUSE_OLDEST" ]; then
    warn "ClickHouse: $(command -v clickhouse) is $version, older than $CLICKHOUSE_OLDEST, so it is not used"
    return 1
  fi
}

# The npm package for this system; fails with a sentence where none is published.
clickhouse_package() {
  case $(uname -s)/$(uname -m) in
    Linux/x86_64) echo @chdb/lib-linux-x64-gnu ;;
    Linux/aarch64) echo @chdb/lib-linux-arm64-gnu ;;
    Darwin/arm64) echo @chdb/lib-darwin-arm64 ;;
    Darwin/x86_64) echo @chdb/lib-darwin-x64 ;;
    *) die "no ClickHouse package for $(uname -s) $(uname -m); set GATETRAIL_CLICKHOUSE_URL or ENGINES=docker" ;;
  esac
}

clickhouse_is_fetched() { [ -d "$CLICKHOUSE_HOME" ]; }

fetch_clickhouse() (
  ! clickhouse_is_fetched || exit 0
  package=$(clickhouse_package)
  mkdir -p "$CACHE"
  part=$CACHE/clickhouse.part.$$
  log=$CACHE/clickhouse-fetch.log
  trap 'rm -rf "$part"' EXIT
  mkdir -p "$part"
  started=$SECONDS
  label="ClickHouse $CLICKHOUSE_PACKAGE_VERSION"
  run_with_progress "$label: downloading about 178 MB with npm" "$log" \
    npm pack --pack-destination "$part" "$package@$CLICKHOUSE_PACKAGE_VERSION" ||
    fetch_failed "$label" "$log" "or set GATETRAIL_CLICKHOUSE_URL to a ClickHouse you have"
  # npm has checked the archive against the registry's checksum; only the library is needed of it.
  run_with_progress "$label: unpacking" "$log" \
    tar -xzf "$part"/*.tgz -C "$part" --strip-components=1 package/libchdb.so ||
    fetch_failed "$label" "$log" "it needs 800 MB of disk under $CACHE"
  rm -f "$part"/*.tgz
  mv -T "$part" "$CLICKHOUSE_HOME" 2>/dev/null || clickhouse_is_fetched || mv "$part" "$CLICKHOUSE_HOME"
  say "$label: $(size_of "$CLICKHOUSE_HOME") fetched in $((SECONDS - started)) s"
)

start_clickhouse() {
  local pid http_port tcp_port
  if pid=$(running_pid clickhouse); then
    say "ClickHouse: already running (process $pid, $(address_of clickhouse))"
    return
  fi
  http_port=$(free_port clickhouse)
  tcp_port=$(free_port clickhouse-native)
  : >"$STATE/log/clickhouse.log"
  case $1 in
    path) start_clickhouse_of_path "$http_port" "$tcp_port" ;;
    npm) start_clickhouse_of_npm "$http_port" "$tcp_port" ;;
  esac
  echo "http://127.0.0.1:$http_port" >"$STATE/run/clickhouse.address"
}

# In the place of this process; it lives while its standard input is open. Always the fetched server: only that one
# loads what LD_PRELOAD names.
run_clickhouse() {
  local http_port tcp_port
  clickhouse_is_fetched || fetch_clickhouse
  require_binary
  http_port=$(free_port clickhouse)
  tcp_port=$(free_port clickhouse-native)
  echo "http://127.0.0.1:$http_port" >"$STATE/run/clickhouse.address"
  exec "$GATETRAIL" engine clickhouse --library "$CLICKHOUSE_HOME/libchdb.so" --path "$STATE/data/clickhouse" \
    --http-port "$http_port" --tcp-port "$tcp_port"
}

require_binary() {
  [ -x "$GATETRAIL" ] ||
    die "no binary at $GATETRAIL to run ClickHouse with; build it with 'cargo build' or set GATETRAIL_BIN"
}

# The server lives while its standard input is open. A process that never writes holds the other end of that pipe:
# it outlives this script, and `down` ends it first, which lets the server finish its work and leave by itself.
start_clickhouse_of_npm() {
  local input=$STATE/run/clickhouse.stdin
  say "ClickHouse: starting the server of npm package $CLICKHOUSE_PACKAGE_VERSION (http://127.0.0.1:$1)"
  end_process clickhouse-holder 5 TERM KILL
  rm -f "$input"
  mkfifo "$input"
  (detached tail -f /dev/null) >"$input" 2>/dev/null </dev/null 9>&- &
  record_process clickhouse-holder $!
  (detached "$GATETRAIL" engine clickhouse --library "$CLICKHOUSE_HOME/libchdb.so" --path "$STATE/data/clickhouse" \
    --http-port "$1" --tcp-port "$2") <"$input" >>"$STATE/log/clickhouse.log" 2>&1 9>&- &
  record_process clickhouse $!
}

start_clickhouse_of_path() {
  local settings=$STATE/run/clickhouse.xml data=$STATE/data/clickhouse
  say "ClickHouse: starting $(command -v clickhouse) of the PATH (http://127.0.0.1:$1)"
  mkdir -p "$data"
  cat >"$settings" <<END
<!-- Written by scripts/engines at each start. The default user has no password: loopback only. -->
<clickhouse>
  <logger><level>warning</level><console>true</console></logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>$1</http_port>
  <tcp_port>$2</tcp_port>
  <path>$data/</path>
  <tmp_path>$data/tmp/</tmp_path>
  <user_files_path>$data/user_files/</user_files_path>
  <format_schema_path>$data/format_schemas/</format_schema_path>
  <user_directories><users_xml><path>$settings</path></users_xml></user_directories>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users><default>
    <password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
  </default></users>
</clickhouse>
END
  (cd "$data" && detached clickhouse server --config-file="$settings") \
    >>"$STATE/log/clickhouse.log" 2>&1 </dev/null 9>&- &
  record_process clickhouse $!
}

use_external_clickhouse() { say "ClickHouse: yours, from GATETRAIL_CLICKHOUSE_URL ($(without_user "$GATETRAIL_CLICKHOUSE_URL"))"; }

# A URL may carry a password; it is never printed.
# shellcheck disable=SC2001 # a pattern substitution in the shell would be harder to read here
without_user() { sed 's#//[^/@]*@#//#' <<<"$1"; }

clickhouse_answers() { curl -sf --max-time 5 -o /dev/null "$1/ping"; }
clickhouse_has_started() { is_stopped clickhouse || clickhouse_answers "$(address_of clickhouse)"; }
clickhouse_version() { curl -sf --max-time 5 "$1/?query=SELECT%20version()" || echo "of unknown version"; }

await_clickhouse() {
  local address
  address=$(current_clickhouse)
  case $1 in
    path | npm) { wait_until 60 clickhouse_has_started && is_running clickhouse; } || start_failed clickhouse ;;
    *) wait_until 30 clickhouse_answers "$address" || die "ClickHouse at $(without_user "$address") does not answer" ;;
  esac
  say "ClickHouse $(clickhouse_version "$address"): answers at $(without_user "$address")"
}

stop_clickhouse() {
  local pid
  if pid=$(running_pid clickhouse); then
    # The end of its standard input first; signals only when that does not do.
    end_process clickhouse-holder 5 TERM KILL
    wait_until 20 is_stopped clickhouse || true
    end_process clickhouse 10 TERM KILL
    say "ClickHouse: stopped (process $pid)"
  fi
  end_process clickhouse-holder 5 TERM KILL
  rm -f "$STATE/run/clickhouse.pid" "$STATE/run/clickhouse.address" "$STATE/run/clickhouse.stdin"
}

status_clickhouse() {
  [ -n "$1" ] || { say "ClickHouse: not running"; return 1; }
  clickhouse_answers "$1" || { say "ClickHouse: $(without_user "$1") does not answer"; return 1; }
  case $2 in
    path | npm) say "ClickHouse $(clickhouse_version "$1"): answers at $1 (process $(running_pid clickhouse || echo unknown), from $2)" ;;
    *) say "ClickHouse $(clickhouse_version "$1"): answers at $(without_user "$1") ($2)" ;;
  esac
}
