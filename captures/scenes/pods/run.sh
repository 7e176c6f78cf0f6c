# A kubelet in small, with its API server's log: what is run in a pod by exec, by debug and while somebody is attached.
exec bash ./kubelet.sh
