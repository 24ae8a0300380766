# Becomes a MariaDB or MySQL server, making its data directory first if there is none.
#
# Arguments: the server, the program that makes the data directory (the server itself for MySQL), the directory for
# all its files, the port on 127.0.0.1.
server=$1 installer=$2 directory=$3 port=$4
set -e

rm -f "$directory/pid"
mkdir -p "$directory/tmp"
# A server that starts deletes the temporary tables it finds, so it must not find those of another that is just starting.
set -- --no-defaults --datadir="$directory/data" --tmpdir="$directory/tmp"
[ "$(id -u)" != 0 ] || set -- "$@" --user=root

if [ ! -d "$directory/data" ]; then
  if [ "$installer" = "$server" ]; then
    "$server" "$@" --initialize-insecure
  else
    "$installer" "$@" --auth-root-authentication-method=normal --skip-test-db --innodb-log-file-size=8M
  fi
fi

# Commits survive the death of the server, though not of the machine: nothing waits for the disk.
exec "$server" "$@" --port="$port" --bind-address=127.0.0.1 --socket="$directory/socket" --pid-file="$directory/pid" \
  --innodb-flush-log-at-trx-commit=2 --innodb-buffer-pool-size=64M --max-connections=500 --skip-log-bin
