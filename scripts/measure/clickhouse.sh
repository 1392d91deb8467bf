# shellcheck shell=bash
# Asks ClickHouse over HTTP from within the shell: no process is started, so it can be asked fifty times a second without
# disturbing what is measured. Sourced by the benchmarks and the soak test; expects GATETRAIL_CLICKHOUSE_URL without user.

SQL_FOLDER=$ROOT/scripts/measure/sql

# ask SQL: ANSWER becomes what ClickHouse answers, tab-separated, without the last line end. Fails when it does not answer,
# or refuses; ANSWER is then the reason.
ask() {
  local address=${GATETRAIL_CLICKHOUSE_URL#http://} socket version status line
  address=${address%/}
  ANSWER="no answer from $address"
  { exec {socket}<>"/dev/tcp/${address%:*}/${address##*:}"; } 2>/dev/null || return 1
  # HTTP/1.0: the answer is not in chunks and ends with the connection.
  version='' status='' line=''
  printf 'POST /?wait_end_of_query=1 HTTP/1.0\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s' \
    "$address" "${#1}" "$1" 1>&"$socket" || true
  IFS=' ' read -r -u "$socket" version status line || true
  while IFS= read -r -u "$socket" line && [ "$line" != $'\r' ]; do :; done
  IFS= read -r -d '' -u "$socket" line || true
  exec {socket}>&-
  [ -z "$version" ] || ANSWER=${line%$'\n'}
  [ "$status" = 200 ]
}

# must_ask SQL: as `ask`; a failure ends the script.
must_ask() { ask "$1" || die "ClickHouse: $ANSWER"; }

# sql_of FILE [NAME=VALUE]...: SQL becomes the statement of a file of scripts/measure/sql, with `${NAME}` replaced.
sql_of() {
  local pair
  SQL=$(<"$SQL_FOLDER/$1")
  shift
  for pair in "$@"; do SQL=${SQL//"\${${pair%%=*}}"/"${pair#*=}"}; done
}

# must_ask_file FILE [NAME=VALUE]...
must_ask_file() {
  sql_of "$@"
  must_ask "$SQL"
}
