# shellcheck shell=bash
# ENGINES=docker: the two engines of docker-compose.yml, which listen on fixed loopback ports. Sourced by scripts/engines.

start_docker() {
  say "starting kafka and clickhouse of docker-compose.yml"
  docker compose --file "$ROOT/docker-compose.yml" up --detach --wait kafka clickhouse 9>&-
  touch "$STATE/run/docker"
}

use_docker_kafka() { echo 127.0.0.1:9092 >"$STATE/run/kafka.address"; }
use_docker_clickhouse() { echo http://127.0.0.1:8123 >"$STATE/run/clickhouse.address"; }

stop_docker() {
  [ -f "$STATE/run/docker" ] || return 0
  docker compose --file "$ROOT/docker-compose.yml" stop kafka clickhouse 9>&-
  rm -f "$STATE/run/docker"
}
