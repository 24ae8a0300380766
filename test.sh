#!/usr/bin/env bash
# Runs every check of this workspace. ./test.sh --help says more.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'TEXT'
Usage: ./test.sh [--no-install] [STEP…]

Installs what the tests need and is missing (Redis, MariaDB, PostgreSQL, Prometheus for its promtool, curl, strace, a
C compiler, rustfmt, clippy) with the machine's package manager, then runs every step, or those that are named, and
stops at the first that fails:

  format     cargo fmt --check
  scripts    bash -n of every shell script
  lints      clippy, warnings denied: workspace, all targets, all features
  features   clippy, warnings denied: each library without features and with each feature alone
  tests      every test of every crate, all features, against real servers
  mysql      the tests of the idempotency store for MariaDB once more, on the MySQL that TEST_MYSQL_URL names
  threads    the locks' threads in orders that a scheduler chooses
  doctests   every example in the documentation
  docs       rustdoc, warnings denied
  licences   licences and sources of the dependencies (cargo deny), where cargo-deny is installed
  alerts     the shop's alert rules and their tests, by promtool, where it can be had
  load       the short profile of the shop's k6 scripts, where k6 is installed

Servers run on free ports of 127.0.0.1 with throw-away data, so services of the machine are neither used nor touched.
TEST_REDIS_URL, TEST_DATABASE_URL and TEST_POSTGRES_URL name running servers to use instead where a test can share
one (tests/README.md). TEST_MYSQL_URL names a MySQL to test beside MariaDB. CARGO_TARGET_DIR and CARGO_BUILD_JOBS do
what they do for cargo.

  --no-install   installs nothing; says what is missing
  --help         this text
TEXT
}

steps=(format scripts lints features tests mysql threads doctests docs licences alerts load)
install=yes
chosen=()
for argument in "$@"; do
  case $argument in
    --no-install) install=no ;;
    --help | -h) usage; exit 0 ;;
    *)
      [[ " ${steps[*]} " == *" $argument "* ]] || {
        echo "no such step: $argument (./test.sh --help)" >&2
        exit 2
      }
      chosen+=("$argument")
      ;;
  esac
done
[ ${#chosen[@]} -gt 0 ] || chosen=("${steps[@]}")

# Debian's servers are in directories that are not on a user's PATH.
export PATH=$PATH:/usr/sbin:/usr/local/sbin:$HOME/.cargo/bin
has() { command -v "$1" >/dev/null; }
has_any() { for program in "$@"; do has "$program" && return 0; done; return 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif has sudo && [ -t 1 ]; then sudo "$@" </dev/tty
  elif has sudo; then sudo -n "$@"
  else return 1; fi
}

install_with_apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -qq update &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
      -qq install --yes --no-install-recommends "$@"
}

install_promtool() {
  [ $install = yes ] || return 1
  if has apt-get; then install_with_apt prometheus
  elif has brew; then brew install --quiet prometheus; fi
}

prepare() {
  local apt=() brew=() wanted=()
  need() { apt+=($2); brew+=($3); wanted+=("$1"); }
  has_any redis-server valkey-server || need Redis redis-server redis
  has_any mariadbd mysqld || need MariaDB mariadb-server mariadb
  has_any postgres pg_ctl /usr/lib/postgresql/*/bin/postgres || need PostgreSQL postgresql postgresql
  has cc || need 'a C compiler' 'gcc libc6-dev' gcc
  has curl || need curl curl curl
  # It slows the flushes of a server.
  [ "$(uname)" != Linux ] || has strace || need strace strace strace
  # Some package managers do not have it; then the step that needs it says so.
  [[ " ${chosen[*]} " != *' alerts '* ]] || has promtool || install_promtool || true

  if [ ${#wanted[@]} -gt 0 ]; then
    local names
    names=$(printf ', %s' "${wanted[@]}")
    echo "missing: ${names:2}"
    if [ $install = no ]; then
      echo "install it (Debian: apt-get install ${apt[*]}) and run this again" >&2
      return 1
    elif has apt-get; then
      install_with_apt "${apt[@]}" || {
        echo "could not install it; as root: apt-get install ${apt[*]}" >&2
        return 1
      }
    elif has brew; then
      brew install --quiet "${brew[@]}"
    else
      echo "install it with this machine's package manager (Debian calls it: ${apt[*]}) and run this again" >&2
      return 1
    fi
  fi

  has cargo || { echo 'cargo is not installed: https://rustup.rs' >&2; return 1; }
  local component
  for component in fmt:rustfmt clippy:clippy; do
    cargo "${component%%:*}" --version >/dev/null 2>&1 && continue
    if [ $install = yes ] && has rustup; then
      rustup component add "${component##*:}"
    else
      echo "cargo ${component%%:*} is missing: rustup component add ${component##*:}" >&2
      return 1
    fi
  done
}

libraries='lock-core lock-macros idempotency'

run_format() { cargo fmt --all --check; }

run_scripts() {
  local script
  while IFS= read -r script; do
    bash -n "$script" || return 1
  done < <(find . -name target -prune -o \( -name '*.sh' -o -path './.ci/run' \) -type f -print)
}

run_lints() { cargo clippy --workspace --all-targets --all-features -- -D warnings; }

# The names on the left of `=` in the [features] table of a manifest.
features_of() {
  awk '/^\[/ { inside = ($0 == "[features]") } inside && /^[a-z0-9_-]+ *=/ { print $1 }' "$1/Cargo.toml"
}

run_features() {
  local library feature
  for library in $libraries; do
    echo "$library without features"
    cargo clippy --quiet -p "$library" --no-default-features -- -D warnings || return 1
    for feature in $(features_of "$library"); do
      [ "$feature" != default ] || continue
      echo "$library with $feature alone"
      cargo clippy --quiet -p "$library" --no-default-features --features "$feature" -- -D warnings || return 1
    done
  done
}

# Runs cargo test and leaves its output where the sum at the end finds it.
cargo_test() {
  cargo test --workspace --all-features --no-fail-fast "$@" 2>&1 | tee -a "$results"
}

run_tests() { cargo_test --lib --bins --tests --examples; }

run_mysql() {
  [ -n "${TEST_MYSQL_URL:-}" ] || { echo 'TEST_MYSQL_URL is not set: tested on MariaDB only'; return 0; }
  TEST_DATABASE_URL=$TEST_MYSQL_URL cargo_test --test store_mysql --test store_mysql_cost --test store_mysql_faults \
    --test store_mysql_logs --test store_mysql_stress --test store_tables --test store_isolation \
    --test store_properties --test store_refusals --test store_mysql_idle --test locked_transactions \
    --test once_crashes --test once_stress \
    -- --skip postgres --skip sqlite --skip memory
}

# Builds lock-core once more, with a scheduler in place of the threads.
run_threads() {
  RUSTFLAGS="${RUSTFLAGS:-} --cfg shuttle" cargo test -p lock-core --test shuttle \
    --target-dir "${CARGO_TARGET_DIR:-target}/shuttle" 2>&1 | tee -a "$results"
}

run_doctests() { cargo_test --doc; }

run_docs() {
  RUSTDOCFLAGS='-D warnings' cargo doc --workspace --all-features --no-deps
}

run_licences() {
  has cargo-deny || { echo 'cargo-deny is not installed: left out'; return 0; }
  # Not the advisories: what was right yesterday must not fail today. `cargo deny check` has them.
  cargo deny --all-features check bans licenses sources
}

run_alerts() {
  has promtool || { echo 'promtool could not be had: left out (Debian: apt-get install prometheus)'; return 0; }
  promtool check rules examples/ecommerce/watch/alerts.yaml &&
    promtool test rules examples/ecommerce/watch/alerts.test.yaml
}

run_load() {
  has k6 || { echo 'k6 is not installed: left out'; return 0; }
  tests/k6.sh
}

results=$(mktemp)
job=

# Prints the sum of all test results so far, as the last line.
summary() {
  [ -s "$results" ] || return 0
  awk '/^test result:/ { passed += $4; failed += $6 } END { printf "%d passed, %d failed\n", passed, failed }' "$results"
}

finish() {
  local status=$?
  rm -f "$results"
  exit $status
}

# Each step is a process group of its own (set -m), so that everything it has started can be ended at once.
stop() {
  trap - INT TERM HUP
  if [ -n "$job" ]; then
    kill -s TERM -- "-$job" 2>/dev/null || true
    wait "$job" 2>/dev/null || true
  fi
  echo "stopped" >&2
  exit "$1"
}

trap finish EXIT
trap 'stop 130' INT
trap 'stop 143' TERM HUP
set -m

if [ -t 1 ]; then export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-always}; fi
number=0

elapsed() { printf '%d:%02d' $((SECONDS / 60)) $((SECONDS % 60)); }

step() {
  local name=$1 begun=$SECONDS status=0
  number=$((number + 1))
  echo "[$number/${#chosen[@]}] $name … ($(elapsed))"
  "run_$name" </dev/null &
  job=$!
  wait "$job" || status=$?
  job=
  if [ $status != 0 ]; then
    echo "[$number/${#chosen[@]}] $name FAILED after $((SECONDS - begun)) s" >&2
    summary
    exit 1
  fi
  echo "[$number/${#chosen[@]}] $name: ok, $((SECONDS - begun)) s"
}

prepare
for name in "${chosen[@]}"; do step "$name"; done
echo "all checks passed in $(elapsed)"
summary
