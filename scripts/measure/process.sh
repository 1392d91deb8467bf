# shellcheck shell=bash
# shellcheck disable=SC2034 # what is found is left in variables, for the caller
# What processes cost, read from proc(5) without starting any: CPU time, peak memory, the machine's own facts. Sourced by
# the benchmarks and the soak test; Linux only.

CORES=$(getconf _NPROCESSORS_ONLN)
TICKS_PER_SECOND=$(getconf CLK_TCK)
export CORES

require_proc() { [ -r /proc/self/stat ] || die "this measures with /proc, which is not here (Linux only)"; }

# cpu_us_of PID: CPU_US becomes the CPU time, user and system, of all its threads that ever were (fields 14 and 15 of
# proc(5) stat), in microseconds. Fails when there is no such process.
cpu_us_of() {
  local line fields
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  # The second field may hold spaces, so the line is cut behind its closing bracket.
  read -ra fields <<<"${line##*) }"
  CPU_US=$(((fields[11] + fields[12]) * 1000000 / TICKS_PER_SECOND))
}

# machine_cpu_us: MACHINE_US becomes the CPU time of everything on this machine (first line of proc(5) stat: user, nice,
# system, irq, softirq, steal), in microseconds.
machine_cpu_us() {
  local fields
  read -ra fields </proc/stat
  MACHINE_US=$(((fields[1] + fields[2] + fields[3] + fields[6] + fields[7] + fields[8]) * 1000000 / TICKS_PER_SECOND))
}

# peak_bytes_of PID: PEAK_BYTES becomes the most memory that was resident at once (VmHWM).
peak_bytes_of() {
  local name value
  PEAK_BYTES=
  while read -r name value _; do
    [ "$name" != VmHWM: ] || PEAK_BYTES=$((value * 1024))
  done <"/proc/$1/status"
  [ -n "$PEAK_BYTES" ]
}

# nap SECONDS: a wait that starts no process.
nap() {
  [ -n "${NAP_FD:-}" ] || exec {NAP_FD}<> <(:)
  read -r -t "$1" -u "$NAP_FD" || true
}

processor_name() { sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1; }
memory_gib() { awk '/^MemTotal:/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo; }
