# shellcheck shell=bash
# Starting processes that outlive the script, and ending exactly those. A record is "PID BIRTH": process ids are used
# again, so a process is ours only when it was also born when the record says. Sourced by scripts/engines.

# birth_of PID: when the process started, in whatever unit the system has; fails when there is no such process.
birth_of() {
  if [ -r "/proc/$1/stat" ]; then
    # Field 22 of proc(5) stat; the second field may hold spaces, so it is cut off at its closing bracket.
    sed 's/^.*) //' "/proc/$1/stat" | cut -d' ' -f20
  else
    ps -o lstart= -p "$1"
  fi
}

record_process() { echo "$2 $(birth_of "$2")" >"$STATE/run/$1.pid"; }

# running_pid NAME: the process id, when the recorded process still lives.
running_pid() {
  local pid birth
  [ -f "$STATE/run/$1.pid" ] || return 1
  read -r pid birth <"$STATE/run/$1.pid" || return 1
  [ "$(birth_of "$pid" 2>/dev/null)" = "$birth" ] || return 1
  # A zombie has ended; only its parent has not looked yet.
  ! grep -qs '^State:[[:space:]]*Z' "/proc/$pid/status" || return 1
  echo "$pid"
}

is_running() { running_pid "$1" >/dev/null; }
is_stopped() { ! is_running "$1"; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# detached COMMAND...: replaces this (sub)shell by COMMAND in a session of its own, so that neither the end of the
# script nor Ctrl-C in its terminal reaches it.
detached() {
  if command -v setsid >/dev/null; then exec setsid "$@"; else exec nohup "$@"; fi
}

# end_process NAME SECONDS SIGNAL...: sends each signal in turn and waits SECONDS after each.
end_process() {
  local name=$1 seconds=$2 signal pid last_pid=
  shift 2
  for signal in "$@"; do
    pid=$(running_pid "$name") || break
    last_pid=$pid
    kill -s "$signal" "$pid" 2>/dev/null || true
    wait_until "$seconds" is_stopped "$name" || true
  done
  is_stopped "$name" || die "$name (process $(running_pid "$name")) does not end"
  # It has ended, but stays in process listings until the system's first process has taken note.
  [ -z "$last_pid" ] || wait_until 3 is_gone "$last_pid" || true
  rm -f "$STATE/run/$name.pid"
}
