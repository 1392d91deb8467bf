# shellcheck shell=bash
# Figures as people read them, and the sections of benches/RESULTS.md. Sourced by the benchmarks.

RESULTS=$ROOT/benches/RESULTS.md

# divided NUMBER BY DECIMALS
divided() { awk -v number="$1" -v by="$2" -v decimals="$3" 'BEGIN { printf "%.*f", decimals, (by == 0 ? 0 : number / by) }'; }

# grouped NUMBER: 1234567 → 1,234,567
grouped() { sed -E ':again; s/^([0-9]+)([0-9]{3})/\1,\2/; t again' <<<"$1"; }

# commit_of: the commit that is measured, marked when the tree has changes.
commit_of() { git -C "$ROOT" describe --always --dirty --exclude '*' 2>/dev/null || echo unknown; }

# record_section NAME FILE: FILE becomes the text between `<!-- begin NAME -->` and `<!-- end NAME -->` of
# benches/RESULTS.md; a section that is not there yet is added at the end.
record_section() {
  local name=$1 file=$2 new
  [ -f "$RESULTS" ] || die "benches/RESULTS.md is missing"
  grep -q "^<!-- begin $name -->\$" "$RESULTS" || printf '\n<!-- begin %s -->\n<!-- end %s -->\n' "$name" "$name" >>"$RESULTS"
  new=$(mktemp "$RESULTS.XXXXXX")
  awk -v begin="<!-- begin $name -->" -v end="<!-- end $name -->" -v file="$file" '
    $0 == begin { print; while ((getline line < file) > 0) print line; inside = 1 }
    $0 == end { inside = 0 }
    !inside { print }' "$RESULTS" >"$new"
  chmod 644 "$new"
  mv "$new" "$RESULTS"
  say "written to benches/RESULTS.md, section $name"
}
