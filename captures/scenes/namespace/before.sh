# An address of its own, and a file system.
ip address add 10.1.2.3/24 broadcast 10.1.2.255 dev lo
ip address add fd00:1::2/64 dev lo nodad
mkdir data && mount -t tmpfs -o size=64k,nosuid,nodev,mode=700 scratch data
