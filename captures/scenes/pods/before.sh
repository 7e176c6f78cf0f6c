# Control groups as a node has them: one of a pod's container that runs, one of a container that is yet to come.
mount -t cgroup2 none /sys/fs/cgroup
pod=/sys/fs/cgroup/kubepods.slice/kubepods-pod6f1b2c3d_0000_4abc_9def_0123456789ab.slice
mkdir -p "$pod/cri-containerd-$(printf 'a%.0s' $(seq 64)).scope" "$pod/cri-containerd-$(printf 'd%.0s' $(seq 64)).scope"
: > audit.log
