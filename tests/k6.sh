#!/usr/bin/env bash
# Runs each k6 script of the shop against a shop of its own, beside a MariaDB and a Redis of its own.
#
#   tests/k6.sh [SCRIPT…]             default: every examples/ecommerce/k6/*.js
#   PROFILE=full tests/k6.sh …        the whole load on a release build, in place of the short profile
#
# A script is told BASE_URL (http://127.0.0.1:PORT), PROFILE (short or full), DATABASE_URL and REDIS_URL, and fails by
# a threshold. Each starts with fresh data and ends with a look into the database: every row of k6/truth/SCRIPT.sql
# counts something that must not be, and fails the run unless it is 0.
set -euo pipefail

export PROFILE=${PROFILE:-short}
target=${CARGO_TARGET_DIR:-target}

# Fails unless every row of this file counts 0 in the database of DATABASE_URL.
the_truth() {
  local file=$1 client rows wrong
  client=$(command -v mysql || command -v mariadb) || { echo 'the client mysql is missing' >&2; return 1; }
  [[ $DATABASE_URL =~ ^mysql://([^:@/]+)(:([^@/]*))?@([^:/]+):([0-9]+)/([^?]+) ]] || {
    echo 'DATABASE_URL is not mysql://USER:PASSWORD@HOST:PORT/DATABASE' >&2
    return 1
  }
  rows=$(MYSQL_PWD=${BASH_REMATCH[3]} "$client" --no-defaults --batch --skip-column-names --user="${BASH_REMATCH[1]}" \
    --host="${BASH_REMATCH[4]}" --port="${BASH_REMATCH[5]}" "${BASH_REMATCH[6]}" <"$file") || return 1
  wrong=$(awk -F '\t' '$2 != "0" { print "  " $1 ": " $2 }' <<<"$rows")
  if [ -n "$wrong" ]; then
    printf 'the database says otherwise (%s):\n%s\n' "$file" "$wrong" >&2
    return 1
  fi
  echo "the database agrees ($file)"
}

# Runs inside with_servers: a shop, one script, and the shop's end.
run_one() {
  local script=$1 url='' status=0
  # Not local: the trap runs after this function.
  log=$(mktemp)
  PORT=0 "$ECOMMERCE" >"$log" 2>&1 &
  started=($!)
  trap 'kill "${started[@]}" 2>/dev/null || true; wait; rm -f "$log"' EXIT
  trap 'exit 143' TERM
  trap 'exit 130' INT
  for _ in $(seq 600); do
    url=$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$log")
    [ -z "$url" ] || break
    kill -0 "${started[0]}" 2>/dev/null || break
    sleep 0.1
  done
  if [ -z "$url" ]; then
    echo "the shop did not start:" >&2
    cat "$log" >&2
    return 1
  fi
  echo "k6 $script ($PROFILE), shop at $url"
  # In the background, so that a signal ends the wait and the traps clean up.
  K6_NO_USAGE_REPORT=true BASE_URL=$url k6 run --quiet --env BASE_URL="$url" --env PROFILE="$PROFILE" \
    --env DATABASE_URL="$DATABASE_URL" --env REDIS_URL="$REDIS_URL" "$script" </dev/null &
  started+=($!)
  wait $! || status=$?
  the_truth "examples/ecommerce/k6/truth/$(basename "$script" .js).sql" || status=1
  if [ $status != 0 ]; then
    echo "k6 $script failed ($status); the shop's log ends with:" >&2
    tail -20 "$log" >&2
  fi
  return $status
}

if [ "${1:-}" = --beside-servers ]; then
  run_one "$2"
  exit
fi

cd "$(dirname "$0")/.."
if [ $# = 0 ]; then
  shopt -s nullglob
  set -- examples/ecommerce/k6/*.js
fi
if [ $# = 0 ]; then
  echo "no scripts in examples/ecommerce/k6"
  exit
fi
# The very build of ./test.sh, so that the short profile compiles nothing twice.
cargo build --quiet --workspace --all-features --bins
export ECOMMERCE=$target/debug/ecommerce
if [ "$PROFILE" = full ]; then
  cargo build --quiet --release -p ecommerce
  ECOMMERCE=$target/release/ecommerce
fi
for script in "$@"; do
  "$target/debug/with_servers" tests/k6.sh --beside-servers "$script"
done
