# shellcheck shell=bash
# Kafka: one KRaft node as a plain Java process, its jars collected by Maven. Sourced by scripts/engines.

KAFKA_VERSION=$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$ROOT/scripts/kafka/pom.xml")
KAFKA_HOME=$CACHE/kafka-$KAFKA_VERSION

java_version() { java -version 2>&1 | sed -n 's/.*version "\([^"]*\)".*/\1/p' | head -n 1; }

java_is_recent() {
  command -v java >/dev/null || return 1
  local version
  version=$(java_version)
  [ "${version%%[!0-9]*}" -ge 17 ] 2>/dev/null
}

# The directory gets its name only when the download is complete, so its existence is the marker.
kafka_is_fetched() { [ -d "$KAFKA_HOME" ]; }

fetch_kafka() (
  ! kafka_is_fetched || exit 0
  mkdir -p "$CACHE"
  part=$CACHE/kafka.part.$$
  log=$CACHE/kafka-fetch.log
  trap 'rm -rf "$part"' EXIT
  mkdir -p "$part"
  started=$SECONDS
  run_with_progress "Kafka $KAFKA_VERSION: downloading about 54 MB with Maven" "$log" \
    mvn --quiet --batch-mode -Dstyle.color=never --file "$ROOT/scripts/kafka/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$part/lib" -DincludeScope=runtime ||
    fetch_failed "Kafka $KAFKA_VERSION" "$log" "or set GATETRAIL_KAFKA_BROKERS to a Kafka you have"
  mv -T "$part" "$KAFKA_HOME" 2>/dev/null || kafka_is_fetched || mv "$part" "$KAFKA_HOME"
  say "Kafka $KAFKA_VERSION: $(size_of "$KAFKA_HOME") fetched in $((SECONDS - started)) s"
)

kafka_settings() {
  cat <<END
# Written by scripts/engines at each start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$2
listeners=PLAINTEXT://127.0.0.1:$1,CONTROLLER://127.0.0.1:$2
advertised.listeners=PLAINTEXT://127.0.0.1:$1
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$STATE/data/kafka
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
END
}

# 16 random bytes in URL-safe base64, as Kafka's own tool makes them; a leading dash would read as an option.
new_cluster_id() { head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n' | sed 's/^-/A/'; }

# Chooses ports, writes the settings, formats empty data, notes the address. Sets `kafka_command`.
prepare_kafka() {
  local broker_port controller_port settings=$STATE/run/kafka.properties log=$STATE/log/kafka.log
  broker_port=$(free_port kafka)
  controller_port=$(free_port kafka-controller)
  kafka_settings "$broker_port" "$controller_port" >"$settings"
  : >"$log"
  if [ ! -f "$STATE/data/kafka/meta.properties" ]; then
    java -cp "$KAFKA_HOME/lib/*" kafka.tools.StorageTool format \
      --cluster-id "$(new_cluster_id)" --config "$settings" >>"$log" 2>&1 9>&- || start_failed kafka
  fi
  kafka_command=(java -Xms256m -Xmx512m "-Dlog4j2.configurationFile=$ROOT/scripts/kafka/log4j2.properties"
    -cp "$KAFKA_HOME/lib/*" kafka.Kafka "$settings")
  echo "127.0.0.1:$broker_port" >"$STATE/run/kafka.address"
}

start_kafka() {
  local pid
  if pid=$(running_pid kafka); then
    say "Kafka: already running (process $pid, $(address_of kafka))"
    return
  fi
  prepare_kafka
  say "Kafka: starting $KAFKA_VERSION fetched with Maven, on Java $(java_version) ($(address_of kafka))"
  (detached "${kafka_command[@]}") >>"$STATE/log/kafka.log" 2>&1 </dev/null 9>&- &
  record_process kafka $!
}

# In the place of this process, so that whoever started it has the server's own process id.
run_kafka() {
  kafka_is_fetched || die "Kafka is not fetched; run 'scripts/engines fetch'"
  prepare_kafka
  # A broker that was killed is taken back once its former self counts as dead, after nine seconds by default.
  printf '%s\n' broker.session.timeout.ms=2500 broker.heartbeat.interval.ms=500 >>"$STATE/run/kafka.properties"
  exec "${kafka_command[@]}"
}

use_external_kafka() { say "Kafka: yours, from GATETRAIL_KAFKA_BROKERS ($GATETRAIL_KAFKA_BROKERS)"; }

kafka_answers() {
  local first=${1%%,*}
  port_is_open "${first%:*}" "${first##*:}"
}

# The port opens before the broker has joined its own cluster; the line of the log comes after that.
kafka_has_started() {
  is_stopped kafka || { grep -q 'Kafka Server started' "$STATE/log/kafka.log" && kafka_answers "$(address_of kafka)"; }
}

await_kafka() {
  local address
  address=$(current_kafka)
  if [ "$1" = maven ]; then
    { wait_until 60 kafka_has_started && is_running kafka; } || start_failed kafka
  else
    wait_until 30 kafka_answers "$address" || die "Kafka at $address does not answer"
  fi
  say "Kafka: answers at $address"
}

stop_kafka() {
  local pid
  if pid=$(running_pid kafka); then
    end_process kafka 20 TERM KILL
    say "Kafka: stopped (process $pid)"
  fi
  rm -f "$STATE/run/kafka.pid" "$STATE/run/kafka.address"
}

status_kafka() {
  [ -n "$1" ] || { say "Kafka: not running"; return 1; }
  kafka_answers "$1" || { say "Kafka: $1 does not answer"; return 1; }
  case $2 in
    maven) say "Kafka $KAFKA_VERSION: answers at $1 (process $(running_pid kafka || echo unknown), Java $(java_version))" ;;
    docker) say "Kafka $KAFKA_VERSION: answers at $1 (Docker)" ;;
    *) say "Kafka: answers at $1 (yours)" ;;
  esac
}
