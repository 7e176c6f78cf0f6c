# The control groups outlive the mounts that they were made by.
mount -t cgroup2 none /sys/fs/cgroup
cd /sys/fs/cgroup/kubepods.slice && rmdir kubepods-pod6f1b2c3d_0000_4abc_9def_0123456789ab.slice/*.scope \
    kubepods-pod6f1b2c3d_0000_4abc_9def_0123456789ab.slice
cd .. && rmdir kubepods.slice 2>/dev/null || true
