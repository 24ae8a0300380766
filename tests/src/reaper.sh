# Ends what a test process leaves behind, however that process ends.
#
# Argument: the directory of the test process's throw-away data.
# Input, while the test process lives: lines "watch GROUP SIGNAL" and "forget GROUP".
# At the end of input (the other end of the pipe is gone, even after SIGKILL): sends every watched process group
# its signal, SIGKILL after two seconds, and removes the directory.

trap '' HUP INT TERM
watched=

while read -r verb group signal; do
  case $verb in
    watch) watched="$watched $group:$signal" ;;
    forget)
      kept=
      for entry in $watched; do
        [ "${entry%%:*}" = "$group" ] || kept="$kept $entry"
      done
      watched=$kept
      ;;
  esac
done

alive() { kill -s 0 -- "-$1" 2>/dev/null; }

for entry in $watched; do
  kill -s CONT -- "-${entry%%:*}" 2>/dev/null
  kill -s "${entry##*:}" -- "-${entry%%:*}" 2>/dev/null
done
tries=0
for entry in $watched; do
  while alive "${entry%%:*}" && [ "$tries" -lt 40 ]; do
    sleep 0.05
    tries=$((tries + 1))
  done
  kill -s KILL -- "-${entry%%:*}" 2>/dev/null
done
rm -rf -- "$1"
