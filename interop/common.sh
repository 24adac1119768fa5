# shellcheck shell=bash
# What the scripts share that run peers: it is sourced by them, in this folder.
tools=${CI_TOOLS:-$(realpath ../target/ci-tools)}
export NODE_PATH=$tools/node_modules
python=$tools/venv/bin/python

work=$(mktemp -d)
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

# Starts a server and sets `url` to the first WebSocket URL or Unix-domain socket it prints.
start() {
  : >"$work/started"
  "$@" >"$work/started" 2>"$work/errors" &
  servers+=($!)
  for _ in $(seq 600); do
    url=$(grep -om1 '\(wss\?://\|unix:\)[^ ]*' "$work/started" || true)
    [ -z "$url" ] || return 0
    sleep 0.1
  done
  cat "$work/errors" >&2
  fail "not started: $*"
  return 1
}

fail() { echo "not ok $1" | tee -a "$work/log"; }

# Runs one script of checks. That it checks nothing, or ends badly without saying why, is a failed check too.
checks() {
  local name=$1 outcome=0
  shift
  "$@" 2>&1 | tee "$work/lines" || outcome=$?
  cat "$work/lines" >>"$work/log"
  if [ "$outcome" != 0 ] && ! grep -q '^not ok' "$work/lines"; then fail "$name: ended with $outcome"; fi
  if ! grep -qE '^(not )?ok' "$work/lines"; then fail "$name: checked nothing"; fi
}

# Prints the last line, and tells whether all went well.
summary() {
  local passed failed
  passed=$(grep -c '^ok' "$work/log" || true)
  failed=$(grep -c '^not ok' "$work/log" || true)
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

touch "$work/log"
