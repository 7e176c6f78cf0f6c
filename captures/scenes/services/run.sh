# A node's daily chatter: a cache over TCP, datagrams, messages for the system log, a log file, an attack by environment.
python3 -I talk.py
cat cache-2.pid
printf 'started\nwarning: disk is 91%% full\n' >> service.log
printf 'one\ntwo\n' | cat
env 'AGENT=() { :;}; echo vulnerable' bash -c 'echo page' 2>/dev/null
exit 0
