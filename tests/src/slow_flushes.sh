# Becomes a command each of whose flushes takes longer, as do those of all that it starts.
#
# Arguments: strace, by how many microseconds, the command and its arguments.
strace=$1 longer=$2
shift 2

# -D: the command keeps this process id, and strace is in the background, of the same process group.
# --seccomp-bpf: no other system call is stopped at.
exec "$strace" -D -f --seccomp-bpf -qq -o /dev/null -e trace=fsync,fdatasync \
  -e inject=fsync,fdatasync:delay_enter="$longer" "$@"
