# Holds one server for a test process: guardian.sh FOLDER PROGRAM [ARGUMENT...]
#
# Does what stdin says, a word a line, and answers each with a line. At the end of stdin, which comes however the test
# process ends, it kills the server with all its descendants and removes the folder.
folder=$1
shift
server=

# Prints the server and its descendants. A process group would not do: each backend of PostgreSQL is a session of its
# own.
family() {
  found=" $server "
  more=yes
  while [ -n "$more" ]; do
    more=
    for stat in /proc/[0-9]*/stat; do
      read -r line 2>/dev/null <"$stat" || continue
      rest=${line##*) ? }
      case $found in *" ${line%% *} "*) continue ;; esac
      case $found in *" ${rest%% *} "*) found="$found${line%% *} " more=yes ;; esac
    done
  done
  echo "$found"
}

alive() {
  read -r line 2>/dev/null <"/proc/$1/stat" || return 1
  case $line in *') Z '*) return 1 ;; esac
}

end() {
  [ -n "$server" ] || return
  # Frozen first, so that none is born while they are listed.
  kill -STOP $(family) 2>/dev/null
  members=$(family)
  kill -KILL $members 2>/dev/null
  wait "$server" 2>/dev/null
  for member in $members; do
    while alive "$member"; do sleep 0.02; done
  done
  server=
}

while read -r word; do
  case $word in
    start)
      setsid "$@" >>"$folder/log" 2>&1 </dev/null &
      server=$!
      ;;
    kill) end ;;
    terminate)
      kill -TERM "$server"
      wait "$server"
      end
      ;;
    stop) kill -STOP $(family) ;;
    continue) kill -CONT $(family) ;;
  esac
  echo "$word"
done
end
rm -rf "$folder"
