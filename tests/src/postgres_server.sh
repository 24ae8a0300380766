# Becomes a PostgreSQL server, making its data directory first if there is none.
#
# Arguments: the server, initdb, the directory for all its files, the port on 127.0.0.1, more arguments of the server.
server=$1 installer=$2 directory=$3 port=$4
shift 4
set -e

run=
if [ "$(id -u)" = 0 ]; then
  # PostgreSQL refuses to run as root.
  run="setpriv --reuid=nobody --regid=$(id -gn nobody) --clear-groups"
  chown nobody "$directory"
fi

cd "$directory"
[ -d data ] || $run "$installer" -D data --auth=trust --username=postgres --encoding=UTF8 --locale=C --no-sync
exec $run "$server" -D data -p "$port" -h 127.0.0.1 -k "$directory" -c fsync=off -c max_connections=200 "$@"
