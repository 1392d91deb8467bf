# shellcheck shell=bash
# Shared by the scripts: where state lies, messages, tools that have to be there, downloads with a progress line, ports.
# Sourced, never run; expects ROOT, the checkout's absolute path.

absolute() { case $1 in /*) echo "$1" ;; *) echo "$ROOT/$1" ;; esac; }

STATE=$(absolute "${ENGINES_DIR:-.engines}")
CACHE=$(absolute "${ENGINES_CACHE:-.engines/cache}")
export CACHE
STATE_SHOWN=${STATE#"$ROOT"/}

say() { echo "${SPEAKER:-engines}: $*"; }
warn() { echo "${SPEAKER:-engines}: $*" >&2; }
die() { warn "error: $*"; exit 1; }

# One instance is changed by one caller at a time. Without flock(1) (macOS) callers have to take care themselves.
lock_state() {
  command -v flock >/dev/null || return 0
  exec 9>"$STATE/run/lock"
  flock -w 180 9 || die "another scripts/engines has been working on $STATE_SHOWN for three minutes"
}

# Names every missing tool at once, with what brings it.
require_tools() {
  local missing=()
  command -v curl >/dev/null || missing+=("curl (Debian: curl)")
  if [ "$(kafka_choice)" = maven ]; then
    java_is_recent || missing+=("java 17 or newer (Debian: openjdk-17-jre-headless, or a newer one)")
    kafka_is_fetched || command -v mvn >/dev/null || missing+=("mvn (Debian: maven)")
  fi
  if [ "$(clickhouse_choice)" = npm ] && ! clickhouse_is_fetched; then
    command -v npm >/dev/null || missing+=("npm (Debian: npm)")
    command -v tar >/dev/null || missing+=("tar (Debian: tar)")
  fi
  if [ "${ENGINES:-}" = docker ]; then
    docker compose version >/dev/null 2>&1 || missing+=("docker with its compose plugin (Debian: docker.io and docker-compose, or Docker's own packages)")
  fi
  [ ${#missing[@]} -eq 0 ] && return
  warn "error: missing tools:"
  printf '  - %s\n' "${missing[@]}" >&2
  warn "install them and run this again, or point GATETRAIL_KAFKA_BROKERS and GATETRAIL_CLICKHOUSE_URL at engines you have"
  exit 1
}

# run_with_progress LABEL LOG COMMAND...: runs COMMAND with its output in LOG and says every five seconds that it goes on.
run_with_progress() {
  local label=$1 log=$2 started=$SECONDS worker said=0
  shift 2
  say "$label …"
  "$@" >"$log" 2>&1 </dev/null &
  worker=$!
  while kill -0 "$worker" 2>/dev/null; do
    sleep 0.2
    if [ $((SECONDS - started)) -ge $((said + 5)) ]; then
      said=$((SECONDS - started))
      say "$label … $said s"
    fi
  done
  wait "$worker"
}

size_of() { du -sh "$1" | cut -f1; }

# fetch_failed NAME LOG HINT: the end of the log, and what to do.
fetch_failed() {
  warn "error: $1 could not be fetched; the end of $2:"
  tail -n 15 "$2" >&2 || true
  warn "check the network (and the proxy settings of the tool), then run this again; $3"
  exit 1
}

port_is_open() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# free_port NAME [USUAL]: the port that NAME had last time (or its usual one) if it is free, else another free one below
# the system's range for outgoing connections, so that none of those can take it first.
free_port() {
  local record="$STATE/run/$1.port" port attempt
  port=$(cat "$record" 2>/dev/null || echo "${2:-}")
  if [ -n "$port" ] && ! port_is_open 127.0.0.1 "$port"; then
    echo "$port"
    return
  fi
  for attempt in {1..200}; do
    port=$((20000 + RANDOM % 12000))
    port_is_open 127.0.0.1 "$port" && continue
    echo "$port" >"$record"
    echo "$port"
    return
  done
  die "no free port found after $attempt attempts"
}

# address_of NAME: where the engine that `up` started listens; nothing when it started none.
address_of() { cat "$STATE/run/$1.address" 2>/dev/null || true; }

# wait_until SECONDS COMMAND...: tries COMMAND ten times a second; fails when the time is over.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

start_failed() {
  warn "error: $1 does not answer; the end of $STATE_SHOWN/log/$1.log:"
  tail -n 30 "$STATE/log/$1.log" >&2 || true
  warn "stop what is left with 'scripts/engines down'"
  exit 1
}
