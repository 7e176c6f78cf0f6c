# What a command sees that has a network and mounts of its own: `before.sh` made them before it was recorded.
grep -c . /proc/self/mountinfo
echo kept > data/file
cat /sys/class/net/lo/operstate
